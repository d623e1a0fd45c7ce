"""Certificates in files, trusted by fingerprint."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from lab.pki import Pki

from edoc.adapters.trust_files import read_anchors, read_intermediates, read_pinned_certificate
from edoc.errors import EdocError
from edoc.model.identifiers import Sha256


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki.create(datetime(2026, 11, 22, tzinfo=UTC))


def test_an_anchor_is_read_from_pem_and_der_by_the_fingerprint_of_its_der(pki: Pki, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes(pki.root.pem)
    (tmp_path / "root.der").write_bytes(pki.root.der)
    pinned = [(tmp_path / name, Sha256(pki.root.sha256)) for name in ("root.pem", "root.der")]
    assert read_anchors(pinned) == (pki.root.der, pki.root.der)


def test_another_certificate_than_the_one_pinned_is_refused(pki: Pki, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes(pki.issuing.pem)
    with pytest.raises(EdocError) as caught:
        read_pinned_certificate(tmp_path / "root.pem", Sha256(pki.root.sha256))
    assert caught.value.code == "ANCHOR_MISMATCH"
    assert pki.root.sha256 in caught.value.text("vi")


def test_a_file_with_two_certificates_is_no_anchor_but_a_file_of_intermediates(pki: Pki, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(pki.root.pem + pki.issuing.pem)
    assert read_intermediates([both]) == (pki.root.der, pki.issuing.der)
    with pytest.raises(EdocError) as caught:
        read_pinned_certificate(both, Sha256(pki.root.sha256))
    assert caught.value.code == "CERTIFICATE_UNREADABLE"


@pytest.mark.parametrize(
    "content", [None, b"", b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_is_told_with_its_path(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "root.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EdocError) as caught:
        read_intermediates([path])
    assert caught.value.code == "CERTIFICATE_UNREADABLE"
    assert str(path) in caught.value.text("en")
