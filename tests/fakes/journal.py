"""A Journal in memory: the same rules, no disk.

Does not survive the process; `kill` and `start` play a daemon's runs over the same memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum

from fakes.faults import Faults

from edoc.errors import EdocError, FaultReport
from edoc.errors.exchange import ILLEGAL_MOVE, JOURNAL_CLOSED, POISON, STATE_CONFLICT
from edoc.model.document import Lane
from edoc.model.evidence import Evidence
from edoc.model.identifiers import DocumentId, Sha256
from edoc.model.record import BODY_TYPES, Body, Change, Key, ReceptionBody, Record, StatusBody, SubmissionBody
from edoc.model.state import INITIAL, RUNNABLE, Kind, State, allowed

NEVER = datetime(9999, 12, 31, tzinfo=UTC)


class _Work(Enum):
    IDLE = 0
    TAKEN = 1
    SUSPECT = 2
    ALONE = 3
    PARKED = 4


@dataclass
class _Row:
    number: int
    record: Record
    work: _Work = _Work.IDLE
    alone_starts: int = 0

    @property
    def order(self) -> tuple[int, datetime, int]:
        return -self.record.urgency, self.record.created, self.number


class FakeJournal:
    """The Journal port in memory; `faults.plan("commit", error)` makes the next commit fail, and so on."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.rows: dict[Key, _Row] = {}
        self.events: list[Evidence] = []
        self.commits: list[Change] = []
        self.closed: bool | None = None  # how it was closed
        self._directory_version = 0

    # --- runs of a daemon --------------------------------------------------------------------------------------------

    def start(self, *, rebooted: bool = False) -> None:
        """Open again after a kill, an unclean or a clean stop."""
        if self.closed is not True:
            for row in self.rows.values():
                if row.work is _Work.ALONE and rebooted:
                    row.alone_starts -= 1
                if row.work in {_Work.TAKEN, _Work.ALONE}:
                    row.work = _Work.SUSPECT
                if row.work is _Work.SUSPECT and row.alone_starts >= 3:
                    self._park(row)
        self.closed = None

    def _park(self, row: _Row) -> None:
        kind, document_id, _peer = row.record.key
        facts = {"kind": str(kind), "document_id": str(document_id), "starts": str(row.alone_starts)}
        fault = FaultReport(code=POISON.code, facts=facts)
        row.work = _Work.PARKED
        row.record = replace(row.record, next_attempt=NEVER, fault=fault)

    async def close(self, clean: bool) -> None:
        if clean:
            for row in self.rows.values():
                if row.work is _Work.TAKEN:
                    row.work = _Work.IDLE
                elif row.work is _Work.ALONE:
                    row.work = _Work.SUSPECT
                    row.alone_starts -= 1
        self.closed = clean

    # --- writing -----------------------------------------------------------------------------------------------------

    def _enter(self, method: str) -> None:
        self.faults.check(method)
        if self.closed is not None:
            raise EdocError(JOURNAL_CLOSED, journal="memory")

    async def claim(
        self, kinds: frozenset[Kind], lane: Lane, now: datetime, limit: int, alone: bool = False
    ) -> Sequence[Record]:
        self._enter("claim")
        mine = [row for row in self.rows.values() if row.record.key.kind in kinds and row.record.lane is lane]
        if alone:
            if any(row.work is _Work.ALONE for row in self.rows.values()):
                return ()
            found = sorted((row for row in mine if row.work is _Work.SUSPECT), key=lambda row: row.order)[:1]
            for row in found:
                row.work = _Work.ALONE
                row.alone_starts += 1
        else:
            due = [row for row in mine if row.work is _Work.IDLE and _runnable(row) and row.record.next_attempt <= now]
            found = sorted(due, key=lambda row: row.order)[:limit]
            for row in found:
                row.work = _Work.TAKEN
        return [row.record for row in found]

    async def commit(self, change: Change) -> None:
        self._enter("commit")
        rows = dict(self.rows)
        for move in change.moves:
            record = move.record
            if not allowed(record.key.kind, move.was, record.state):
                raise _illegal(record, str(move.was))
            _check_body(record)
            found = rows.get(record.key)
            if found is None or found.record.state is not move.was:
                raise _conflict(record.key, found, str(move.was))
            rows[record.key] = _Row(found.number, record)
        for record in change.adds:
            if record.state not in INITIAL[record.key.kind]:
                raise _illegal(record, "nothing")
            _check_body(record)
            if record.key in rows:
                raise _conflict(record.key, rows[record.key], "new")
            rows[record.key] = _Row(len(rows), record)
        self.rows = rows
        self.events.extend(change.evidence)
        self.commits.append(change)

    async def saw_directory(self, version: int) -> None:
        self._directory_version = max(self._directory_version, version)

    # --- reading -----------------------------------------------------------------------------------------------------

    async def get(self, key: Key) -> Record | None:
        self._enter("get")
        row = self.rows.get(key)
        return None if row is None else row.record

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
        self._enter("find")
        found = [
            row
            for row in self.rows.values()
            if document_id in {None, row.record.document_id}
            and kind in {None, row.record.key.kind}
            and (states is None or row.record.state in states)
            and (dms_id is None or (dms_id != "" and dms_id == _dms_id(row.record.body)))
            and container_sha256 in {None, _container(row.record.body)}
        ]
        found.sort(key=lambda row: (row.record.created, row.number), reverse=True)
        return [row.record for row in found[:limit]]

    async def counts(self) -> Sequence[tuple[Kind, State, int]]:
        self._enter("counts")
        counted = Counter((row.record.key.kind, row.record.state) for row in self.rows.values())
        return [(kind, state, n) for (kind, state), n in sorted(counted.items())]

    async def evidence(self, document_id: DocumentId) -> Sequence[Evidence]:
        self._enter("evidence")
        return [event for event in self.events if event.document_id == document_id]

    async def suspects(self) -> int:
        self._enter("suspects")
        return sum(row.work in {_Work.SUSPECT, _Work.ALONE} for row in self.rows.values())

    async def parked(self) -> Sequence[Record]:
        self._enter("parked")
        found = [row for row in self.rows.values() if row.work is _Work.PARKED]
        return [row.record for row in sorted(found, key=lambda row: (row.record.created, row.number))]

    async def next_due(self, kinds: frozenset[Kind], lane: Lane) -> datetime | None:
        self._enter("next_due")
        waiting = [
            row.record.next_attempt
            for row in self.rows.values()
            if row.work is _Work.IDLE and _runnable(row) and row.record.key.kind in kinds and row.record.lane is lane
        ]
        return min(waiting, default=None)

    async def directory_version(self) -> int:
        return self._directory_version


def _runnable(row: _Row) -> bool:
    return row.record.state in RUNNABLE[row.record.key.kind]


def _dms_id(body: Body) -> str | None:
    return body.dms_id if isinstance(body, SubmissionBody) else None


def _container(body: Body) -> Sha256 | None:
    match body:
        case ReceptionBody():
            return body.container_sha256
        case StatusBody():
            return body.report.container_sha256
        case SubmissionBody(package=package) if package is not None:
            return package.sha256
        case _:
            return None


def _check_body(record: Record) -> None:
    if type(record.body) is not BODY_TYPES[record.key.kind]:
        raise _illegal(record, "nothing")


def _illegal(record: Record, was: str) -> EdocError:
    kind, document_id, _peer = record.key
    return EdocError(ILLEGAL_MOVE, kind=kind, document_id=document_id, was=was, now=record.state)


def _conflict(key: Key, row: _Row | None, expected: str) -> EdocError:
    found = "absent" if row is None else str(row.record.state)
    return EdocError(STATE_CONFLICT, kind=key.kind, document_id=key.document_id, found=found, expected=expected)
