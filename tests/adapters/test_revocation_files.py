"""Revocation lists from a folder."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import pytest
from contracts.revocation import LISTS, RevocationContract
from fakes.revocation import FakeRevocation

from edoc.adapters.revocation_files import RevocationFiles
from edoc.errors import FaultReport
from edoc.model.record import Key
from edoc.ports import Revocation


class TestRevocationFiles(RevocationContract):
    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    async def with_lists(self, lists: Sequence[bytes]) -> Revocation:
        for number, content in enumerate(lists):
            (self.folder / f"{number}.crl").write_bytes(content)
        return RevocationFiles(self.folder)


class TestFakeRevocation(RevocationContract):
    async def with_lists(self, lists: Sequence[bytes]) -> Revocation:
        return FakeRevocation(lists)


async def test_pem_is_read_as_der_and_other_files_are_left_alone(tmp_path: Path) -> None:
    text = base64.encodebytes(LISTS[0]).decode()
    (tmp_path / "a.crl").write_text(f"-----BEGIN X509 CRL-----\n{text}-----END X509 CRL-----\n")
    (tmp_path / "readme.txt").write_text("not a list")
    assert await RevocationFiles(tmp_path).crls() == (LISTS[0],)


async def test_a_changed_list_a_new_one_and_a_removed_one_are_seen(tmp_path: Path) -> None:
    revocation = RevocationFiles(tmp_path)
    (tmp_path / "a.crl").write_bytes(LISTS[0])
    assert await revocation.crls() == (LISTS[0],)
    new = tmp_path / "new"
    new.write_bytes(LISTS[1])
    new.rename(tmp_path / "a.crl")
    assert await revocation.crls() == (LISTS[1],)
    (tmp_path / "b.crl").write_bytes(LISTS[0])
    assert await revocation.crls() == (LISTS[1], LISTS[0])
    (tmp_path / "a.crl").unlink()
    assert await revocation.crls() == (LISTS[0],)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"\x30\x05\x01",
        LISTS[0] + b"x",
        b"-----BEGIN X509 CRL-----\n***\n-----END X509 CRL-----\n",
        b"-----BEGIN CERTIFICATE-----",
    ],
)
async def test_one_bad_list_is_told_once_and_takes_no_good_one_away(tmp_path: Path, bad: bytes) -> None:
    heard: list[str] = []

    def hear(report: FaultReport, about: Key | None) -> None:
        assert about is None
        heard.append(report.code)

    (tmp_path / "a.crl").write_bytes(bad)
    (tmp_path / "b.crl").write_bytes(LISTS[1])
    revocation = RevocationFiles(tmp_path, alarm=hear)
    assert await revocation.crls() == (LISTS[1],)
    assert await revocation.crls() == (LISTS[1],)
    assert heard == ["CRL_UNREADABLE"]


async def test_a_folder_that_is_not_there_is_an_empty_one(tmp_path: Path) -> None:
    assert await RevocationFiles(tmp_path / "none").crls() == ()
