"""The Journal port on SQLite: the queue and the memory of one office, in one file on a local disk.

Three ways to open it
    the daemon          ``open()``: takes the lock file, migrates, judges what an unclean stop left, claims and commits
    an operator's act   ``open(shared=True)``: commits beside a running daemon (hold, release, retry), takes no lock and
                        touches no mark; a record that the daemon works on stays taken
    a reader            ``open(readonly=True)``: lists and counts, beside a running daemon or without one

Rules: a method that writes returns when its transaction is fsynced; readers have a connection and a thread of their
own and never wait for an fsync; one daemon per journal (a lock on ``<journal>.lock``, released by the kernel when the
process ends, however it ends).

What an unclean stop means stands in :mod:`edoc.adapters.journal_moves`.  A daemon that was told to stop closes clean
once its stages have ended or were cancelled: what they had taken is free again.  ``close(clean=False)`` leaves every
mark as it is, exactly as a kill does.

Does not run on a network file system: WAL needs shared memory.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from edoc.adapters import journal_moves as moves
from edoc.adapters import journal_reads as reads
from edoc.adapters.files import disk_errors, make_folder
from edoc.adapters.journal_group import GroupWriter
from edoc.adapters.journal_schema import connect, journal_errors, migrate, require_version
from edoc.errors import EdocError
from edoc.errors.exchange import JOURNAL_CLOSED, JOURNAL_LOCKED, JOURNAL_MISSING
from edoc.model.document import Lane
from edoc.model.evidence import Evidence
from edoc.model.identifiers import DocumentId, Sha256
from edoc.model.record import Change, Key, Record
from edoc.model.state import Kind, State

T = TypeVar("T")

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_DIRECTORY_VERSION = "directory_version"


class SqliteJournal:
    """A journal in the file `path`; `boot_id` is the machine's unless a test gives another.

    `busy` is how many seconds a write waits for another process's write before it is JOURNAL_BUSY.
    """

    def __init__(self, path: Path, *, boot_id: str | None = None, busy: float = 10.0) -> None:
        self._path = path
        self._boot_id = boot_id
        self._busy = busy
        self._lock = -1
        self._shared = False
        self._connections: list[sqlite3.Connection] = []
        self._writer: GroupWriter | None = None
        self._reader: tuple[ThreadPoolExecutor, sqlite3.Connection] | None = None

    # --- Opening and closing -----------------------------------------------------------------------------------------

    async def open(self, *, readonly: bool = False, shared: bool = False) -> Self:
        """Open the journal as the module's docstring says and return it.

        Raises EdocError JOURNAL_LOCKED, JOURNAL_NEWER, JOURNAL_OLDER, JOURNAL_MISSING, JOURNAL_DAMAGED, FILE_DENIED.
        """
        self._shared = shared
        try:
            with journal_errors(self._path), disk_errors(self._path):
                await asyncio.to_thread(self._open, daemon=not readonly and not shared)
        except EdocError:
            self._release()
            raise
        if not readonly:
            self._writer = GroupWriter(self._connections[0], self._path)
        self._reader = (ThreadPoolExecutor(1, thread_name_prefix="journal-reader"), self._connections[-1])
        return self

    def _open(self, *, daemon: bool) -> None:
        if daemon:
            make_folder(self._path.parent)
            self._take_lock()
            connection = self._connect(readonly=False)
            migrate(connection, self._path)
            boot_id = self._boot_id or _BOOT_ID.read_text(encoding="ascii").strip()
            connection.execute("BEGIN IMMEDIATE")
            moves.begin(connection, boot_id)
            connection.execute("COMMIT")
        elif self._shared:
            if not self._path.exists():
                raise EdocError(JOURNAL_MISSING, journal=self._path)
            require_version(self._connect(readonly=False), self._path)
        require_version(self._connect(readonly=True), self._path)

    def _connect(self, *, readonly: bool) -> sqlite3.Connection:
        connection = connect(self._path, readonly=readonly, busy=self._busy)
        self._connections.append(connection)
        return connection

    def _take_lock(self) -> None:
        lock = self._path.with_name(self._path.name + ".lock")
        self._lock = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise EdocError(JOURNAL_LOCKED, cause=str(error), journal=self._path) from error

    async def close(self, clean: bool) -> None:
        """Close; `clean` says that nothing is in work any more: marks are released.  Idempotent."""
        writer, self._writer = self._writer, None
        reader, self._reader = self._reader, None
        try:
            if writer is not None:
                await self._end(writer, clean=clean)
        finally:
            if reader is not None:
                await asyncio.to_thread(reader[0].shutdown)
            self._release()

    async def _end(self, writer: GroupWriter, *, clean: bool) -> None:
        try:
            if clean and not self._shared:
                await writer.write(moves.end)
        finally:
            await writer.close()

    def _release(self) -> None:
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    # --- Writing -----------------------------------------------------------------------------------------------------

    async def _write(
        self,
        run: Callable[[sqlite3.Connection], T],
        undo: Callable[[T], Callable[[sqlite3.Connection], None]] | None = None,
    ) -> T:
        if self._writer is None:
            raise EdocError(JOURNAL_CLOSED, journal=self._path)
        return await self._writer.write(run, undo)

    async def claim(
        self,
        kinds: frozenset[Kind],
        lane: Lane,
        now: datetime,
        limit: int,
        alone: bool = False,
    ) -> Sequence[Record]:
        """Take runnable records that are due, durably marked as in work; urgency first, then age.

        With `alone`, take at most one suspect, count the start against it, and take none while another runs alone.
        A claim whose caller was cancelled is given back.
        """
        if alone:
            return await self._write(partial(moves.claim_alone, kinds=kinds, lane=lane), _give_back)
        return await self._write(partial(moves.claim, kinds=kinds, lane=lane, now=now, limit=limit), _give_back)

    async def commit(self, change: Change) -> None:
        """Commit all of `change` in one transaction; moved records are no longer in work.

        Raises EdocError STATE_CONFLICT, ILLEGAL_MOVE, DISK_FULL, DISK_FAILING, JOURNAL_BUSY, JOURNAL_CLOSED.
        """
        await self._write(partial(moves.commit, change=change, outside=self._shared))

    async def saw_directory(self, version: int) -> None:
        """Remember durably that a directory of `version` was in force; a lower number changes nothing."""
        await self._write(lambda connection: moves.raise_meta(connection, _DIRECTORY_VERSION, version))

    # --- Reading -----------------------------------------------------------------------------------------------------

    async def _read(self, run: Callable[[sqlite3.Connection], T]) -> T:
        if self._reader is None:
            raise EdocError(JOURNAL_CLOSED, journal=self._path)
        executor, connection = self._reader
        with journal_errors(self._path):
            return await asyncio.get_running_loop().run_in_executor(executor, run, connection)

    async def get(self, key: Key) -> Record | None:
        """Return one record."""
        return await self._read(lambda connection: reads.get(connection, key))

    async def find(
        self,
        *,
        document_id: DocumentId | None = None,
        kind: Kind | None = None,
        states: frozenset[State] | None = None,
        dms_id: str | None = None,
        container_sha256: Sha256 | None = None,
        limit: int = 1000,
    ) -> Sequence[Record]:
        """Return records that match all that is given, newest first.

        `container_sha256` finds the RECEPTION of a container, the SUBMISSION that packed it and every STATUS about it.
        """
        wanted = reads.Wanted(
            document_id=document_id, kind=kind, states=states, dms_id=dms_id, container_sha256=container_sha256
        )
        return await self._read(lambda connection: reads.find(connection, wanted, limit))

    async def counts(self) -> Sequence[tuple[Kind, State, int]]:
        """Return how many records of each kind are in each state."""
        return await self._read(reads.counts)

    async def evidence(self, document_id: DocumentId) -> Sequence[Evidence]:
        """Return the events of a document in order."""
        return await self._read(lambda connection: reads.evidence(connection, document_id))

    async def suspects(self) -> int:
        """Return how many records an unclean stop left in work and that still have to run alone."""
        return await self._read(reads.suspects)

    async def parked(self) -> Sequence[Record]:
        """Return the records that are parked with fault POISON, oldest first."""
        return await self._read(reads.parked)

    async def next_due(self, kinds: frozenset[Kind], lane: Lane) -> datetime | None:
        """Return when the next runnable record is due."""
        return await self._read(lambda connection: reads.next_due(connection, kinds, lane))

    async def directory_version(self) -> int:
        """Return the highest directory version that was ever in force here, 0 when there was none."""
        known = await self._read(lambda connection: moves.get_meta(connection, _DIRECTORY_VERSION))
        return int(known or 0)


def _give_back(records: Sequence[Record]) -> Callable[[sqlite3.Connection], None]:
    return partial(moves.give_back, records=records)
