"""The lab's PKI, read with OpenSSL as an outsider."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from lab.pki import AGENCY_POLICY_OID, PERSON_POLICY_OID, Issued, KeyKind, Pki

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki.create(NOW)


def pem_of(crl: bytes) -> bytes:
    return x509.load_der_x509_crl(crl).public_bytes(Encoding.PEM)


def verify(folder: Path, pki: Pki, issued: Issued, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "root.pem").write_bytes(pki.root.pem)
    (folder / "issuing.pem").write_bytes(pki.issuing.pem)
    (folder / "leaf.pem").write_bytes(issued.pem)
    command = ["openssl", "verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "issuing.pem"]
    return subprocess.run(
        [*command, *options, "leaf.pem"], cwd=folder, capture_output=True, text=True, check=False, timeout=20
    )


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_openssl_accepts_the_chain_of_a_seal(tmp_path: Path, pki: Pki, kind: KeyKind) -> None:
    seal = pki.seal("000.00.00.H53", "Ủy ban nhân dân tỉnh Tây Ninh", kind=kind)
    result = verify(tmp_path, pki, seal, "-explicit_policy", "-policy", AGENCY_POLICY_OID)
    assert result.returncode == 0, result.stderr


def test_a_personal_certificate_is_under_another_policy_than_a_seal(tmp_path: Path, pki: Pki) -> None:
    person = pki.person("Nguyễn Văn Thọ", "000.00.00.H53", kind="ec")
    assert verify(tmp_path, pki, person, "-explicit_policy", "-policy", PERSON_POLICY_OID).returncode == 0
    assert verify(tmp_path, pki, person, "-explicit_policy", "-policy", AGENCY_POLICY_OID).returncode != 0


def test_transport_certificates_serve_their_purpose_alone(tmp_path: Path, pki: Pki) -> None:
    server, client = pki.tls_server(), pki.tls_client("H53.31.20")
    assert verify(tmp_path, pki, server, "-purpose", "sslserver", "-verify_ip", "127.0.0.1").returncode == 0
    assert verify(tmp_path, pki, client, "-purpose", "sslclient").returncode == 0
    assert verify(tmp_path, pki, client, "-purpose", "sslserver").returncode != 0


def test_a_revoked_seal_is_on_the_next_crl(tmp_path: Path, pki: Pki) -> None:
    seal = pki.seal("H53.31", "Ủy ban nhân dân huyện Tân Biên", kind="ec")
    before = pki.crl(NOW)
    pki.revoke(seal.certificate, NOW - timedelta(hours=1))
    for crl, expected in ((before, True), (pki.crl(NOW), False)):
        (tmp_path / "crl.pem").write_bytes(pem_of(crl))
        result = verify(tmp_path, pki, seal, "-crl_check", "-CRLfile", "crl.pem")
        assert (result.returncode == 0) is expected, result.stderr


def test_the_issuing_ca_can_be_revoked_by_the_root_alone() -> None:
    pki = Pki.create(NOW)
    pki.revoke(pki.issuing.certificate, NOW)
    assert len(x509.load_der_x509_crl(pki.root_crl(NOW))) == 1
    assert len(x509.load_der_x509_crl(pki.crl(NOW))) == 0


def test_a_seal_names_its_organisation_by_code_and_in_vietnamese(pki: Pki) -> None:
    subject = pki.seal("H53.31.20", "Ủy ban nhân dân xã Tân Lập", kind="ec").certificate.subject
    assert subject.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER)[0].value == "H53.31.20"
    assert subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "Ủy ban nhân dân xã Tân Lập"


def test_validity_is_the_caller_s(pki: Pki) -> None:
    past = NOW.replace(microsecond=0) - timedelta(days=30)
    seal = pki.seal("H53", "Tây Ninh", kind="ec", not_before=past, not_after=past + timedelta(days=1))
    assert seal.certificate.not_valid_before_utc == past
    assert seal.certificate.not_valid_after_utc == past + timedelta(days=1)


def test_two_seals_of_one_organisation_have_two_keys() -> None:
    pki = Pki.create(NOW)
    assert pki.seal("H53", "Tây Ninh").key_pem != pki.seal("H53", "Tây Ninh").key_pem
