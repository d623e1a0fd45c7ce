"""EU DSS, with its own policy and no code of ours, comes to the same verdict about what we seal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from interop.dss_runner import Dss, Opinion, Trust
from interop.sealed_as_product import (
    Sealer,
    altered,
    letter,
    make_manifest,
    make_package,
    make_status,
    seal_pdf,
    spreadsheet,
    timestamping_authority,
)
from lab.personal import sign_as_person
from lab.pki import Pki

from edoc.model.trust import SignatureAlgorithm

pytestmark = pytest.mark.timeout(600)  # the first build fetches some 50 MB

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SEALED_AT = NOW - timedelta(minutes=10)
CODE, NAME = "H53.31.20", "Ủy ban nhân dân xã Tân Lập"
ENVELOPE, PDF, XLSX = "envelope.xml", "attachments/1.pdf", "attachments/2.xlsx"
ENTRIES = (ENVELOPE, PDF, XLSX)
SEALS = ("rsa", "pss", "ec")
ALGORITHMS = {"rsa": "RSA_SHA256", "pss": "RSA_SSA_PSS_SHA256_MGF1", "ec": "ECDSA_SHA256"}
LAB_WARNINGS = {  # of our lab's certificates, which name no address, since nothing may be fetched
    "The authority info access is not present!",
    "The revocation info access is not present!",
}


@dataclass(frozen=True)
class Said:
    """What DSS says about everything that was put before it."""

    opinions: Mapping[str, tuple[Opinion, ...]]

    def one(self, name: str) -> Opinion:
        """Return the opinion on the only signature of a document."""
        assert len(self.opinions[name]) == 1
        return self.opinions[name][0]


def sealers(pki: Pki) -> dict[str, Sealer]:
    rsa = Sealer(issued=pki.seal(CODE, NAME, kind="rsa"), at=SEALED_AT)
    return {
        "rsa": rsa,
        "pss": replace(rsa, algorithm=SignatureAlgorithm.RSA_PSS_SHA256),
        "ec": Sealer(issued=pki.seal(CODE, NAME, kind="ec"), at=SEALED_AT),
    }


def sealed_by(kind: str, sealer: Sealer) -> dict[str, bytes]:
    """Return one of everything the product seals."""
    pdf = seal_pdf(letter(), sealer)
    package = make_package([("Báo cáo số 07.pdf", pdf), ("Phụ lục 1.xlsx", spreadsheet())], sealer)
    return {
        f"{kind}.asice": package,
        f"{kind}.pdf": pdf,
        f"{kind}.edxml": make_status(sealer),
        f"{kind}.p7m": make_manifest(package, sealer),
    }


def broken_ways(package: bytes, status: bytes) -> dict[str, bytes]:
    """Return copies of good ones with one thing changed."""
    return {
        "flipped-envelope.asice": altered(package, ENVELOPE, b"<edXML:Code", b"<edXML:code"),
        "flipped-pdf.asice": altered(package, PDF, b"/FontBBox", b"/FontBBoy"),
        "extra.asice": altered(package, "attachments/3.txt", b"", b"smuggled"),
        "flipped.edxml": status.replace("Đã đến".encode(), "Đã đếm".encode()),
    }


def others(pki: Pki, stranger: Pki, unlisted: Pki, sealer: Sealer) -> dict[str, bytes]:
    """Return good seals that may not count, a time-stamped one, and a seal beside a person's signature."""
    files = [("a.xlsx", spreadsheet())]
    revoked = pki.seal(CODE, NAME, kind="ec")
    pki.revoke(revoked.certificate, SEALED_AT - timedelta(days=1))
    stamped = replace(sealer, authority=timestamping_authority(pki, SEALED_AT))
    person = sign_as_person(letter(), pki.person("Nguyễn Văn Thọ", CODE), pki, name="Nguyễn Văn Thọ")
    return {
        "revoked.asice": make_package(files, replace(sealer, issued=revoked)),
        "stranger.asice": make_package(files, replace(sealer, issued=stranger.seal(CODE, NAME, kind="ec"))),
        "unlisted.asice": make_package(files, replace(sealer, issued=unlisted.seal(CODE, NAME, kind="ec"))),
        "stamped.asice": make_package(files, stamped),
        "stamped.p7m": make_manifest(b"a package", stamped),
        "both.pdf": seal_pdf(person, sealer),
        "bare.asice": make_package([], sealer),
    }


def write(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


@pytest.fixture(scope="module")
def said(dss: Dss, tmp_path_factory: pytest.TempPathFactory) -> Said:
    """Everything goes to one run, because starting DSS is what takes time."""
    folder = tmp_path_factory.mktemp("sealed")
    pki, stranger, unlisted = Pki.create(NOW), Pki.create(NOW), Pki.create(NOW)
    by = sealers(pki)
    files = {name: content for kind, sealer in by.items() for name, content in sealed_by(kind, sealer).items()}
    files |= broken_ways(files["rsa.asice"], files["rsa.edxml"])
    files |= others(pki, stranger, unlisted, by["ec"])
    since = SEALED_AT - timedelta(hours=1)
    trust = Trust(
        anchors=write(folder, {"root.der": pki.root.der, "unlisted-root.der": unlisted.root.der}),
        intermediates=write(folder, {"ca.der": pki.issuing.der, "unlisted-ca.der": unlisted.issuing.der}),
        crls=write(folder, {"ca.crl": pki.crl(since), "root.crl": pki.root_crl(since)}),
        at=NOW,
    )
    return Said(dss.opinions(trust, write(folder, files)))


def assert_passed(opinion: Opinion, level: str, *expected: str) -> None:
    assert (opinion.indication, opinion.sub_indication, opinion.level) == ("TOTAL_PASSED", "", level), opinion
    assert set(opinion.warnings) <= LAB_WARNINGS | set(expected)
    assert (opinion.errors, opinion.infos) == ((), ())
    assert (opinion.structure_valid, opinion.structure_messages) == (True, ())


def assert_covers_everything(opinion: Opinion, entries: tuple[str, ...]) -> None:
    assert (opinion.container, opinion.mimetype) == ("ASiC-E", "application/vnd.etsi.asic-e+zip")
    assert opinion.content == entries
    assert opinion.scopes == tuple(f"FULL {name}" for name in entries)
    assert opinion.references == (
        *(f"REFERENCE intact {name}" for name in entries),
        "SIGNED_PROPERTIES intact #S1-properties",
    )


@pytest.mark.parametrize("kind", SEALS)
def test_a_package_is_asic_e_with_xades_baseline_b_and_passes(kind: str, said: Said) -> None:
    opinion = said.one(f"{kind}.asice")
    assert_passed(opinion, "XAdES-BASELINE-B")
    assert_covers_everything(opinion, ENTRIES)
    assert (opinion.file, opinion.algorithm) == ("META-INF/signatures001.xml", ALGORITHMS[kind])
    assert (opinion.signed_by, opinion.signed_at) == (NAME, "2026-11-22T08:50:00Z")


@pytest.mark.parametrize("kind", SEALS)
def test_a_sealed_pdf_is_pades_baseline_b_and_passes(kind: str, said: Said) -> None:
    opinion = said.one(f"{kind}.pdf")
    assert_passed(opinion, "PAdES-BASELINE-B")
    assert (opinion.scopes, opinion.algorithm) == (("FULL Full PDF",), ALGORITHMS[kind])
    assert opinion.signed_at == "2026-11-22T08:50:00Z"


@pytest.mark.parametrize("kind", SEALS)
def test_a_status_is_xades_baseline_b_over_the_whole_message_and_passes(kind: str, said: Said) -> None:
    opinion = said.one(f"{kind}.edxml")
    assert_passed(opinion, "XAdES-BASELINE-B")
    assert opinion.scopes == ("FULL Full XML File",)


@pytest.mark.parametrize("kind", SEALS)
def test_a_chunk_manifest_is_cades_baseline_b_and_passes(kind: str, said: Said) -> None:
    opinion = said.one(f"{kind}.p7m")
    assert_passed(opinion, "CAdES-BASELINE-B")


def test_a_package_without_attachments_passes(said: Said) -> None:
    assert_passed(said.one("bare.asice"), "XAdES-BASELINE-B")
    assert_covers_everything(said.one("bare.asice"), (ENVELOPE,))


def test_our_seal_leaves_a_persons_signature_before_it_good(said: Said) -> None:
    person, seal = said.opinions["both.pdf"]
    assert_passed(person, "PAdES-BASELINE-B")
    assert_passed(seal, "PAdES-BASELINE-B")
    assert (person.signed_by, seal.signed_by) == ("Nguyễn Văn Thọ", NAME)


def test_a_time_stamp_makes_baseline_t(said: Said) -> None:
    assert_passed(said.one("stamped.asice"), "XAdES-BASELINE-T")
    assert_passed(said.one("stamped.p7m"), "CAdES-BASELINE-T")


@pytest.mark.parametrize("name", ["flipped-envelope.asice", "flipped-pdf.asice", "flipped.edxml"])
def test_a_changed_octet_fails(name: str, said: Said) -> None:
    opinion = said.one(name)
    assert (opinion.indication, opinion.sub_indication) == ("TOTAL_FAILED", "HASH_FAILURE")


def test_a_smuggled_entry_is_seen(said: Said) -> None:
    """DSS only warns; our own verdict is TOTAL_FAILED (the entries are the signed set, exactly)."""
    opinion = said.one("extra.asice")
    assert "attachments/3.txt" in opinion.content
    assert opinion.scopes == tuple(f"FULL {name}" for name in ENTRIES)
    assert set(opinion.warnings) - LAB_WARNINGS


@pytest.mark.parametrize(
    ("name", "sub_indication"),
    [
        ("revoked.asice", "REVOKED_NO_POE"),
        ("stranger.asice", "NO_CERTIFICATE_CHAIN_FOUND"),
        ("unlisted.asice", "CERTIFICATE_CHAIN_GENERAL_FAILURE"),
    ],
)
def test_a_pass_rests_on_the_anchor_and_the_revocation_list(name: str, sub_indication: str, said: Said) -> None:
    """Without these the passes above would prove nothing about chain and revocation."""
    opinion = said.one(name)
    assert (opinion.indication, opinion.sub_indication) == ("INDETERMINATE", sub_indication)
