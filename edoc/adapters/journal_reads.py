"""The journal's reads: searches, counts, the next due time.

Rules: each function is one or a few short SELECTs on a read-only connection and holds no snapshot afterwards.  Lists
by kind and state are merged from one index range per (kind, state), so that asking for a thousand newest of a million
reads a thousand.

Does not write.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from edoc.adapters.journal_rows import COLUMNS, Row, evidence_of, instant_of, record_of
from edoc.model.document import Lane
from edoc.model.evidence import Evidence
from edoc.model.identifiers import DocumentId, Sha256
from edoc.model.record import Key, Record
from edoc.model.state import Kind, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a search asks for; None asks for anything."""

    document_id: DocumentId | None = None
    kind: Kind | None = None
    states: frozenset[State] | None = None
    dms_id: str | None = None
    container_sha256: Sha256 | None = None

    @property
    def narrow(self) -> bool:
        """Say whether an identifier is given, so that few records can match."""
        return self.document_id is not None or self.dms_id is not None or self.container_sha256 is not None


def get(connection: sqlite3.Connection, key: Key) -> Record | None:
    """Return one record."""
    row = connection.execute(
        f"SELECT {COLUMNS} FROM record WHERE document_id = ? AND kind = ? AND peer = ?",  # noqa: S608 -- a constant
        (key.document_id, str(key.kind), key.peer),
    ).fetchone()
    return None if row is None else record_of(row)


def find(connection: sqlite3.Connection, wanted: Wanted, limit: int) -> Sequence[Record]:
    """Return records that match all that is wanted, newest first, at most `limit`."""
    if wanted.dms_id == "":
        return ()  # no id of its own is not an id
    return _find_narrow(connection, wanted, limit) if wanted.narrow else _find_wide(connection, wanted, limit)


_NARROW = (
    ("document_id", "document_id = ?"),
    ("container_sha256", "container = ?"),
    ("dms_id", "dms_id = ?"),
    ("kind", "kind = ?"),
)


def _find_narrow(connection: sqlite3.Connection, wanted: Wanted, limit: int) -> Sequence[Record]:
    given = [(clause, getattr(wanted, name)) for name, clause in _NARROW if getattr(wanted, name) is not None]
    values: list[object] = [str(value) for _clause, value in given]
    clauses = [clause for clause, _value in given]
    if wanted.states is not None:
        clauses.append(f"state IN ({', '.join('?' * len(wanted.states))})")
        values.extend(sorted(wanted.states))
    statement = (
        f"SELECT {COLUMNS} FROM record WHERE {' AND '.join(clauses)} "  # noqa: S608 -- constants and question marks
        "ORDER BY created DESC, id DESC LIMIT ?"
    )
    return [record_of(row) for row in connection.execute(statement, (*values, limit))]


_NEWEST = """
SELECT created, id FROM record INDEXED BY record_listed WHERE kind = ? AND state = ?
ORDER BY created DESC, id DESC LIMIT ?
"""


def _find_wide(connection: sqlite3.Connection, wanted: Wanted, limit: int) -> Sequence[Record]:
    ranges: list[Iterator[Row]] = [
        iter(
            connection.execute(
                _NEWEST,
                (str(kind), str(state), limit),
            ).fetchall()
        )
        for kind, state, _n in counts(connection)
        if wanted.kind in {None, kind} and (wanted.states is None or state in wanted.states)
    ]
    newest = islice(heapq.merge(*ranges, reverse=True), limit)
    statement = f"SELECT {COLUMNS} FROM record WHERE id = ?"  # noqa: S608 -- a constant
    return [record_of(connection.execute(statement, (row[1],)).fetchone()) for row in newest]


def counts(connection: sqlite3.Connection) -> Sequence[tuple[Kind, State, int]]:
    """Return how many records of each kind are in each state; what there is none of is left out."""
    rows = connection.execute("SELECT kind, state, n FROM tally WHERE n > 0 ORDER BY kind, state").fetchall()
    return [(Kind(kind), State(state), n) for kind, state, n in rows]


def evidence(connection: sqlite3.Connection, document_id: DocumentId) -> Sequence[Evidence]:
    """Return the events of a document in the order they were recorded."""
    rows = connection.execute("SELECT body FROM evidence WHERE document_id = ? ORDER BY id", (document_id,))
    return [evidence_of(row[0]) for row in rows]


def suspects(connection: sqlite3.Connection) -> int:
    """Return how many records still have to run alone, the one that does so now included."""
    row: tuple[int] = connection.execute("SELECT count(*) FROM record WHERE work IN (4, 5) AND work >= 3").fetchone()
    return row[0]


def parked(connection: sqlite3.Connection) -> Sequence[Record]:
    """Return the records that were parked with fault POISON, oldest first."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM record WHERE work = 6 AND work >= 3 ORDER BY created, id"  # noqa: S608 -- a constant
    )
    return [record_of(row) for row in rows]


_NEXT_DUE = (
    "SELECT min(next_attempt) FROM record INDEXED BY record_waiting WHERE work = 1 AND lane = ? AND kind = ?",
    "SELECT min(next_attempt) FROM record INDEXED BY record_ready_due WHERE work = 2 AND lane = ? AND kind = ?",
)


def next_due(connection: sqlite3.Connection, kinds: frozenset[Kind], lane: Lane) -> datetime | None:
    """Return when the next record that nobody works on is due; suspects and parked ones are not counted."""
    found: list[int] = []
    for kind in kinds:
        for statement in _NEXT_DUE:
            row: tuple[int | None] = connection.execute(statement, (str(lane), str(kind))).fetchone()
            if row[0] is not None:
                found.append(row[0])
    return instant_of(min(found)) if found else None
