"""Group commit: one writer connection in one thread, one fsync for everybody who waits.

Rules: whatever has queued up while the last fsync ran is executed next, each piece in a SAVEPOINT of its own inside
one transaction; a piece that raises is rolled back alone.  Nobody hears of success before COMMIT returned.  When the
transaction itself fails, every piece in it fails with the same fault and nothing of it is in the journal.  After a
failed fsync (DISK_FAILING) nothing is written any more: the process has to start anew.

Does not know what the pieces do.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from edoc.adapters.journal_schema import journal_errors
from edoc.errors import EdocError
from edoc.errors.exchange import DISK_FAILING, JOURNAL_CLOSED

T = TypeVar("T")

LARGEST_GROUP = 500
"""Pieces per transaction: bounds how long the first of them waits and how large the WAL grows at once."""


@dataclass(slots=True, eq=False)
class _Piece:
    run: Callable[[sqlite3.Connection], Any]
    future: asyncio.Future[Any]
    undo: Callable[[Any], Callable[[sqlite3.Connection], Any]] | None
    result: Any = None
    error: BaseException | None = None


class GroupWriter:
    """The writer's thread.  Made, used and closed from one event loop."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._queue: queue.SimpleQueue[_Piece | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._failed: EdocError | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="journal-writer", daemon=True)
        self._thread.start()

    async def write(
        self,
        run: Callable[[sqlite3.Connection], T],
        undo: Callable[[T], Callable[[sqlite3.Connection], Any]] | None = None,
    ) -> T:
        """Run `run` in the next transaction and return its result once that is durable.

        `undo` makes, of a result that nobody waits for any more (the caller was cancelled), what takes it back.
        Raises what `run` raises (EdocError), and DISK_FULL, DISK_FAILING, JOURNAL_BUSY, JOURNAL_CLOSED.
        """
        if self._closing:
            raise EdocError(JOURNAL_CLOSED, journal=self._path)
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Piece(run, future, undo))
        return await future

    async def close(self) -> None:
        """Finish what is queued and end the thread; the connection stays open."""
        self._closing = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.sleep(0)  # let the last results reach their waiters

    # --- in the thread -----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        ending = False
        while not ending:
            group, ending = self._gather()
            self._execute(group)
            self._loop.call_soon_threadsafe(self._settle, group)

    def _gather(self) -> tuple[list[_Piece], bool]:
        group: list[_Piece] = []
        wait = True
        while len(group) < LARGEST_GROUP:
            try:
                piece = self._queue.get(block=wait)
            except queue.Empty:
                break
            if piece is None:
                return group, True
            group.append(piece)
            wait = False
        return group, False

    def _execute(self, group: Sequence[_Piece]) -> None:
        try:
            if self._failed is not None:
                raise self._failed
            with journal_errors(self._path):
                self._connection.execute("BEGIN IMMEDIATE")
                for piece in group:
                    self._execute_one(piece)
                self._connection.execute("COMMIT")
        except EdocError as error:
            if error.fault is DISK_FAILING:
                self._failed = error
            self._roll_back()
            for piece in group:
                piece.error = EdocError(error.fault, cause=error.cause, **error.facts)

    def _execute_one(self, piece: _Piece) -> None:
        if piece.future.cancelled():  # not begun, so there is nothing to take back
            return
        self._connection.execute("SAVEPOINT piece")
        try:
            piece.result = piece.run(self._connection)
        except sqlite3.Error:
            raise  # the whole transaction is in doubt: disk full, disk failing, damaged
        except Exception as error:  # noqa: BLE001 -- handed to the caller, who is the one to judge it
            piece.error = error
            self._connection.execute("ROLLBACK TO piece")
        self._connection.execute("RELEASE piece")

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error as error:
                self._failed = EdocError(DISK_FAILING, cause=str(error), what=self._path)

    # --- in the loop -------------------------------------------------------------------------------------------------

    def _settle(self, group: Sequence[_Piece]) -> None:
        for piece in group:
            if not piece.future.cancelled():
                if piece.error is None:
                    piece.future.set_result(piece.result)
                else:
                    piece.future.set_exception(piece.error)
            elif piece.undo is not None and piece.error is None and piece.result and not self._closing:
                self._queue.put(_Piece(piece.undo(piece.result), self._unwatched(), None))

    def _unwatched(self) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = self._loop.create_future()
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        return future
