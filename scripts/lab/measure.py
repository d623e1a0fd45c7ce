"""What benchmarks share: jobs of a given size, waiting for receipts, memory of a process family.

Rules: figures come from the operating system and the journal, never from the program's own word; waiting reads the
journal read-only, beside the daemon.
Does not print.
"""

from __future__ import annotations

import os
import random
import sqlite3
import statistics
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from lab.documents import Letter, make_scan
from lab.jobs import Job, JobFile, write_job
from lab.offices import Office


def letter_job(letter: Letter, name: str, recipients: tuple[str, ...], pdf: bytes) -> Job:
    """Return a job with one PDF."""
    return Job(name=name, letter=letter, recipients=recipients, files=(JobFile(file="van-ban.pdf", content=pdf),))


def drop(office: Office, jobs: Sequence[Job]) -> float:
    """Write `jobs` into the outbox and return when the first one was there."""
    started = time.monotonic()
    for job in jobs:
        write_job(office.outbox, job)
    return started


def delivered(office: Office) -> int:
    """Return how many transfers of `office` have their verified receipt."""
    journal = office.folder / "state" / "journal.sqlite"
    with sqlite3.connect(f"file:{journal}?mode=ro", uri=True) as connection:
        row = connection.execute(
            "SELECT coalesce(sum(n), 0) FROM tally WHERE kind='transfer' AND state='DELIVERED'"
        ).fetchone()
    return int(row[0])


def wait_delivered(office: Office, wanted: int, limit: float, every: float = 0.05) -> float:
    """Wait until `wanted` transfers have their receipt; return when; raise TimeoutError after `limit` seconds."""
    until = time.monotonic() + limit
    while delivered(office) < wanted:
        if time.monotonic() > until:
            raise TimeoutError(f"{delivered(office)} of {wanted} within {limit} s")
        time.sleep(every)
    return time.monotonic()


def pdf_of(letter: Letter, size: int, seed: int = 1) -> bytes:
    """Return a PDF of about `size` bytes."""
    return make_scan(letter, size, seed)


def octets(size: int) -> bytes:
    """Return `size` bytes that do not compress."""
    return random.Random(size).randbytes(size)  # noqa: S311 -- content of a benchmark file


class Memory:
    """Samples the resident memory of a process and its largest descendant, in bytes, until closed."""

    def __init__(self, pid: int, every: float = 0.02) -> None:
        self.peak_self = 0
        self.peak_child = 0
        self.peak_sum = 0
        self._pid = pid
        self._every = every
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._done.wait(self._every):
            own = _rss(self._pid)
            child = max((_rss(pid) for pid in _descendants(self._pid)), default=0)
            self.peak_self = max(self.peak_self, own)
            self.peak_child = max(self.peak_child, child)
            self.peak_sum = max(self.peak_sum, own + child)

    def close(self) -> None:
        """Stop sampling."""
        self._done.set()
        self._thread.join()


def _rss(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return found
    for child in map(int, children):
        found += [child, *_descendants(child)]
    return found


def quantiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Return median, 95th percentile and maximum."""
    ordered = sorted(values)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], ordered[-1]
