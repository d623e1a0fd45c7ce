"""CMS signatures: OpenSSL reads what we write, and nothing that was changed passes."""

from __future__ import annotations

import hashlib
import io
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from asn1crypto import cms
from fakes.sealed import NOW, SENDER, World
from fakes.signer import sign_digest

from edoc.errors import EdocError
from edoc.model.identifiers import OrganId
from edoc.model.trust import SignatureAlgorithm
from edoc.model.verdict import Indication, SubIndication
from edoc.signatures import cades
from edoc.signatures.creation import SealCertificate
from edoc.signatures.judgement import Expectation
from edoc.signatures.validation import validate_detached_cms, validate_file, validate_manifest

CONTENT = '{"document_id": "một"}'.encode()
OPENSSL = shutil.which("openssl")


def signed(
    world: World, *, attached: bool, algorithm: SignatureAlgorithm | None = None, content: bytes = CONTENT
) -> bytes:
    certificate = SealCertificate.read(world.seal.der)
    prepared = cades.prepare(
        hashlib.sha256(content).digest(),
        certificate,
        algorithm or certificate.algorithm,
        NOW,
        content=content if attached else None,
        intermediates=world.pki.intermediates,
    )
    return cades.finish(prepared, sign_digest(world.seal, prepared.algorithm, prepared.digest))


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")
@pytest.mark.parametrize("attached", [True, False])
@pytest.mark.parametrize("algorithm", [None, SignatureAlgorithm.RSA_PKCS1_SHA256, SignatureAlgorithm.RSA_PSS_SHA256])
def test_openssl_accepts_what_we_sign(
    attached: bool, algorithm: SignatureAlgorithm | None, world: World, rsa_world: World, tmp_path: Path
) -> None:
    chosen = world if algorithm is None else rsa_world
    (tmp_path / "s.der").write_bytes(signed(chosen, attached=attached, algorithm=algorithm))
    (tmp_path / "ca.pem").write_bytes(chosen.pki.ca_pem)
    (tmp_path / "content").write_bytes(CONTENT)
    command = [str(OPENSSL), "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "s.der"]
    command += ["-CAfile", "ca.pem", "-purpose", "any", "-attime", str(int(NOW.timestamp()))]
    command += [] if attached else ["-content", "content"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout == CONTENT


@pytest.mark.parametrize("algorithm", [None, SignatureAlgorithm.RSA_PKCS1_SHA256, SignatureAlgorithm.RSA_PSS_SHA256])
def test_a_sealed_manifest_passes_and_gives_its_content(
    algorithm: SignatureAlgorithm | None, world: World, rsa_world: World
) -> None:
    chosen = world if algorithm is None else rsa_world
    content, verdict = validate_manifest(
        signed(chosen, attached=True, algorithm=algorithm), chosen.material, lambda _: SENDER
    )
    assert (content, verdict.passed) == (CONTENT, True)
    assert verdict.signatures[0].signing_time == NOW


def test_a_manifest_of_another_organisation_is_refused(world: World) -> None:
    _, verdict = validate_manifest(signed(world, attached=True), world.material, lambda _: OrganId("H1"))
    assert verdict.sub_indication is SubIndication.SIG_CONSTRAINTS_FAILURE


def test_a_manifest_without_a_named_sender_tells_whose_seal_it_is(world: World) -> None:
    _, verdict = validate_manifest(signed(world, attached=True), world.material)
    assert verdict.signatures[0].organisation == SENDER
    _, unpinned = validate_manifest(signed(world, attached=True), world.pinned())
    assert not unpinned.passed


def test_a_detached_signature_is_about_its_content_only(world: World) -> None:
    der = signed(world, attached=False)
    expected = Expectation(organisation=SENDER)
    assert validate_detached_cms(CONTENT, der, world.material, expected).passed
    verdict = validate_detached_cms(CONTENT + b" ", der, world.material, expected)
    assert (verdict.indication, verdict.sub_indication) == (Indication.TOTAL_FAILED, SubIndication.HASH_FAILURE)


def test_a_detached_signature_alone_has_no_data(world: World) -> None:
    verdict = validate_file(io.BytesIO(signed(world, attached=False)), world.material)
    assert verdict.sub_indication is SubIndication.SIGNED_DATA_NOT_FOUND


def test_no_changed_octet_of_content_or_signature_passes(world: World) -> None:
    der = signed(world, attached=True)
    signer = cms.ContentInfo.load(der)["content"]["signer_infos"][0].dump()
    start = der.index(signer)
    draw = random.Random(11)  # noqa: S311 -- which octets are flipped is no secret
    positions = [der.index(CONTENT) + 3, *(draw.randrange(start, len(der)) for _ in range(150))]
    for position in positions:
        flipped = bytearray(der)
        flipped[position] ^= 1 << draw.randrange(8)
        try:
            assert not validate_manifest(bytes(flipped), world.material)[1].passed, position - start
        except EdocError:
            continue


def test_a_pdf_signature_has_no_signing_time(world: World) -> None:
    certificate = SealCertificate.read(world.seal.der)
    prepared = cades.prepare(b"\0" * 32, certificate, certificate.algorithm, NOW, pdf=True)
    der = cades.finish(prepared, sign_digest(world.seal, prepared.algorithm, prepared.digest))
    attributes = cms.ContentInfo.load(der, strict=True)["content"]["signer_infos"][0]["signed_attrs"]
    assert [one["type"].native for one in attributes] == ["content_type", "message_digest", "signing_certificate_v2"]


def test_what_we_write_is_der(world: World) -> None:
    der = signed(world, attached=True)
    parsed = cms.ContentInfo.load(der, strict=True)
    parsed["content"].native  # noqa: B018 -- parse everything before it is written again
    assert parsed.dump(force=True) == der


@pytest.mark.parametrize("junk", [b"", b"0", b"\x30\x80", b"\x30\x03\x02\x01\x01", b"\x30" * 5000])
def test_junk_is_an_error_of_ours(junk: bytes, world: World) -> None:
    with pytest.raises(EdocError, match="SIGNATURE_UNREADABLE"):
        validate_manifest(junk, world.material)
    assert validate_detached_cms(b"", junk, world.material).indication is Indication.TOTAL_FAILED
