"""Time-stamps are taken from OpenSSL's authority, bound to the signature, and move the instant of validation."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from fakes.sealed import World, container, document_with, entries_of, make_world, pin, seal_entries
from fakes.signer import sign_digest
from lab.pki import Issued

from edoc.errors import EdocError
from edoc.model.verdict import SignatureReport, SubIndication
from edoc.signatures import cades
from edoc.signatures.creation import SealCertificate
from edoc.signatures.timestamp import read_response, read_token, request
from edoc.signatures.validation import validate_manifest, validate_package
from edoc.signatures.xades import add_timestamp, timestamp_digest

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")

CONFIG = """
[tsa]
default_tsa = here
[here]
serial = serial
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
ess_cert_id_alg = sha256
ordering = no
tsa_name = no
ess_cert_id_chain = no
"""


@dataclass(frozen=True)
class Authority:
    """OpenSSL's time-stamping authority; its clock is the machine's."""

    folder: Path

    def answer(self, query: bytes) -> bytes:
        (self.folder / "query").write_bytes(query)
        command = [str(OPENSSL), "ts", "-reply", "-config", "tsa.cnf", "-section", "here", "-queryfile", "query"]
        command += ["-signer", "tsa.pem", "-inkey", "tsa.key", "-out", "answer"]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
        return (self.folder / "answer").read_bytes()

    def token(self, digest: bytes) -> bytes:
        return read_response(self.answer(request(digest, 77)), digest, 77)


def issue_authority(world: World, purpose: x509.ObjectIdentifier) -> Issued:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TSA")]))
        .issuer_name(world.pki.issuing.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=900))
        .not_valid_after(now + timedelta(days=900))
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
        .sign(world.pki.issuing.key, hashes.SHA256())
    )
    return Issued(certificate, key)


@pytest.fixture(scope="module")
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def stamped_world(now: datetime) -> World:
    """A world whose instant is the machine's, because OpenSSL reads that clock."""
    world = make_world()
    crls = (world.pki.crl(now - timedelta(hours=1)), world.pki.root_crl(now - timedelta(hours=1)))
    seal = world.pki.seal("H53.31.20", "Xã", kind="ec", not_before=now - timedelta(days=3))
    pinned = replace(pin(seal), not_before=now - timedelta(days=3))
    return World(pki=world.pki, seal=seal, material=replace(world.material, at=now, crls=crls, pins=(pinned,)))


@pytest.fixture(scope="module")
def authority(stamped_world: World, tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("tsa")
    issued = issue_authority(stamped_world, ExtendedKeyUsageOID.TIME_STAMPING)
    (folder / "tsa.cnf").write_text(CONFIG)
    (folder / "tsa.pem").write_bytes(issued.pem)
    (folder / "tsa.key").write_bytes(issued.key_pem)
    (folder / "serial").write_text("01\n")
    return Authority(folder)


def stamped_package(world: World, authority: Authority, at: datetime) -> bytes:
    entries = entries_of(document_with([]), [])
    sealed = seal_entries(entries, world.seal, at=at)
    return container(entries, add_timestamp(sealed, authority.token(timestamp_digest(sealed))))


def report_of(content: bytes, world: World) -> SignatureReport:
    return validate_package(io.BytesIO(content), world.material).verdict.signatures[0]


def test_openssl_reads_our_request(tmp_path: Path) -> None:
    (tmp_path / "query").write_bytes(request(b"\x11" * 32, 2**63))
    run = subprocess.run(
        [str(OPENSSL), "ts", "-query", "-in", "query", "-text"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Hash Algorithm: sha256" in run.stdout
    assert "Nonce: 0x8000000000000000" in run.stdout


def test_a_time_stamped_package_is_b_t(stamped_world: World, authority: Authority, now: datetime) -> None:
    report = report_of(stamped_package(stamped_world, authority, now), stamped_world)
    assert (report.level, report.sub_indication) == ("B-T", None)
    assert any(check.id == "timestamp" and "existed" in check.detail for check in report.checks)


def test_a_time_stamp_keeps_a_seal_good_that_was_revoked_later(
    stamped_world: World, authority: Authority, now: datetime
) -> None:
    content = stamped_package(stamped_world, authority, now)
    bare = container(entries := entries_of(document_with([]), []), seal_entries(entries, stamped_world.seal, at=now))
    stamped_world.pki.revoke(stamped_world.seal.certificate, now + timedelta(hours=1))
    later = now + timedelta(days=1)
    crls = (stamped_world.pki.crl(later), stamped_world.pki.root_crl(later))
    after = replace(stamped_world, material=replace(stamped_world.material, at=later, crls=crls))
    assert report_of(bare, after).sub_indication is SubIndication.REVOKED_NO_POE
    assert report_of(content, after).sub_indication is None


def test_a_token_over_something_else_is_not_added(stamped_world: World, authority: Authority) -> None:
    sealed = seal_entries(entries_of(document_with([]), []), stamped_world.seal)
    with pytest.raises(EdocError, match="TIMESTAMP_MISMATCH"):
        add_timestamp(sealed, authority.token(b"\x22" * 32))


def test_a_signature_is_stamped_once(stamped_world: World, authority: Authority) -> None:
    sealed = seal_entries(entries_of(document_with([]), []), stamped_world.seal)
    token = authority.token(timestamp_digest(sealed))
    with pytest.raises(EdocError, match="TIMESTAMP_MISMATCH"):
        add_timestamp(add_timestamp(sealed, token), token)


def test_a_response_to_another_question_is_refused(authority: Authority) -> None:
    answer = authority.answer(request(b"\x33" * 32, 5))
    assert read_token(read_response(answer, b"\x33" * 32, 5)).digest == b"\x33" * 32
    for digest, nonce in ((b"\x44" * 32, 5), (b"\x33" * 32, 6)):
        with pytest.raises(EdocError, match="TIMESTAMP_REFUSED"):
            read_response(answer, digest, nonce)
    for junk in (b"", b"junk", b"\x30\x05\x30\x03\x02\x01\x02"):
        with pytest.raises(EdocError, match="TIMESTAMP_REFUSED"):
            read_response(junk, b"\x33" * 32, 5)


def test_an_authority_that_is_none_proves_nothing(
    stamped_world: World, now: datetime, tmp_path: Path, authority: Authority
) -> None:
    for name in ("tsa.cnf", "serial"):
        shutil.copy(authority.folder / name, tmp_path / name)
    stranger = issue_authority(make_world(), ExtendedKeyUsageOID.TIME_STAMPING)
    (tmp_path / "tsa.pem").write_bytes(stranger.pem)
    (tmp_path / "tsa.key").write_bytes(stranger.key_pem)
    report = report_of(stamped_package(stamped_world, Authority(tmp_path), now), stamped_world)
    assert any(check.id == "timestamp" and "not proven" in check.detail for check in report.checks)


def test_a_cms_signature_with_a_time_stamp_is_b_t(stamped_world: World, authority: Authority, now: datetime) -> None:
    certificate = SealCertificate.read(stamped_world.seal.der)
    prepared = cades.prepare(hashlib.sha256(b"x").digest(), certificate, certificate.algorithm, now, content=b"x")
    value = sign_digest(stamped_world.seal, prepared.algorithm, prepared.digest)
    token = authority.token(hashlib.sha256(cades.signature_value(prepared, value)).digest())
    _, verdict = validate_manifest(cades.with_timestamp(prepared, value, token), stamped_world.material)
    assert verdict.signatures[0].level == "B-T"
    assert any(check.id == "timestamp" and "existed" in check.detail for check in verdict.signatures[0].checks)
