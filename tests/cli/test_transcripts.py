"""The command line, as sessions: every file tests/cli/*.txt is one.

A session runs in an office's folder (below: what is in it).  A line `$ edoc …` is a command; the lines after it are
what it says, standard error after ``2> ``, and ``[exit N]`` is its exit code (0 when absent).  ``[..]`` stands for any
text within a line, a line ``...`` for any lines.  `$ cat`, `$ ls` and `$ export` are understood too.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from fakes.clock import START
from fakes.records import document_id, record
from lab.pki import Pki
from lab.trust import Authority, sign_digest
from lab.units import UNITS

from edoc.adapters.journal_sqlite import SqliteJournal
from edoc.cli.main import main
from edoc.errors import EdocError
from edoc.errors.broker import BROKER_UNREACHABLE
from edoc.model.identifiers import OrganId
from edoc.model.record import Change, Key, Move, SubmissionBody, TransferBody
from edoc.model.state import Kind, State
from edoc.signatures import cades
from edoc.signatures.creation import SealCertificate
from edoc.wiring import JOURNAL

SESSIONS = sorted(Path(__file__).parent.glob("*.txt"))
NOW = datetime.now(UTC)

CONFIG = """\
[office]
code = "H53.31.20"
[broker]
host = "127.0.0.1"
port = 1
ca = "trust/root.pem"
certificate = "tls/client.pem"
key = "tls/client.key"
[token]
module = "/usr/lib/x86_64-linux-gnu/libbit4xpki.so"
key_uri = "pkcs11:id=%01"
socket = "/run/edoc-khong-co/signer.sock"
[trust]
anchors = [{{file = "trust/root.pem", sha256 = "{root}"}}]
intermediates = ["trust/issuing.pem"]
directory_signer = {{file = "trust/directory-signer.pem", sha256 = "{signer}"}}
[limits]
min_free_bytes = 1
"""


@cache
def authority() -> Authority:
    """Return the demo PKI with a seal per office; made once, because RSA keys take their time."""
    return Authority(Pki.create(NOW - timedelta(days=30)), UNITS)


def sealed(content: bytes, code: str) -> bytes:
    """Return a CMS signature with its content, by the seal of `code`."""
    seal = authority().seals[code]
    certificate = SealCertificate.read(seal.der)
    digest = hashlib.sha256(content).digest()
    prepared = cades.prepare(digest, certificate, certificate.algorithm, NOW, content=content)
    return cades.finish(prepared, sign_digest(seal, prepared.digest))


async def fill_journal(folder: Path) -> None:
    """Write a journal with one document to three recipients, and one that came in."""
    submission = record(1, Kind.SUBMISSION)
    body = SubmissionBody(job="cong-van-7816", dms_id="VB-2026-7816", code="7816/UBND-VP", recipients=(OrganId("H53"),))
    submission = replace(submission, body=body)
    steps = [Change(adds=(submission,))]
    for was, now in ((State.ACCEPTED, State.SEALED), (State.SEALED, State.PACKED)):
        submission = replace(submission, state=now)
        steps.append(Change(moves=(Move(record=submission, was=was),)))
    fault = EdocError(BROKER_UNREACHABLE, address="mq.tayninh.example.vn:5671").report()
    for peer, state in (("000.00.00.G22", State.QUEUED), ("000.00.00.H53", State.SENT), ("H53.31", State.HELD)):
        one = record(1, Kind.TRANSFER)
        one = replace(one, key=Key(Kind.TRANSFER, document_id(1), peer))
        steps.append(Change(adds=(one,)))
        if state is not State.QUEUED:
            told = TransferBody(sent_at=START if state is State.SENT else None)
            held = fault if state is State.HELD else None
            steps.append(
                Change(moves=(Move(record=replace(one, state=state, body=told, fault=held), was=State.QUEUED),))
            )
    steps.append(Change(adds=(record(2, Kind.RECEPTION),)))
    journal = await SqliteJournal(folder / "state" / JOURNAL).open()
    for step in steps:
        await journal.commit(step)
    await journal.close(clean=True)


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the folder of UBND xã Tân Lập: configuration, trust, spool folders, a job, signed files."""
    folder = tmp_path
    for name in ("outbox", "inbox", "sent", "failed", "status/by-job", "quarantine", "state", "job", "trust/crls"):
        (folder / name).mkdir(parents=True)
    authority().version = 0  # every office starts with the first edition
    trust = authority().trust(UNITS, NOW)
    for name, content in trust.files.items():
        (folder / "trust" / name).write_bytes(content)
    (folder / "edoc.toml").write_text(CONFIG.format(root=trust.root_sha256, signer=trust.directory_signer_sha256))
    (folder / "broken.toml").write_text("[office]\ncode = 5\n")
    (folder / "job" / "document.json").write_text("{}")
    (folder / "job" / "cong-van.pdf").write_bytes(b"%PDF-1.7")
    good = sealed("Quyết định".encode(), "H53.31.20")
    (folder / "quyet-dinh.p7m").write_bytes(good)
    (folder / "bi-sua.p7m").write_bytes(good.replace("Quyết định".encode(), "Quyết địnH".encode()))
    (folder / "khong-ky.xml").write_text("<vanban/>")
    (folder / "rac.bin").write_bytes(b"\x00\x01\x02")
    monkeypatch.chdir(folder)
    for name in ("LC_MESSAGES", "LANG", "EDOC_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    asyncio.run(fill_journal(folder))
    return folder


@dataclass
class Step:
    """One command of a session and what it is to say."""

    line: int
    command: list[str]
    said: list[str] = field(default_factory=list)
    code: int = 0


def steps_of(session: Path) -> Iterator[Step]:
    step: Step | None = None
    for number, line in enumerate(session.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("$ "):
            if step is not None:
                yield step
            step = Step(number, shlex.split(line[2:]))
        elif step is None or line.startswith("# "):
            continue
        elif found := re.fullmatch(r"\[exit (\d+)\]", line):
            step.code = int(found[1])
        elif line:
            step.said.append(line)
    if step is not None:
        yield step


def matches(said: str, wanted: list[str]) -> bool:
    pattern = "".join(
        r"(?:.*\n)*?" if line == "..." else ".*".join(re.escape(part) for part in line.split("[..]")) + r"\n"
        for line in wanted
    )
    return re.fullmatch(pattern, said) is not None


def run(step: Step, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[str, int]:
    match step.command:
        case ["edoc", *arguments]:
            code = main(arguments)
            captured = capsys.readouterr()
            return captured.out + "".join(f"2> {line}\n" for line in captured.err.splitlines()), code
        case ["ls", folder]:
            return "".join(f"{path.name}\n" for path in sorted(Path(folder).iterdir())), 0
        case ["export", assignment]:
            monkeypatch.setenv(*assignment.split("=", 1))
            return "", 0
    raise ValueError(f"line {step.line}: {step.command[0]} is not understood in a session")


@pytest.mark.parametrize("session", SESSIONS, ids=[path.stem for path in SESSIONS])
def test_a_session_reads_as_it_was_written(
    session: Path, office: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in steps_of(session):
        said, code = run(step, capsys, monkeypatch)
        said = "".join(f"{line}\n" for line in said.replace(str(office), "/office").splitlines() if line)
        what = f"{session.name}:{step.line}: {shlex.join(step.command)} said, with exit {code}:\n{said}"
        assert code == step.code, what
        assert matches(said, step.said), what
