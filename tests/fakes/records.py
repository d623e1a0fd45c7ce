"""Records for tests: one of each kind, with as few words as possible."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from fakes.clock import START

from edoc.model.document import Lane, Party, Urgency, lane_of
from edoc.model.evidence import Evidence, EvidenceEvent
from edoc.model.identifiers import DocumentId, OrganId, Sha256
from edoc.model.message import StatusCode, StatusReport
from edoc.model.record import Body, Key, ReceptionBody, Record, StatusBody, SubmissionBody, TransferBody
from edoc.model.state import Kind, State

SENDER = OrganId("H53.31.20")
RECIPIENT = OrganId("H53.09")
DIGEST = Sha256("5e" * 32)

FIRST_STATE = {
    Kind.SUBMISSION: State.ACCEPTED,
    Kind.TRANSFER: State.QUEUED,
    Kind.RECEPTION: State.STAGED,
    Kind.STATUS: State.INTENDED,
}


def document_id(number: int) -> DocumentId:
    """Return the id that belongs to `number`."""
    return DocumentId(str(UUID(int=(4 << 76) | (8 << 60) | number)))


def body_of(kind: Kind, *, dms_id: str = "", container: Sha256 = DIGEST) -> Body:
    """Return a body of `kind`."""
    match kind:
        case Kind.SUBMISSION:
            return SubmissionBody(job="công văn 12", dms_id=dms_id)
        case Kind.TRANSFER:
            return TransferBody()
        case Kind.RECEPTION:
            return ReceptionBody(container_sha256=container, size=3, attested_sender=SENDER, received_at=START)
        case Kind.STATUS:
            return StatusBody(report=_report(container))


def _report(container: Sha256) -> StatusReport:
    return StatusReport(
        status_id=document_id(900),
        document_id=document_id(1),
        sender=Party(organ_id=RECIPIENT),
        recipient=SENDER,
        code=StatusCode.ARRIVED,
        event=EvidenceEvent.CONTENT_CONSIGNMENT,
        timestamp=START,
        container_sha256=container,
        signature_digests=(DIGEST,),
    )


def record(
    number: int = 1,
    kind: Kind = Kind.TRANSFER,
    *,
    state: State | None = None,
    urgency: Urgency = Urgency.NORMAL,
    lane: Lane | None = None,
    age: timedelta = timedelta(),
    due: datetime = START,
    dms_id: str = "",
    container: Sha256 = DIGEST,
) -> Record:
    """Return a new record, created `age` before START and due at START."""
    return Record(
        key=Key(kind, document_id(number), "" if kind is Kind.SUBMISSION else RECIPIENT),
        state=FIRST_STATE[kind] if state is None else state,
        lane=lane_of(urgency) if lane is None else lane,
        urgency=urgency,
        created=START - age,
        next_attempt=due,
        body=body_of(kind, dms_id=dms_id, container=container),
    )


def event(number: int = 1, kind: EvidenceEvent = EvidenceEvent.SUBMISSION_ACCEPTANCE) -> Evidence:
    """Return an event of document `number`."""
    return Evidence(
        document_id=document_id(number),
        event=kind,
        at=START,
        sender=SENDER,
        recipient=RECIPIENT,
        content_sha256=DIGEST,
    )
