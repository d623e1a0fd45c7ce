"""What the end-to-end tests share: a network of real parts, jobs, and waiting for what the folders show.

Rules: waiting polls real state with a limit and says what it waited for; nothing sleeps in the hope that something
has happened.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pytest
from fakes.sealed import plain_pdf
from lab.documents import Letter
from lab.jobs import Job, JobFile, Urgency, write_job
from lab.offices import Network, Office
from lab.outcome import DELIVERY_FILES, error_of, states, status_of
from lab.softhsm import find_module
from lab.units import COMMUNE, Unit

from edoc.exchange.reports import StatusFile
from edoc.model.state import State

T = TypeVar("T")
Changes = Mapping[str, dict[str, object]]

LIMIT = 30.0

needs_parts = pytest.mark.skipif(
    not Path("/usr/lib/rabbitmq/bin/rabbitmq-server").exists() or find_module() is None,
    reason="RabbitMQ or SoftHSM is not installed",
)


def until(what: str, look: Callable[[], T | None], limit: float = LIMIT) -> T:
    """Return what `look` finds once it is true; fail with `what` when that takes too long."""
    deadline = time.monotonic() + limit
    while not (found := look()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {limit:.0f} s: {what}")
        time.sleep(0.02)
    return found


@contextmanager
def running(
    folder: Path,
    units: tuple[Unit, ...],
    changes: Mapping[str, Changes] | None = None,
    idle: tuple[Unit, ...] = (),
) -> Iterator[Network]:
    """Yield a running network of `units`; those in `idle` have an account at the broker and no processes."""
    network = Network(folder, units)
    try:
        network.prepare()
        for code, sections in (changes or {}).items():
            office = network.offices[code]
            office.configure(network.node, network.trust, administers=office is network.administrator, **sections)
        working = [network.office(unit) for unit in units if unit not in idle]
        for office in working:
            office.start()
        for office in working:
            office.wait_ready()
        yield network
    finally:
        for office in network:
            office.daemon.ask_to_stop()
        for office in network:
            office.stop()
        network.node.kill()  # nobody reads its data again, and its own good order takes five seconds
        network.stop()


@cache
def small_pdf() -> bytes:
    return plain_pdf()


def letter(unit: Unit, number: str = "1") -> Letter:
    return Letter(
        agency=unit.name,
        number=number,
        notation="BC-UBND",
        place=unit.place,
        day=datetime.now(UTC).date(),
        type_name="Báo cáo",
        subject="Kết quả thực hiện nhiệm vụ tháng 11 năm 2026",
        signer=unit.signer,
        position=unit.position,
        to=(),
    )


def job(
    name: str,
    *to: Unit,
    sender: Unit = COMMUNE,
    files: Sequence[JobFile] = (),
    urgency: Urgency = "thường",
    dms_id: str = "",
) -> Job:
    """Return a job with one small PDF, or with `files`."""
    return Job(
        name=name,
        letter=letter(sender),
        recipients=tuple(unit.code for unit in to),
        files=tuple(files) or (JobFile(file="bao-cao.pdf", content=small_pdf()),),
        urgency=urgency,
        dms_id=dms_id,
    )


def table(name: str, *to: Unit, urgency: Urgency = "thường") -> Job:
    """Return a job that needs one signature: its file is no PDF."""
    rows = JobFile(file="so-lieu.csv", content=f"ten,so\n{name},1\n".encode())
    return job(name, *to, files=[rows], urgency=urgency)


def submit(office: Office, *jobs: Job) -> None:
    for one in jobs:
        write_job(office.outbox, one)


def status(office: Office, name: str) -> StatusFile:
    """Return the status file of a job, waiting for it."""
    return until(f"a status file of {name}", lambda: status_of(office, name))


def reached(office: Office, name: str, state: State, limit: float = LIMIT) -> StatusFile:
    """Return the status file once every recipient is in `state`."""

    def look() -> StatusFile | None:
        found = status_of(office, name)
        return found if found and found.recipients and set(states(found).values()) == {state} else None

    return until(f"{name} {state} for all, now {status_of(office, name)}", look, limit)


def refused(office: Office, name: str) -> str:
    """Return the code that a job was refused with, once it is in failed/."""
    return until(f"{name} in failed/", lambda: error_of(office, name)).code


def inbox_of(office: Office) -> set[str]:
    return {path.name for path in office.inbox.iterdir() if not path.name.startswith(".")}


def quarantine_of(office: Office) -> dict[str, str]:
    """Return the fault per folder in quarantine; hidden folders are not finished."""
    folders = [path for path in (office.folder / "quarantine").iterdir() if not path.name.startswith(".")]
    return {path.name: str(json.loads((path / "error.json").read_bytes())["code"]) for path in folders}


def check_delivery(folder: Path, sent: Sequence[JobFile], edxml: bool = False) -> dict[str, Any]:
    """Assert that an inbox folder is complete, and return its document.json."""
    present = {path.name for path in folder.iterdir()}
    described: dict[str, Any] = json.loads((folder / "document.json").read_bytes())
    names = [one["file"] for one in described["attachments"]]
    wanted = DELIVERY_FILES | set(names) | ({"document.edxml"} if edxml else set())
    assert present == wanted
    assert len(names) == len(sent)
    for name in ("verification.json", "evidence.json"):
        json.loads((folder / name).read_bytes())
    for path in folder.iterdir():
        assert path.stat().st_size > 0, path
    return described


def log_of(office: Office) -> list[dict[str, Any]]:
    """Return the daemon's log, line by line, as far as it is JSON."""
    lines = (office.folder / "log" / "daemon.log").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]
