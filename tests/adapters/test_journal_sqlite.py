"""The journal on SQLite: what the contract does not say."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes.clock import START
from fakes.kills import Step, killed_at
from fakes.records import document_id, event, record

from edoc.adapters import journal_moves, journal_reads, journal_schema
from edoc.adapters.journal_schema import VERSION
from edoc.adapters.journal_sqlite import SqliteJournal
from edoc.errors import EdocError
from edoc.model.document import Lane
from edoc.model.record import Change, Move, moved
from edoc.model.state import Kind, State

ALL = frozenset(Kind)


@asynccontextmanager
async def opened(
    folder: Path, *, readonly: bool = False, shared: bool = False, clean: bool = True
) -> AsyncIterator[SqliteJournal]:
    journal = await SqliteJournal(folder / "journal.sqlite", busy=0.2).open(readonly=readonly, shared=shared)
    try:
        yield journal
    finally:
        await journal.close(clean=clean)


async def refused(work: object, code: str) -> EdocError:
    with pytest.raises(EdocError) as caught:
        await work  # type: ignore[misc]  # any coroutine will do
    assert caught.value.code == code
    return caught.value


# --- Several at once -------------------------------------------------------------------------------------------------


async def test_a_second_daemon_on_the_same_journal_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as first:
        await refused(SqliteJournal(tmp_path / "journal.sqlite").open(), "JOURNAL_LOCKED")
        await first.commit(Change(adds=(record(),)))
    async with opened(tmp_path) as again:
        assert await again.get(record().key) == record()


async def test_a_reader_sees_every_commit_beside_the_daemon_and_changes_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as daemon, opened(tmp_path, readonly=True) as reader:
        assert await reader.counts() == []
        for number in range(1, 4):
            await daemon.commit(Change(adds=(record(number),)))
            assert await reader.counts() == [(Kind.TRANSFER, State.QUEUED, number)]
        await refused(reader.commit(Change(adds=(record(9),))), "JOURNAL_CLOSED")
        await refused(reader.claim(ALL, Lane.NORMAL, START, 1), "JOURNAL_CLOSED")


async def test_a_reader_works_without_a_daemon(tmp_path: Path) -> None:
    async with opened(tmp_path) as daemon:
        await daemon.commit(Change(adds=(record(),)))
    async with opened(tmp_path, readonly=True) as reader:
        assert await reader.get(record().key) == record()


async def test_reading_does_not_wait_for_the_writer(tmp_path: Path) -> None:
    async with opened(tmp_path) as daemon:
        await daemon.commit(Change(adds=(record(),)))
        with closing(sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert await daemon.get(record().key) == record()
            error = await refused(daemon.commit(Change(adds=(record(2),))), "JOURNAL_BUSY")
            assert "locked" in error.cause
            other.execute("ROLLBACK")
        await daemon.commit(Change(adds=(record(2),)))


async def test_an_operator_commits_beside_the_daemon(tmp_path: Path) -> None:
    async with opened(tmp_path) as daemon, opened(tmp_path, shared=True) as operator:
        await daemon.commit(Change(adds=(record(),)))
        await daemon.claim(ALL, Lane.NORMAL, START, 1)
        await operator.commit(Change(moves=(moved(record(), State.HELD, at=START),)))
        await refused(daemon.commit(Change(moves=(moved(record(), State.SENT, at=START),))), "STATE_CONFLICT")


async def test_an_operators_retry_does_not_start_a_second_time_what_is_in_work(tmp_path: Path) -> None:
    async with opened(tmp_path) as daemon, opened(tmp_path, shared=True) as operator:
        await daemon.commit(Change(adds=(record(),)))
        await daemon.claim(ALL, Lane.NORMAL, START, 1)
        await operator.commit(Change(moves=(Move(record=record(), was=State.QUEUED),)))
        assert await daemon.claim(ALL, Lane.NORMAL, START, 1) == []


async def test_an_operator_leaves_the_marks_of_the_daemon(tmp_path: Path) -> None:
    async with opened(tmp_path, clean=False) as daemon:
        await daemon.commit(Change(adds=(record(),)))
        await daemon.claim(ALL, Lane.NORMAL, START, 1)
    async with opened(tmp_path, shared=True) as operator:
        assert await operator.suspects() == 0
    async with opened(tmp_path) as daemon:
        assert await daemon.suspects() == 1


@pytest.mark.parametrize("how", ["readonly", "shared"])
async def test_without_a_journal_there_is_nothing_to_open(tmp_path: Path, how: str) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    await refused(journal.open(readonly=how == "readonly", shared=how == "shared"), "JOURNAL_MISSING")
    assert os.listdir(tmp_path) == []  # noqa: PTH208 -- a test may block


# --- Schema ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["daemon", "readonly", "shared"])
async def test_a_journal_from_the_future_is_refused(tmp_path: Path, how: str) -> None:
    async with opened(tmp_path):
        pass
    _set_version(tmp_path, VERSION + 1)
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    await refused(journal.open(readonly=how == "readonly", shared=how == "shared"), "JOURNAL_NEWER")


async def test_only_the_daemon_brings_a_journal_forward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(tmp_path) as daemon:
        await daemon.commit(Change(adds=(record(),)))
    monkeypatch.setattr(journal_schema, "MIGRATIONS", (*journal_schema.MIGRATIONS, "CREATE TABLE later (n INTEGER);"))
    monkeypatch.setattr(journal_schema, "VERSION", VERSION + 1)
    await refused(SqliteJournal(tmp_path / "journal.sqlite").open(shared=True), "JOURNAL_OLDER")
    async with opened(tmp_path) as daemon:
        assert await daemon.get(record().key) == record()
    async with opened(tmp_path, shared=True):
        pass


async def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"not a database at all" * 100)
    await refused(SqliteJournal(tmp_path / "journal.sqlite").open(), "JOURNAL_DAMAGED")
    await refused(SqliteJournal(tmp_path / "journal.sqlite").open(), "JOURNAL_DAMAGED")


@pytest.mark.parametrize(
    "statement", ["UPDATE evidence SET body = x'00'", "DELETE FROM evidence", "DELETE FROM record"]
)
async def test_evidence_and_records_cannot_be_removed(tmp_path: Path, statement: str) -> None:
    async with opened(tmp_path) as journal:
        await journal.commit(Change(adds=(record(),), evidence=(event(),)))
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as other, pytest.raises(sqlite3.IntegrityError):
        other.execute(statement)


async def test_the_journal_syncs_fully_and_writes_ahead(tmp_path: Path) -> None:
    with closing(journal_schema.connect(tmp_path / "journal.sqlite", readonly=False, busy=1)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


async def test_the_highest_directory_version_never_goes_down(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        assert await journal.directory_version() == 0
        await journal.saw_directory(7)
        await journal.saw_directory(3)
    async with opened(tmp_path) as journal:
        assert await journal.directory_version() == 7


def _set_version(folder: Path, version: int) -> None:
    with closing(sqlite3.connect(folder / "journal.sqlite")) as other:
        other.execute(f"PRAGMA user_version = {version}")


# --- The group -------------------------------------------------------------------------------------------------------


async def test_of_commits_that_wait_together_each_gets_its_own_answer(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        changes = [Change(adds=(record(number),)) for number in (1, 2, 1, 3)]
        changes.insert(2, Change(adds=(record(4), record(2)), evidence=(event(4),)))
        results = await asyncio.gather(*(journal.commit(change) for change in changes), return_exceptions=True)
        assert [getattr(result, "code", None) for result in results] == [
            None,
            None,
            "STATE_CONFLICT",
            "STATE_CONFLICT",
            None,
        ]
        assert await journal.counts() == [(Kind.TRANSFER, State.QUEUED, 3)]
        assert await journal.evidence(document_id(4)) == []


async def test_a_claim_whose_caller_is_gone_is_given_back(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await journal.commit(Change(adds=(record(1), record(2))))
        claiming = asyncio.create_task(journal.claim(ALL, Lane.NORMAL, START, 9))
        await asyncio.sleep(0)
        claiming.cancel()
        await asyncio.gather(claiming, return_exceptions=True)
        taken: list[object] = []
        while not taken:  # until the writer has heard of it
            taken = list(await journal.claim(ALL, Lane.NORMAL, START, 9))
        assert taken == [record(1), record(2)]


async def test_a_full_disk_fails_the_commit_and_leaves_the_journal_whole(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await journal.commit(Change(adds=(record(1),)))
        writer = journal._connections[0]
        pages = writer.execute("PRAGMA page_count").fetchone()[0]
        writer.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own way to run full
        many = Change(adds=tuple(record(number) for number in range(2, 500)))
        await refused(journal.commit(many), "DISK_FULL")
        writer.execute("PRAGMA max_page_count = 1000000")
        assert await journal.counts() == [(Kind.TRANSFER, State.QUEUED, 1)]
        await journal.commit(many)
        assert await journal.counts() == [(Kind.TRANSFER, State.QUEUED, 499)]


async def test_after_a_failed_fsync_nothing_is_written_any_more(tmp_path: Path) -> None:
    async with opened(tmp_path, clean=False) as journal:
        assert journal._writer is not None
        journal._writer._connection = _Failing(journal._connections[0])  # type: ignore[assignment]  # stands in for a disk
        await refused(journal.commit(Change(adds=(record(1),))), "DISK_FAILING")
        journal._writer._connection = journal._connections[0]
        await refused(journal.commit(Change(adds=(record(2),))), "DISK_FAILING")
        assert await journal.counts() == []


class _Failing:
    """A connection whose COMMIT meets an I/O error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        if statement == "COMMIT":
            error = sqlite3.OperationalError(os.strerror(errno.EIO))
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
            raise error
        return self._connection.execute(statement, *values)

    def executemany(self, statement: str, rows: list[tuple[object, ...]]) -> sqlite3.Cursor:
        return self._connection.executemany(statement, rows)


# --- Kills -----------------------------------------------------------------------------------------------------------


def test_what_was_committed_before_a_kill_is_there_and_what_was_in_work_is_suspect(tmp_path: Path) -> None:
    async def daemon(step: Step) -> None:
        journal = await SqliteJournal(tmp_path / "journal.sqlite").open()
        await journal.commit(Change(adds=(record(1), record(2)), evidence=(event(1),)))
        await journal.claim(ALL, Lane.NORMAL, START, 1)
        step("in work")

    async def next_run() -> None:
        async with opened(tmp_path) as journal:
            assert await journal.suspects() == 1
            assert await journal.evidence(document_id(1)) == [event(1)]
            assert await journal.claim(ALL, Lane.NORMAL, START, 9) == [record(2)]
            assert await journal.claim(ALL, Lane.NORMAL, START, 9, alone=True) == [record(1)]

    assert killed_at(1, daemon)
    asyncio.run(next_run())


def test_a_start_alone_is_counted_before_the_work_begins(tmp_path: Path) -> None:
    async def daemon(step: Step) -> None:
        journal = await SqliteJournal(tmp_path / "journal.sqlite").open()
        if await journal.get(record(1).key) is None:
            await journal.commit(Change(adds=(record(1),)))
            await journal.claim(ALL, Lane.NORMAL, START, 1)
        else:
            await journal.claim(ALL, Lane.NORMAL, START, 1, alone=True)
        step("in work")

    async def next_run() -> None:
        async with opened(tmp_path) as journal:
            (parked,) = await journal.parked()
            assert parked.fault is not None
            assert (parked.fault.code, parked.fault.facts["starts"]) == ("POISON", "3")

    for _ in range(4):
        assert killed_at(1, daemon)
    asyncio.run(next_run())


# --- Size ------------------------------------------------------------------------------------------------------------


async def test_the_queue_reads_only_what_is_in_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await journal.commit(Change(adds=(record(1),)))
        for statement in (
            journal_moves._PROMOTE,
            journal_moves._READY,
            journal_moves._RUNS_ALONE,
            *journal_reads._NEXT_DUE,
            journal_reads._NEWEST,
        ):
            plan = (
                journal._connections[1]
                .execute(f"EXPLAIN QUERY PLAN {statement}", [1] * statement.count("?"))
                .fetchall()
            )
            assert all("SEARCH record USING" in row[3] for row in plan), plan
            assert not any("TEMP B-TREE" in row[3] for row in plan), plan


async def test_a_record_keeps_microseconds_and_words(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        fine = replace(record(1, Kind.SUBMISSION), created=START + timedelta(microseconds=123_457))
        await journal.commit(Change(adds=(fine,)))
        assert await journal.get(fine.key) == fine
