"""The checks of `edoc check`, one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lab.pki import Pki

from edoc.cli.check_office import folder_checks
from edoc.cli.check_trust import revocation_checks
from edoc.cli.finding import Level
from edoc.cli.render import Output
from edoc.config import Config, load

OUT = Output(lang="vi")
FOLDERS = ("outbox", "inbox", "sent", "failed", "status", "quarantine", "state")

CONFIG = f"""
[office]
code = "H53.31.20"
[broker]
host = "mq"
ca = "ca.pem"
certificate = "client.pem"
key = "client.key"
[token]
module = "module.so"
key_uri = "pkcs11:id=%01"
[trust]
anchors = [{{file = "root.pem", sha256 = "{"ab" * 32}"}}]
directory_signer = {{file = "signer.pem", sha256 = "{"cd" * 32}"}}
[limits]
min_free_bytes = 0
"""


@pytest.fixture
def office(tmp_path: Path) -> Config:
    (tmp_path / "edoc.toml").write_text(CONFIG)
    for name in (*FOLDERS, "trust/crls"):
        (tmp_path / name).mkdir(parents=True)
    return load(tmp_path / "edoc.toml")


def test_good_folders_are_good_and_nothing_is_left_in_them(office: Config) -> None:
    assert {one.level for one in folder_checks(office, OUT)} == {Level.OK}
    assert all(not list((office.folders.root / name).iterdir()) for name in FOLDERS)


def test_a_missing_folder_fails_with_the_command_that_makes_it_and_its_renames_are_skipped(office: Config) -> None:
    office.folders.outbox.rmdir()
    found = {one.id: one for one in folder_checks(office, OUT) if one.level is not Level.OK}
    assert found["folder"].level is Level.FAIL
    assert found["folder"].next_step.startswith(f"mkdir -p {office.folders.outbox}")
    assert found["outbox-claim"].level is Level.SKIP
    assert "inbox-take" not in found


def test_a_file_in_a_folders_place_fails(office: Config) -> None:
    office.folders.inbox.rmdir()
    office.folders.inbox.write_text("")
    assert [one.level for one in folder_checks(office, OUT)].count(Level.FAIL) == 1


def test_too_little_space_fails(office: Config, tmp_path: Path) -> None:
    (tmp_path / "edoc.toml").write_text(CONFIG.replace("min_free_bytes = 0", f"min_free_bytes = {2**60}"))
    found = folder_checks(load(tmp_path / "edoc.toml"), OUT)
    assert [one.id for one in found if one.level is Level.FAIL] == ["space"]
    assert office.folders.state.is_dir()


def test_revocation_lists_missing_old_broken_and_good_are_told_apart(office: Config) -> None:
    now = datetime.now(UTC)
    pki = Pki.create(now - timedelta(days=400))
    assert [one.level for one in revocation_checks(office, OUT)] == [Level.WARN]
    (office.trust.crls / "good.crl").write_bytes(pki.crl(now))
    assert [one.level for one in revocation_checks(office, OUT)] == [Level.OK]
    (office.trust.crls / "old.crl").write_bytes(pki.root_crl(now - timedelta(days=30)))
    assert [one.level for one in revocation_checks(office, OUT)] == [Level.WARN, Level.OK]
    (office.trust.crls / "a.crl").write_bytes(b"\x30\x03\x02\x01\x01")
    assert [one.level for one in revocation_checks(office, OUT)] == [Level.FAIL, Level.WARN, Level.OK]
