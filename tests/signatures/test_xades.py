"""What we seal is what every other verifier of XML signatures accepts."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import zipfile
from base64 import b64decode
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
import signxml
import xmlsec
from fakes.sealed import NOW, World, document_with, entries_of, package, seal_entries, signed_status, status_report
from fakes.signer import sign_digest
from lxml import etree

from edoc.envelopes import asic
from edoc.envelopes.status import write_status
from edoc.envelopes.xml import DS, XADES, parse
from edoc.errors import EdocError
from edoc.model.identifiers import Sha256
from edoc.model.trust import SignatureAlgorithm
from edoc.signatures import xades
from edoc.signatures.creation import SealCertificate, verify_own

ALGORITHMS = ["ec", SignatureAlgorithm.RSA_PKCS1_SHA256, SignatureAlgorithm.RSA_PSS_SHA256]
XMLSEC1 = shutil.which("xmlsec1")


@pytest.mark.skipif(XMLSEC1 is None, reason="xmlsec1 is not installed")
@pytest.mark.parametrize("algorithm", ["ec", SignatureAlgorithm.RSA_PKCS1_SHA256])
def test_xmlsec1_accepts_the_seal_of_a_package(
    algorithm: SignatureAlgorithm | str, world: World, rsa_world: World, tmp_path: Path
) -> None:
    content = package((world if algorithm == "ec" else rsa_world).seal, [b"one", b"two"])
    zipfile.ZipFile(BytesIO(content)).extractall(tmp_path)
    run = subprocess.run(
        [
            str(XMLSEC1),
            "--verify",
            "--insecure",  # the chain is our own concern
            "--enabled-reference-uris",
            "empty,same-doc,local,remote",
            "--id-attr:Id",
            f"{XADES}:SignedProperties",
            asic.SIGNATURES,
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "OK" in (run.stdout + run.stderr).splitlines(), run.stderr
    assert "4/4" in run.stdout + run.stderr


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_xmlsec_accepts_a_status(kind: str, world: World, rsa_world: World) -> None:
    seal = (world if kind == "ec" else rsa_world).seal
    root = etree.fromstring(signed_status(seal))
    signature = next(root.iter(f"{{{DS}}}Signature"))
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(seal.pem, xmlsec.constants.KeyDataFormatCertPem)
    context.register_id(next(root.iter(f"{{{XADES}}}SignedProperties")), "Id")
    context.verify(signature)


def test_signxml_accepts_a_status(rsa_world: World) -> None:
    config = signxml.SignatureConfiguration(expect_references=2, location=".//")
    verified = signxml.XMLVerifier().verify(
        signed_status(rsa_world.seal), x509_cert=rsa_world.seal.pem, expect_config=config, id_attribute="Id"
    )
    assert len(verified) == 2


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_seal_has_one_reference_per_entry_without_transforms(
    algorithm: SignatureAlgorithm | str, world: World, rsa_world: World
) -> None:
    chosen = algorithm if isinstance(algorithm, SignatureAlgorithm) else None
    seal = world.seal if chosen is None else rsa_world.seal
    entries = entries_of(document_with([b"x"]), [b"x"])
    root = parse(seal_entries(entries, seal, algorithm=chosen))
    references = root.findall(f".//{{{DS}}}Reference")
    assert [one.get("URI") for one in references[:-1]] == ["envelope.xml", "attachments/1.pdf"]
    assert all(one.get("Id") and one.find(f"{{{DS}}}Transforms") is None for one in references[:-1])
    formats = root.findall(f".//{{{XADES}}}DataObjectFormat")
    assert [one.get("ObjectReference") for one in formats] == [f"#{one.get('Id')}" for one in references[:-1]]


def test_entry_names_are_percent_encoded(world: World) -> None:
    certificate = SealCertificate.read(world.seal.der)
    entry = xades.SignedEntry(name="attachments/Công văn &1.pdf", media_type="a/b", sha256=Sha256("00" * 32))
    prepared = xades.prepare_detached([entry], certificate, certificate.algorithm, NOW)
    assert b'URI="attachments/C%C3%B4ng%20v%C4%83n%20%261.pdf"' in prepared.head


def test_the_digest_of_each_signature_value_is_what_a_receipt_binds(world: World) -> None:
    entries = entries_of(document_with([]), [])
    sealed = seal_entries(entries, world.seal)
    value = parse(sealed).find(f".//{{{DS}}}SignatureValue")
    assert value is not None
    raw = b64decode(value.text or "")
    assert xades.signature_digests(sealed) == (hashlib.sha256(raw).hexdigest(),)


def test_preparing_twice_gives_the_same_digest(world: World) -> None:
    certificate = SealCertificate.read(world.seal.der)
    entry = xades.SignedEntry(name="envelope.xml", media_type="text/xml", sha256=Sha256("00" * 32))
    first, second = (
        xades.prepare_detached([entry], certificate, certificate.algorithm, NOW + timedelta(hours=hours)).digest
        for hours in (0, 0)
    )
    assert first == second


def test_a_signed_document_is_not_signed_again(world: World) -> None:
    certificate = SealCertificate.read(world.seal.der)
    with pytest.raises(EdocError, match="SIGNATURE_UNREADABLE"):
        xades.prepare_enveloped(signed_status(world.seal), certificate, certificate.algorithm, NOW)


def test_an_algorithm_that_does_not_fit_the_key_is_refused(world: World) -> None:
    certificate = SealCertificate.read(world.seal.der)
    with pytest.raises(EdocError, match="ALGORITHM_UNFIT"):
        xades.prepare_enveloped(write_status(status_report()), certificate, SignatureAlgorithm.RSA_PKCS1_SHA256, NOW)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_our_own_seal_is_checked_before_use(
    algorithm: SignatureAlgorithm | str, world: World, rsa_world: World
) -> None:
    issued = world.seal if algorithm == "ec" else rsa_world.seal
    certificate = SealCertificate.read(issued.der)
    chosen = algorithm if isinstance(algorithm, SignatureAlgorithm) else certificate.algorithm
    good = sign_digest(issued, chosen, b"\1" * 32)
    verify_own(certificate, chosen, b"\1" * 32, good)
    for bad in (good[:-1] + bytes([good[-1] ^ 1]), good[:-1], b""):
        with pytest.raises(EdocError, match="OWN_SEAL_BROKEN"):
            verify_own(certificate, chosen, b"\1" * 32, bad)
