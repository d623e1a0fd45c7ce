"""The journal's writes: what happens inside one transaction.

Rules: each function runs in the writer's thread, inside a SAVEPOINT that the caller opens and, on an exception, rolls
back; so a function checks as it goes and raises.  A move is compare-and-set on the state; `model.state` says which
moves there are.

What an unclean stop leaves
    Records TAKEN become SUSPECT: they run alone, one at a time, each start counted durably before it begins.
    Records ALONE become SUSPECT again; after three counted starts without a commit, PARKED: fault POISON, due never,
    visible in every list.  A start does not count when the machine was booted since (the power went, not the
    record), and is taken back by a clean stop.  Any commit of a record clears its count; so an operator's retry, a
    commit in the same state, puts a parked record back into the queue.

Does not commit and does not fsync: :mod:`edoc.adapters.journal_group` does.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from edoc.adapters.journal_rows import (
    COLUMNS,
    NEVER,
    Row,
    evidence_bytes,
    fault_bytes,
    micros,
    record_of,
    values_of,
)
from edoc.adapters.journal_schema import Work
from edoc.errors import EdocError, FaultReport
from edoc.errors.exchange import ILLEGAL_MOVE, POISON, STATE_CONFLICT
from edoc.model.document import Lane
from edoc.model.record import BODY_TYPES, Change, Key, Move, Record
from edoc.model.state import INITIAL, Kind, allowed

ALONE_STARTS = 3
"""A record that stopped the process this many times while alone is parked."""

_INSERT = """
INSERT INTO record (kind, document_id, peer, state, lane, urgency, created, next_attempt, attempts, work, dms_id,
    container, fault, body)
VALUES (:kind, :document_id, :peer, :state, :lane, :urgency, :created, :next_attempt, :attempts, :work, :dms_id,
    :container, :fault, :body)
"""
# An operator's commit in the same state must not free a record that the daemon works on: it would start twice.
_UPDATE = """
UPDATE record SET state = :state, lane = :lane, urgency = :urgency, created = :created, next_attempt = :next_attempt,
    attempts = :attempts, dms_id = :dms_id, container = :container, fault = :fault, body = :body,
    work = CASE WHEN :outside AND :state = :was AND work IN (3, 5) THEN work ELSE :work END,
    alone_starts = CASE WHEN :outside AND :state = :was AND work IN (3, 5) THEN alone_starts ELSE 0 END
WHERE document_id = :document_id AND kind = :kind AND peer = :peer AND state = :was
"""


def commit(connection: sqlite3.Connection, change: Change, *, outside: bool = False) -> None:
    """Apply `change`; `outside` says that an operator does it beside the daemon.

    Raises EdocError STATE_CONFLICT and ILLEGAL_MOVE.
    """
    for move in change.moves:
        _move(connection, move, outside=outside)
    for record in change.adds:
        _add(connection, record)
    connection.executemany(
        "INSERT INTO evidence (document_id, body) VALUES (?, ?)",
        [(event.document_id, evidence_bytes(event)) for event in change.evidence],
    )


def _move(connection: sqlite3.Connection, move: Move, *, outside: bool) -> None:
    record = move.record
    if not allowed(record.key.kind, move.was, record.state):
        raise _illegal(record, str(move.was))
    _check_body(record)
    cursor = connection.execute(_UPDATE, {**values_of(record), "was": str(move.was), "outside": outside})
    if cursor.rowcount != 1:
        raise _conflict(connection, record.key, str(move.was))


def _add(connection: sqlite3.Connection, record: Record) -> None:
    if record.state not in INITIAL[record.key.kind]:
        raise _illegal(record, "nothing")
    _check_body(record)
    try:
        connection.execute(_INSERT, values_of(record))
    except sqlite3.IntegrityError as error:
        raise _conflict(connection, record.key, "new") from error


def _check_body(record: Record) -> None:
    expected = BODY_TYPES[record.key.kind]
    if type(record.body) is not expected:
        cause = f"body is {type(record.body).__name__}, expected {expected.__name__}"
        raise _illegal(record, "nothing", cause)


def _illegal(record: Record, was: str, cause: str = "") -> EdocError:
    kind, document_id, _peer = record.key
    return EdocError(ILLEGAL_MOVE, cause=cause, kind=kind, document_id=document_id, was=was, now=record.state)


def _conflict(connection: sqlite3.Connection, key: Key, expected: str) -> EdocError:
    row = connection.execute(
        "SELECT state FROM record WHERE document_id = ? AND kind = ? AND peer = ?",
        (key.document_id, str(key.kind), key.peer),
    ).fetchone()
    found = row[0] if row else "absent"
    return EdocError(STATE_CONFLICT, kind=key.kind, document_id=key.document_id, found=found, expected=expected)


# --- Claiming --------------------------------------------------------------------------------------------------------

# The indexes are named: without statistics the planner may prefer one that has to sort a backlog.
_PROMOTE = """
UPDATE record INDEXED BY record_waiting SET work = 2 WHERE work = 1 AND lane = ? AND kind = ? AND next_attempt <= ?
"""
# The time is compared again: a clock that was set back must not run early what an earlier look promoted.
_READY = """
SELECT -urgency, created, id FROM record INDEXED BY record_ready
WHERE work = 2 AND lane = ? AND kind = ? AND next_attempt <= ?
ORDER BY urgency DESC, created, id LIMIT ?
"""
_SUSPECTS = """
SELECT -urgency, created, id FROM record INDEXED BY record_taken WHERE work = 4 AND work >= 3 AND lane = ? AND kind = ?
ORDER BY urgency DESC, created, id LIMIT 1
"""

_RUNS_ALONE = "SELECT 1 FROM record INDEXED BY record_taken WHERE work = 5 AND work >= 3 LIMIT 1"
_TAKE = f"UPDATE record SET work = ?, alone_starts = alone_starts + ? WHERE id = ? RETURNING {COLUMNS}"  # noqa: S608 -- a constant


def claim(
    connection: sqlite3.Connection, kinds: frozenset[Kind], lane: Lane, now: datetime, limit: int
) -> Sequence[Record]:
    """Take due records, urgency first, then age."""
    due = micros(now)
    found: list[list[Row]] = []
    for kind in sorted(kinds):
        connection.execute(_PROMOTE, (str(lane), str(kind), due))
        found.append(connection.execute(_READY, (str(lane), str(kind), due, limit)).fetchall())
    return _take(connection, [row[2] for row in islice(heapq.merge(*found), limit)], Work.TAKEN)


def claim_alone(connection: sqlite3.Connection, kinds: frozenset[Kind], lane: Lane) -> Sequence[Record]:
    """Take one suspect and count the start against it; none while another one runs alone."""
    if connection.execute(_RUNS_ALONE).fetchone():
        return ()
    found = [row for kind in sorted(kinds) for row in connection.execute(_SUSPECTS, (str(lane), str(kind))).fetchall()]
    return _take(connection, [row[2] for row in sorted(found)[:1]], Work.ALONE)


def _take(connection: sqlite3.Connection, ids: Sequence[int], work: Work) -> Sequence[Record]:
    started = 1 if work is Work.ALONE else 0
    return [record_of(connection.execute(_TAKE, (int(work), started, number)).fetchall()[0]) for number in ids]


def give_back(connection: sqlite3.Connection, records: Sequence[Record]) -> None:
    """Undo a claim whose caller is gone: nothing was started."""
    connection.executemany(
        """
        UPDATE record SET alone_starts = alone_starts - (work = 5), work = CASE work WHEN 5 THEN 4 ELSE 1 END
        WHERE document_id = ? AND kind = ? AND peer = ? AND work IN (3, 5)
        """,
        [(r.key.document_id, str(r.key.kind), r.key.peer) for r in records],
    )


# --- Starting and stopping -------------------------------------------------------------------------------------------


def begin(connection: sqlite3.Connection, boot_id: str) -> None:
    """Start a daemon's run: judge what the last one left in work, and mark this run as not yet cleanly stopped."""
    if get_meta(connection, "stop") == "unclean":
        if get_meta(connection, "boot_id") != boot_id:
            connection.execute("UPDATE record SET alone_starts = alone_starts - 1 WHERE work = 5 AND work >= 3")
        connection.execute("UPDATE record SET work = 4 WHERE work IN (3, 5) AND work >= 3")
        _park(connection)
    set_meta(connection, "stop", "unclean")
    set_meta(connection, "boot_id", boot_id)


def end(connection: sqlite3.Connection) -> None:
    """End a daemon's run cleanly: nothing runs, so nothing is suspect, and the last start alone does not count."""
    connection.execute("UPDATE record SET work = 1 WHERE work = 3 AND work >= 3")
    connection.execute("UPDATE record SET work = 4, alone_starts = alone_starts - 1 WHERE work = 5 AND work >= 3")
    set_meta(connection, "stop", "clean")


def _park(connection: sqlite3.Connection) -> None:
    rows = connection.execute(
        "SELECT id, kind, document_id, alone_starts FROM record WHERE work = 4 AND work >= 3 AND alone_starts >= ?",
        (ALONE_STARTS,),
    ).fetchall()
    for number, kind, document_id, starts in rows:
        fault = FaultReport(code=POISON.code, facts={"kind": kind, "document_id": document_id, "starts": str(starts)})
        connection.execute(
            "UPDATE record SET work = 6, next_attempt = ?, fault = ? WHERE id = ?",
            (micros(NEVER), fault_bytes(fault), number),
        )


def get_meta(connection: sqlite3.Connection, name: str) -> str | None:
    """Return a named value of the journal itself."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def set_meta(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Set a named value of the journal itself."""
    connection.execute(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
    )


def raise_meta(connection: sqlite3.Connection, name: str, value: int) -> None:
    """Set a named number unless it is higher already: what protects against a rollback never goes down."""
    known = get_meta(connection, name)
    if known is None or int(known) < value:
        set_meta(connection, name, str(value))
