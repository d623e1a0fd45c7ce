"""Records as rows, and rows as records.

Rules: what the queue and the searches need are columns, everything else is the typed body as JSON; a body is decoded
with the type that its kind has in BODY_TYPES, so that what was written is what is read.  Times are microseconds.

Does not know SQL.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from edoc.adapters.journal_schema import Work
from edoc.errors import FaultReport
from edoc.model.document import Lane, Urgency
from edoc.model.evidence import Evidence
from edoc.model.identifiers import DocumentId, Sha256
from edoc.model.record import BODY_TYPES, Body, Key, ReceptionBody, Record, StatusBody, SubmissionBody
from edoc.model.state import RUNNABLE, Kind, State

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""When a parked record is due again."""

COLUMNS = "kind, document_id, peer, state, lane, urgency, created, next_attempt, attempts, fault, body"
"""The columns that :func:`record_of` reads, in its order."""

Row = tuple[Any, ...]

_ENCODER = msgspec.json.Encoder()
_BODIES: dict[str, msgspec.json.Decoder[Body]] = {
    str(kind): msgspec.json.Decoder(body) for kind, body in BODY_TYPES.items()
}
_FAULT = msgspec.json.Decoder(FaultReport)
_EVIDENCE = msgspec.json.Decoder(Evidence)
_MICROSECOND = timedelta(microseconds=1)


def micros(instant: datetime) -> int:
    """Return an aware time as microseconds since 1970, UTC."""
    return (instant - EPOCH) // _MICROSECOND


def instant_of(count: int) -> datetime:
    """Return the time of `count` microseconds since 1970, aware, in UTC."""
    return EPOCH + timedelta(microseconds=count)


def work_of(kind: Kind, state: State) -> Work:
    """Return where a record that nobody works on stands in the queue."""
    return Work.WAITING if state in RUNNABLE[kind] else Work.NONE


def dms_id_of(body: Body) -> str | None:
    """Return the DMS's own id of a submission, None when there is none."""
    return (body.dms_id or None) if isinstance(body, SubmissionBody) else None


def container_of(body: Body) -> Sha256 | None:
    """Return the SHA-256 of the container that a record is about.

    The received container of a RECEPTION, the package of a SUBMISSION, the container that a STATUS answers.
    """
    if isinstance(body, ReceptionBody):
        return body.container_sha256
    if isinstance(body, StatusBody):
        return body.report.container_sha256
    return body.package.sha256 if isinstance(body, SubmissionBody) and body.package else None


def values_of(record: Record) -> dict[str, object]:
    """Return a record as named values for INSERT and UPDATE; its place in the queue as if nobody worked on it."""
    return {
        "kind": str(record.key.kind),
        "document_id": record.key.document_id,
        "peer": record.key.peer,
        "state": str(record.state),
        "lane": str(record.lane),
        "urgency": int(record.urgency),
        "created": micros(record.created),
        "next_attempt": micros(record.next_attempt),
        "attempts": record.attempts,
        "work": int(work_of(record.key.kind, record.state)),
        "dms_id": dms_id_of(record.body),
        "container": container_of(record.body),
        "fault": fault_bytes(record.fault),
        "body": _ENCODER.encode(record.body),
    }


def fault_bytes(fault: FaultReport | None) -> bytes | None:
    """Return a fault as it is stored."""
    return None if fault is None else _ENCODER.encode(fault)


def record_of(row: Row) -> Record:
    """Return the record of a row of COLUMNS."""
    kind, document_id, peer, state, lane, urgency, created, next_attempt, attempts, fault, body = row
    return Record(
        key=Key(Kind(kind), DocumentId(document_id), peer),
        state=State(state),
        lane=Lane(lane),
        urgency=Urgency(urgency),
        created=instant_of(created),
        next_attempt=instant_of(next_attempt),
        attempts=attempts,
        fault=None if fault is None else _FAULT.decode(fault),
        body=_BODIES[kind].decode(body),
    )


def evidence_bytes(evidence: Evidence) -> bytes:
    """Return an event as it is stored."""
    return _ENCODER.encode(evidence)


def evidence_of(content: bytes) -> Evidence:
    """Return the event that was stored as `content`."""
    return _EVIDENCE.decode(content)
