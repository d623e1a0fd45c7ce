"""A status message counts when one signature, last in its header, covers all of it and is its sender's."""

from __future__ import annotations

import io

import pytest
from fakes.sealed import SENDER, World, signed_status, status_report
from lxml import etree

from edoc.envelopes.status import write_status
from edoc.envelopes.xml import DS, EDXML
from edoc.errors import EdocError
from edoc.model.identifiers import OrganId
from edoc.model.verdict import Indication, SubIndication
from edoc.signatures.validation import validate_file, validate_status

PLACEHOLDER = f"""<edXML xmlns="{EDXML}"><edXML:edXMLEnvelope xmlns:edXML="{EDXML}"><edXML:edXMLHeader>
<edXML:MessageHeader/><Signature><SignedInfo>
<SignatureMethod Algorithm="http://www.w3.org/2000/09/xmldsig#rsa-sha1"/><Reference URI="cid:x"><Transforms>
<Transform Algorithm="http://example.org/AttachedContent"/></Transforms></Reference></SignedInfo>
<SignatureValue>GbVb8n9+</SignatureValue><KeyInfo><X509Data><X509Certificate>MIIC8TCCAdm</X509Certificate>
</X509Data></KeyInfo></Signature></edXML:edXMLHeader></edXML:edXMLEnvelope></edXML>"""


def test_a_signed_status_passes(world: World) -> None:
    report, verdict = validate_status(signed_status(world.seal), world.material)
    assert report == status_report()
    assert verdict.passed
    assert verdict.signatures[0].organisation == SENDER


def test_an_rsa_signed_status_passes(rsa_world: World) -> None:
    assert validate_status(signed_status(rsa_world.seal), rsa_world.material)[1].passed


def test_an_unsigned_status_has_no_indication(world: World) -> None:
    assert validate_status(write_status(status_report()), world.material)[1].indication is None


def test_a_status_of_another_sender_is_refused_by_the_pin(world: World) -> None:
    _, verdict = validate_status(signed_status(world.seal, OrganId("H1")), world.material)
    assert verdict.sub_indication is SubIndication.SIG_CONSTRAINTS_FAILURE


@pytest.mark.parametrize(
    ("old", "new"),
    [(b">01<", b">03<"), (b"abab", b"abac"), (b'recipient="G22"', b'recipient="G23"'), (b"2026/11/22", b"2026/11/23")],
)
def test_a_changed_status_fails(old: bytes, new: bytes, world: World) -> None:
    signed = signed_status(world.seal)
    assert old in signed
    try:
        _, verdict = validate_status(signed.replace(old, new, 1), world.material)
    except EdocError:
        return
    assert (verdict.indication, verdict.sub_indication) == (Indication.TOTAL_FAILED, SubIndication.HASH_FAILURE)


def wrapped_whole(signed: bytes) -> bytes:
    """Put the genuine document under a forged one, and its signature in the forged header."""
    forged = etree.fromstring(signed.replace(b">01<", b">03<"))
    genuine = etree.fromstring(signed)
    for root in (forged, genuine):
        assert len(list(root.iter(f"{{{DS}}}Signature"))) == 1
    body = etree.SubElement(forged[0], f"{{{EDXML}}}edXMLBody")
    body.append(genuine)
    return etree.tostring(forged)


def second_signature(signed: bytes) -> bytes:
    root = etree.fromstring(signed)
    header = root[0][0]
    header.append(etree.fromstring(etree.tostring(header[-1])))
    return etree.tostring(root)


def not_last(signed: bytes) -> bytes:
    root = etree.fromstring(signed)
    header = root[0][0]
    header.insert(0, header[-1])
    return etree.tostring(root)


def elsewhere(signed: bytes) -> bytes:
    root = etree.fromstring(signed)
    root.append(root[0][0][-1])
    return etree.tostring(root)


def beside_the_root(signed: bytes) -> bytes:
    return signed + b"<?hidden text?>"


def by_id(signed: bytes) -> bytes:
    return signed.replace(b'URI=""', b'URI="#other"')


def another_transform(signed: bytes) -> bytes:
    name = b"http://www.w3.org/TR/1999/REC-xpath-19991116"
    return signed.replace(b"http://www.w3.org/2000/09/xmldsig#enveloped-signature", name)


@pytest.mark.parametrize(
    "change", [wrapped_whole, second_signature, not_last, elsewhere, beside_the_root, by_id, another_transform]
)
def test_a_wrapped_or_moved_signature_fails(change: object, world: World) -> None:
    assert callable(change)
    verdict = validate_file(io.BytesIO(change(signed_status(world.seal))), world.material)
    assert verdict.indication is Indication.TOTAL_FAILED


def test_a_placeholder_is_named_and_is_not_tampered(world: World) -> None:
    verdict = validate_file(io.BytesIO(PLACEHOLDER.encode()), world.material)
    assert (verdict.indication, verdict.sub_indication) == (Indication.INDETERMINATE, SubIndication.FORMAT_FAILURE)
    detail = verdict.signatures[0].checks[0].detail
    for word in ("namespace", "SHA-1", "AttachedContent", "11 characters"):
        assert word in detail


def test_an_empty_signature_element_is_a_placeholder(world: World) -> None:
    start, end = PLACEHOLDER.index("<Signature>"), PLACEHOLDER.index("</edXML:edXMLHeader>")
    verdict = validate_file(
        io.BytesIO((PLACEHOLDER[:start] + "<Signature/>" + PLACEHOLDER[end:]).encode()), world.material
    )
    assert "empty" in verdict.signatures[0].checks[0].detail


def test_nothing_signed_is_no_indication(world: World) -> None:
    for content in (b"", b"hello", b"<a/>", b"PK\x03\x04 a spreadsheet", b"\x30\x03\x02\x01\x01"):
        assert validate_file(io.BytesIO(content), world.material).indication is None


def test_a_signature_with_sha1_is_indeterminate_by_its_algorithm(world: World) -> None:
    weak = signed_status(world.seal).replace(
        b"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", b"http://www.w3.org/2000/09/xmldsig#rsa-sha1"
    )
    report = validate_file(io.BytesIO(weak), world.material).signatures[0]
    assert report.sub_indication is SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE
    assert not report.crypto_intact


def test_a_document_that_has_no_canonical_form_is_a_verdict(world: World) -> None:
    changed = signed_status(world.seal).replace(
        b"<edXML:MessageHeader>", b'<edXML:MessageHeader xmlns:a="rel" a:b="c">'
    )
    verdict = validate_file(io.BytesIO(changed), world.material)
    assert verdict.indication is Indication.TOTAL_FAILED
