"""A package passes when its seal covers it exactly and the seal is the sender's; in no other case."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from fakes.sealed import (
    NOW,
    SENDER,
    World,
    container,
    document_with,
    entries_of,
    make_world,
    package,
    pin,
    plain_pdf,
    seal_entries,
    seal_pdf,
)

from edoc.envelopes import asic
from edoc.envelopes.xml import ASIC
from edoc.errors import EdocError
from edoc.model.identifiers import OrganId
from edoc.model.trust import PinPurpose, SignatureAlgorithm, TrustMaterial
from edoc.model.verdict import CheckResult, Indication, SubIndication, Verdict
from edoc.signatures.validation import validate_file, validate_package
from edoc.signatures.xades import signature_digests

Entries = list[tuple[str, str, bytes]]


def verdict_of(content: bytes, material: TrustMaterial) -> Verdict:
    return validate_package(io.BytesIO(content), material).verdict


def seal_report(content: bytes, material: TrustMaterial) -> tuple[Indication, SubIndication | None]:
    report = verdict_of(content, material).signatures[0]
    return report.indication, report.sub_indication


@pytest.mark.parametrize("algorithm", [None, SignatureAlgorithm.RSA_PKCS1_SHA256, SignatureAlgorithm.RSA_PSS_SHA256])
def test_a_sealed_package_passes(algorithm: SignatureAlgorithm | None, world: World, rsa_world: World) -> None:
    chosen = world if algorithm is None else rsa_world
    facts = validate_package(io.BytesIO(package(chosen.seal, [b"a", b"b"], algorithm=algorithm)), chosen.material)
    assert facts.verdict.passed
    assert facts.entries == ("attachments/1.pdf", "attachments/2.pdf")
    assert facts.document.sender.organ_id == SENDER
    report = facts.verdict.signatures[0]
    assert (report.path, report.format, report.level) == (asic.SIGNATURES, "XAdES", "B-B")
    assert (report.organisation, report.signing_time, report.crypto_intact) == (SENDER, NOW, True)
    assert facts.signature_digests == (report.signature_sha256,)


def test_a_package_with_a_sealed_pdf_reports_both_signatures(world: World) -> None:
    content = package(world.seal, [seal_pdf(plain_pdf(), world.seal)])
    verdict = verdict_of(content, world.material)
    assert [one.path for one in verdict.signatures] == [asic.SIGNATURES, "attachments/1.pdf"]
    assert verdict.passed


def test_a_persons_signature_of_an_unknown_authority_is_indeterminate_and_told_apart(world: World) -> None:
    stranger = make_world()
    person = stranger.pki.person("Nguyễn Văn An", "X1")
    content = package(world.seal, [seal_pdf(plain_pdf(), person)])
    seal, inner = verdict_of(content, world.material).signatures
    assert seal.indication is Indication.TOTAL_PASSED
    assert (inner.path, inner.indication, inner.sub_indication) == (
        "attachments/1.pdf",
        Indication.INDETERMINATE,
        SubIndication.NO_CERTIFICATE_CHAIN_FOUND,
    )
    assert inner.crypto_intact


def signed_positions(name: str, content: bytes) -> range:
    """Return where every octet counts: all of an entry, and SignedInfo of the signature file."""
    if name != asic.SIGNATURES:
        return range(len(content))
    return range(content.index(b"<ds:SignedInfo"), content.index(b"</ds:SignedInfo>"))


def test_no_changed_octet_of_any_part_passes(world: World) -> None:
    files = [seal_pdf(plain_pdf(), world.seal)]
    entries = entries_of(document_with(files), files)
    parts = [*entries, (asic.SIGNATURES, "", seal_entries(entries, world.seal))]
    draw = random.Random(7)  # noqa: S311 -- which octets are flipped is no secret
    for index, (name, kind, content) in enumerate(parts):
        for _ in range(25):
            position = draw.choice(signed_positions(name, content))
            flipped = bytearray(content)
            flipped[position] ^= 1 << draw.randrange(8)
            changed = list(parts)
            changed[index] = (name, kind, bytes(flipped))
            candidate = container(changed[:-1], changed[-1][2])
            try:
                assert not verdict_of(candidate, world.material).passed, (name, position)
            except EdocError:
                continue


def test_what_is_outside_the_signed_markup_may_not_change_what_is_signed(world: World) -> None:
    """White space between elements outside SignedInfo and SignedProperties is not signed, and says nothing."""
    entries = entries_of(document_with([]), [])
    sealed = seal_entries(entries, world.seal).replace(b"<ds:KeyInfo>", b"\n<ds:KeyInfo>")
    assert verdict_of(container(entries, sealed), world.material).passed


def extra(entries: Entries) -> Entries:
    return [*entries, ("attachments/9.pdf", "application/pdf", b"extra")]


def missing(entries: Entries) -> Entries:
    return entries[:-1]


def renamed(entries: Entries) -> Entries:
    return [*entries[:-1], ("attachments/2.pdf", *entries[-1][1:])]


def swapped(entries: Entries) -> Entries:
    return [entries[0], (entries[1][0], entries[1][1], b"other")]


@pytest.mark.parametrize(
    ("change", "indication", "sub"),
    [
        (extra, Indication.TOTAL_FAILED, SubIndication.FORMAT_FAILURE),
        (missing, Indication.INDETERMINATE, SubIndication.SIGNED_DATA_NOT_FOUND),
        (renamed, Indication.TOTAL_FAILED, SubIndication.FORMAT_FAILURE),
        (swapped, Indication.TOTAL_FAILED, SubIndication.HASH_FAILURE),
    ],
)
def test_the_entries_are_the_signed_set_exactly(
    change: Callable[[Entries], Entries], indication: Indication, sub: SubIndication, world: World
) -> None:
    entries = entries_of(document_with([b"one"]), [b"one"])
    content = container(change(entries), seal_entries(entries, world.seal))
    assert seal_report(content, world.material) == (indication, sub)


def test_an_entry_that_is_signed_but_not_in_the_envelope_fails(world: World) -> None:
    entries = extra(entries_of(document_with([b"one"]), [b"one"]))
    content = container(entries, seal_entries(entries, world.seal))
    assert seal_report(content, world.material) == (Indication.TOTAL_FAILED, SubIndication.FORMAT_FAILURE)


def test_a_sealed_file_that_the_envelope_describes_otherwise_fails(world: World) -> None:
    entries = swapped(entries_of(document_with([b"one"]), [b"one"]))
    content = container(entries, seal_entries(entries, world.seal))
    assert seal_report(content, world.material) == (Indication.TOTAL_FAILED, SubIndication.HASH_FAILURE)


def test_a_container_without_a_seal_fails_although_a_pdf_inside_is_sealed(world: World) -> None:
    files = [seal_pdf(plain_pdf(), world.seal)]
    verdict = verdict_of(container(entries_of(document_with(files), files), None), world.material)
    assert (verdict.indication, verdict.sub_indication) == (Indication.TOTAL_FAILED, SubIndication.FORMAT_FAILURE)


def test_a_second_signature_file_must_hold_as_well(world: World) -> None:
    entries = entries_of(document_with([]), [])
    good = seal_entries(entries, world.seal)
    bad = good.replace(b"<ds:SignatureValue", b"<ds:SignatureWert").replace(b"</ds:SignatureV", b"</ds:SignatureW")
    parts = [(name, content) for name, _, content in entries]
    parts += [(asic.MANIFEST, asic.open_manifest([(name, kind) for name, kind, _ in entries]))]
    target = io.BytesIO()
    asic.write_container(target, [*parts, (asic.SIGNATURES, good), ("META-INF/signatures002.xml", bad)])
    assert verdict_of(target.getvalue(), world.material).indication is Indication.TOTAL_FAILED


def test_the_pin_must_be_that_of_the_sender(world: World) -> None:
    content = package(world.seal)
    for pins in ([], [pin(world.seal, OrganId("H1"))], [pin(world.seal, purpose=PinPurpose.PERSON)]):
        report = verdict_of(content, world.pinned(*pins)).signatures[0]
        assert (report.indication, report.sub_indication) == (
            Indication.INDETERMINATE,
            SubIndication.SIG_CONSTRAINTS_FAILURE,
        )
        assert report.crypto_intact


def test_without_a_directory_the_pin_is_skipped_and_the_report_says_so(world: World) -> None:
    verdict = verdict_of(package(world.seal), replace(world.material, pins=None))
    check = next(check for check in verdict.signatures[0].checks if check.id == "pin")
    assert verdict.passed
    assert check.result is CheckResult.SKIPPED


def test_a_pin_counts_as_of_the_signing_time(world: World) -> None:
    sealed_then = package(world.seal, at=NOW - timedelta(hours=5))
    ended = replace(pin(world.seal), not_after=NOW - timedelta(hours=1))
    assert verdict_of(sealed_then, world.pinned(ended)).passed
    assert not verdict_of(package(world.seal, at=NOW), world.pinned(ended)).passed


def test_local_time_that_was_written_as_utc_is_recognised(world: World) -> None:
    report = verdict_of(package(world.seal, at=NOW + timedelta(hours=7)), world.material).signatures[0]
    check = next(check for check in report.checks if check.id == "signing-time")
    assert "local time" in check.detail
    assert report.indication is Indication.TOTAL_PASSED


def test_validate_file_knows_a_package_by_itself(world: World) -> None:
    assert validate_file(io.BytesIO(package(world.seal)), world.material).passed


def test_validate_file_accepts_a_foreign_asic_container_without_an_envelope(world: World) -> None:
    entries = [("note.txt", "text/plain", b"hello")]
    content = container(entries, seal_entries(entries, world.seal))
    assert validate_file(io.BytesIO(content), world.material).passed


@pytest.mark.parametrize("size", [0, 1, 40, 400])
def test_a_cut_off_package_is_a_verdict_not_a_traceback(size: int, world: World) -> None:
    assert not validate_file(io.BytesIO(package(world.seal)[:size]), world.material).passed


def test_a_signature_that_references_its_properties_elsewhere_fails(world: World) -> None:
    """SignedProperties moved out of the signature (wrapping) are not found by Id."""
    entries = entries_of(document_with([]), [])
    sealed = seal_entries(entries, world.seal)
    start, end = sealed.index(b"<xades:SignedProperties"), sealed.index(b"</xades:QualifyingProperties>")
    original = sealed[start:end]
    forged = original.replace(b"text/xml", b"text/xyz")
    wrapped = sealed[:start] + forged + sealed[end:]
    wrapped = wrapped.replace(b"</asic:XAdES", b"<x>" + original + b"</x></asic:XAdES")
    assert seal_report(container(entries, wrapped), world.material)[0] is Indication.TOTAL_FAILED
    inside = sealed[:start] + forged + original + sealed[end:]
    assert seal_report(container(entries, inside), world.material)[0] is Indication.TOTAL_FAILED


def test_a_signature_under_another_root_is_not_accepted(world: World) -> None:
    entries = entries_of(document_with([]), [])
    other = seal_entries(entries, world.seal).replace(ASIC.encode(), b"urn:other")
    assert seal_report(container(entries, other), world.material) == (
        Indication.TOTAL_FAILED,
        SubIndication.FORMAT_FAILURE,
    )
    assert signature_digests(seal_entries(entries, world.seal))
