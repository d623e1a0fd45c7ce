"""A sealed PDF: other verifiers accept it, changes and additions are seen."""

from __future__ import annotations

import hashlib
import io
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fakes.sealed import NOW, SENDER, World, plain_pdf, seal_pdf
from fakes.signer import sign_digest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from edoc.envelopes.pdf import prepare_revision
from edoc.envelopes.pdf_signatures import read_signatures
from edoc.errors import EdocError
from edoc.model.trust import SignatureAlgorithm
from edoc.model.verdict import Indication, SubIndication
from edoc.signatures import cades, pades
from edoc.signatures.creation import SealCertificate
from edoc.signatures.validation import validate_file, validate_pdf

PDFSIG = shutil.which("pdfsig")


@pytest.mark.skipif(PDFSIG is None, reason="pdfsig (poppler-utils) is not installed")
@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_pdfsig_accepts_our_seal(kind: str, world: World, rsa_world: World, tmp_path: Path) -> None:
    chosen = world if kind == "ec" else rsa_world
    path = tmp_path / "sealed.pdf"
    path.write_bytes(seal_pdf(plain_pdf(), chosen.seal))
    run = subprocess.run([str(PDFSIG), "-nocert", str(path)], capture_output=True, text=True, check=False)
    assert "Signature is Valid." in run.stdout
    assert "Total document signed" in run.stdout
    assert "ETSI.CAdES.detached" in run.stdout


@pytest.mark.parametrize("algorithm", [None, SignatureAlgorithm.RSA_PKCS1_SHA256, SignatureAlgorithm.RSA_PSS_SHA256])
def test_a_sealed_pdf_passes(algorithm: SignatureAlgorithm | None, world: World, rsa_world: World) -> None:
    chosen = world if algorithm is None else rsa_world
    verdict = validate_pdf(io.BytesIO(seal_pdf(plain_pdf(), chosen.seal, algorithm)), chosen.material)
    report = verdict.signatures[0]
    assert verdict.passed
    assert (report.format, report.level, report.organisation) == ("PAdES", "B-B", SENDER)
    assert report.signing_time == NOW
    assert report.scope == "revision 2 of 2, field edoc-seal-1"


def test_an_unsigned_pdf_has_no_indication(world: World) -> None:
    assert validate_file(io.BytesIO(plain_pdf()), world.material).indication is None


def test_person_and_agency_both_pass(world: World) -> None:
    person = world.pki.person("Nguyễn Văn An", "X1", kind="ec")
    verdict = validate_pdf(io.BytesIO(seal_pdf(seal_pdf(plain_pdf(), person), world.seal)), world.material)
    assert [one.signer for one in verdict.signatures] == ["Nguyễn Văn An", "Ủy ban nhân dân xã Thử Nghiệm"]
    assert verdict.signatures[0].scope.startswith("revision 2 of 3")
    assert verdict.passed


def test_no_changed_octet_passes(world: World) -> None:
    sealed = seal_pdf(plain_pdf(), world.seal)
    signature = read_signatures(io.BytesIO(sealed))[0]
    _, first, second, rest = signature.byte_range
    used = len(signature.contents.rstrip(b"\0"))
    draw = random.Random(3)  # noqa: S311 -- which octets are flipped is no secret
    covered = [draw.randrange(first) for _ in range(60)] + [second + draw.randrange(rest) for _ in range(60)]
    inside = [draw.randrange(first + 1 + 2 * (used - 60), first + 1 + 2 * used) for _ in range(20)]
    for position in covered + inside:
        flipped = bytearray(sealed)
        flipped[position] ^= 1
        assert not validate_file(io.BytesIO(bytes(flipped)), world.material).passed, position


def appended(content: bytes, change: Any) -> bytes:
    writer = IncrementalPdfFileWriter(io.BytesIO(content))
    change(writer)
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def change_the_page(writer: Any) -> None:
    page, _ = writer.find_page_for_modification(0)
    contents = generic.StreamObject(stream_data=b"BT (forged) Tj ET")
    page.get_object()[pdf_name("/Contents")] = writer.add_object(contents)
    writer.mark_update(page)


def test_a_page_that_changes_after_the_seal_is_seen(world: World) -> None:
    changed = appended(seal_pdf(plain_pdf(), world.seal), change_the_page)
    report = validate_pdf(io.BytesIO(changed), world.material).signatures[0]
    assert (report.indication, report.sub_indication) == (Indication.INDETERMINATE, SubIndication.FORMAT_FAILURE)
    assert report.crypto_intact
    assert report.scope.startswith("revision 2 of 3")


def test_octets_after_the_end_are_seen(world: World) -> None:
    sealed = seal_pdf(plain_pdf(), world.seal)
    assert not validate_file(io.BytesIO(sealed + b"%% more\n"), world.material).passed


def test_a_byte_range_that_leaves_out_text_fails(world: World) -> None:
    sealed = seal_pdf(plain_pdf(), world.seal)
    signature = read_signatures(io.BytesIO(sealed))[0]
    start, first, second, rest = signature.byte_range
    old = f"[{start} {first} {second} {rest}]".encode()
    new = f"[{start} {first} {second + 9} {rest - 9}]".encode().ljust(len(old))
    verdict = validate_pdf(io.BytesIO(sealed.replace(old, new[: len(old)])), world.material)
    assert verdict.indication is Indication.TOTAL_FAILED


def test_octets_after_the_signature_inside_its_place_fail(world: World) -> None:
    sealed = bytearray(seal_pdf(plain_pdf(), world.seal))
    _, _, second, _ = read_signatures(io.BytesIO(bytes(sealed)))[0].byte_range
    sealed[second - 3 : second - 1] = b"41"
    report = validate_pdf(io.BytesIO(bytes(sealed)), world.material).signatures[0]
    assert report.sub_indication is SubIndication.FORMAT_FAILURE


def test_a_signature_that_does_not_fit_its_place_is_an_error() -> None:
    assert pades.contents(b"\x01\x02", 6) == b"010200"
    with pytest.raises(EdocError, match="SIGNATURE_TOO_LARGE"):
        pades.contents(b"\x01\x02\x03", 4)


def sealed_as(sub_filter: bytes, world: World) -> bytes:
    """Return a PDF sealed under another SubFilter (of the same length)."""
    target = io.BytesIO()
    source = io.BytesIO(plain_pdf())
    revision = prepare_revision(source, target, certificates=(world.seal.der,), name="", reason="", at=NOW)
    written = target.getvalue().replace(b"/ETSI.CAdES.detached", sub_filter)
    start, end = revision.contents_offset - 1, revision.contents_offset + revision.contents_digits + 1
    certificate = SealCertificate.read(world.seal.der)
    digest = hashlib.sha256(written[:start] + written[end:]).digest()
    prepared = pades.prepare(digest, certificate, certificate.algorithm)
    der = cades.finish(prepared, sign_digest(world.seal, prepared.algorithm, prepared.digest))
    contents = pades.contents(der, revision.contents_digits)
    return written[: start + 1] + contents + written[end - 1 :]


def test_the_older_format_of_pdf_signatures_is_read_and_named(world: World) -> None:
    report = validate_pdf(io.BytesIO(sealed_as(b"/adbe.pkcs7.detached", world)), world.material).signatures[0]
    assert (report.format, report.indication) == ("PKCS#7", Indication.TOTAL_PASSED)


def test_a_format_that_is_not_accepted_fails_by_name(world: World) -> None:
    report = validate_pdf(io.BytesIO(sealed_as(b"/adbe.x509.rsa_sha1 ", world)), world.material).signatures[0]
    assert (report.indication, report.sub_indication) == (Indication.TOTAL_FAILED, SubIndication.FORMAT_FAILURE)
    assert "adbe.x509.rsa_sha1" in report.checks[0].detail
