"""`edoc submit --wait`: what a job's status file says, and when it has said all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edoc.cli.main import main

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
"""


def recipient(state: str) -> dict[str, object]:
    return {
        "organ_id": "000.00.00.H53",
        "state": state,
        "attempts": 1,
        "error": None,
        "sent_at": None,
        "receipt_at": None,
        "history": [],
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("outbox", "status/by-job", "job"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "edoc.toml").write_text(CONFIG)
    (tmp_path / "job" / "document.json").write_text("{}")
    (tmp_path / "job" / "công văn.pdf").write_bytes(b"%PDF-")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("edoc.cli.submit.secrets.token_hex", lambda size: "ab" * size)
    return tmp_path


@pytest.mark.parametrize(
    ("state", "recipients", "code"),
    [
        ("PACKED", ["DELIVERED", "DELIVERED"], 0),
        ("PACKED", ["DELIVERED", "REFUSED"], 1),
        ("PACKED", ["HELD"], 1),
        ("FAILED", [], 1),
        ("PACKED", ["DELIVERED", "SENT"], 75),
        ("SEALED", [], 75),
    ],
)
def test_waiting_ends_when_every_recipient_has_an_end(
    folder: Path, state: str, recipients: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    status = {
        "document_id": "00000000-0000-4000-8000-000000000001",
        "job": "job-abababab",
        "dms_id": "",
        "code": "7816/UBND-VP",
        "state": state,
        "error": None,
        "notes": [],
        "package_sha256": "",
        "recipients": [recipient(one) for one in recipients],
    }
    (folder / "status/by-job/job-abababab.json").write_text(json.dumps(status))
    assert main(["submit", "job", "--config", "edoc.toml", "--wait", "--wait-seconds", "0.01"]) == code
    assert "job-abababab" in capsys.readouterr().out


def test_a_job_appears_complete_with_its_bytes_and_without_traces(folder: Path) -> None:
    assert main(["submit", "job", "--config", "edoc.toml"]) == 0
    (job,) = (folder / "outbox").iterdir()
    assert {file.name: file.read_bytes() for file in job.iterdir()} == {
        "document.json": b"{}",
        "công văn.pdf": b"%PDF-",
    }
    assert (folder / "job" / "document.json").exists()


def test_an_edxml_file_keeps_its_ending(folder: Path) -> None:
    (folder / "van-ban.edxml").write_bytes(b"<edXML/>")
    assert main(["submit", "van-ban.edxml", "--config", "edoc.toml"]) == 0
    assert [file.name for file in (folder / "outbox").iterdir()] == ["van-ban-abababab.edxml"]


def test_a_symlink_in_a_job_refuses_the_whole_and_leaves_nothing(folder: Path) -> None:
    (folder / "job" / "khoa.pdf").symlink_to("/etc/passwd")
    assert main(["submit", "job", "--config", "edoc.toml"]) == 65
    assert list((folder / "outbox").iterdir()) == []


def test_an_outbox_that_is_not_there_is_told_and_nothing_is_left(folder: Path) -> None:
    (folder / "outbox").rmdir()
    assert main(["submit", "job", "--config", "edoc.toml"]) >= 64
    assert not (folder / "outbox").exists()
