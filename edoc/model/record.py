"""Records: what the journal keeps, one per document, recipient, reception and status.

Rules: a record is a frozen value; a stage returns a new one and the journal compares and sets it.  `next_attempt`
says from when a runnable record may be claimed.  `body` holds the facts of the record's kind.

Does not hold bytes: packages are files, records hold their digests and refs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from edoc.errors import FaultReport
from edoc.model.document import Attachment, Document, Lane, Submission, Urgency
from edoc.model.evidence import Evidence
from edoc.model.identifiers import DocumentId, FileRef, OrganId, Sha256
from edoc.model.message import StatusCode, StatusReport
from edoc.model.state import Kind, State
from edoc.model.verdict import Admission, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file that an adapter keeps for us: where, size in bytes, SHA-256."""

    ref: FileRef
    size: int
    sha256: Sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFile:
    """A file of a claimed job: its name in the job and our own copy of it."""

    name: str
    stored: StoredFile


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessStatus:
    """One status that a recipient reported: code, when, the words that came with it."""

    code: StatusCode
    at: datetime
    description: str = ""
    fault: str = ""
    status_id: DocumentId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionBody:
    """Facts of a SUBMISSION."""

    job: str  # the job's name in the outbox
    submission: Submission | None = None  # the job's description as read; None when it could not be read
    files: tuple[JobFile, ...] = ()
    content_sha256: Sha256 | None = None  # over names and digests of the job's files: same dms_id, same content?
    dms_id: str = ""
    code: str = ""  # number/notation, for people
    recipients: tuple[OrganId, ...] = ()
    attachments: tuple[Attachment, ...] = ()  # as sealed
    sealed_files: tuple[StoredFile, ...] = ()  # in the order of attachments
    notes: tuple[str, ...] = ()
    package: StoredFile | None = None
    signature_digests: tuple[Sha256, ...] = ()
    manifest: FileRef | None = None  # the sealed chunk manifest, for packages above CHUNK_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferBody:
    """Facts of a TRANSFER."""

    sent_at: datetime | None = None
    history: tuple[BusinessStatus, ...] = ()
    receipt: FileRef | None = None  # the signed status message that ended the transfer
    receipt_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceptionBody:
    """Facts of a RECEPTION."""

    container_sha256: Sha256
    size: int
    attested_sender: OrganId
    received_at: datetime
    staged: FileRef | None = None
    document: Document | None = None  # as verified; None while chunks are missing
    entries: tuple[str, ...] = ()  # entry of attachment n at index n-1
    signature_digests: tuple[Sha256, ...] = ()
    verdict: Verdict | None = None
    admission: Admission | None = None
    receipt: DocumentId | None = None  # status_id of the answer: receipt or refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusBody:
    """Facts of a STATUS: the report, and the signed message once there is one."""

    report: StatusReport
    signed: FileRef | None = None
    sha256: Sha256 | None = None


BODY_TYPES: dict[Kind, type[SubmissionBody] | type[TransferBody] | type[ReceptionBody] | type[StatusBody]] = {
    Kind.SUBMISSION: SubmissionBody,
    Kind.TRANSFER: TransferBody,
    Kind.RECEPTION: ReceptionBody,
    Kind.STATUS: StatusBody,
}

Body = SubmissionBody | TransferBody | ReceptionBody | StatusBody


class Key(NamedTuple):
    """What names a record.

    SUBMISSION: (id, ""); TRANSFER: (id, recipient); RECEPTION: (id, From); STATUS: (status_id, recipient).
    """

    kind: Kind
    document_id: DocumentId
    peer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row of the journal."""

    key: Key
    state: State
    lane: Lane
    urgency: Urgency
    created: datetime  # aware
    next_attempt: datetime  # aware
    attempts: int = 0
    fault: FaultReport | None = None
    body: Body

    @property
    def document_id(self) -> DocumentId:
        """Return the id of the document (or status) this record is about."""
        return self.key.document_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A record as it is to be, and the state in which it must still be found."""

    record: Record
    was: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one stage commits, all or nothing: moved records, new records, evidence."""

    moves: tuple[Move, ...] = ()
    adds: tuple[Record, ...] = ()
    evidence: tuple[Evidence, ...] = ()


def moved(
    record: Record, state: State, *, at: datetime, body: Body | None = None, fault: FaultReport | None = None
) -> Move:
    """Return the move of `record` to `state`, due `at`, with `body` (default: as it is) and `fault` (default: none)."""
    changed = replace(
        record, state=state, next_attempt=at, attempts=0, body=record.body if body is None else body, fault=fault
    )
    return Move(record=changed, was=record.state)
