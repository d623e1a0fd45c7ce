"""A document: what an office writes to other offices, with its attachments.

Rules: field names are English words for the edXML elements (QCVN 102:2016); the wire's spellings live in the codec.
Text is kept exactly as the author wrote it (no normalisation: NFC and NFD are different bytes under a seal).
An attachment is identified by its number; its name is only shown.

Does not hold file contents: an attachment has a size and a digest, the bytes are files.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum

from edoc.model.identifiers import DocumentId, OrganId, Sha256
from edoc.model.signers import PersonSignature


class Urgency(IntEnum):
    """Priority of a document (edXML OtherInfo/Priority; 5 is read as NORMAL, because vendors differ)."""

    NORMAL = 0  # thường
    URGENT = 1  # khẩn
    VERY_URGENT = 2  # thượng khẩn
    IMMEDIATE = 3  # hỏa tốc
    IMMEDIATE_TIMED = 4  # hỏa tốc hẹn giờ


class Lane(StrEnum):
    """The two lanes, each with its own queues, connections and workers."""

    NORMAL = "normal"
    URGENT = "urgent"


def lane_of(urgency: Urgency) -> Lane:
    """Return the lane for `urgency`: every khẩn class takes the urgent one."""
    return Lane.NORMAL if urgency is Urgency.NORMAL else Lane.URGENT


class BusinessType(IntEnum):
    """What a message does with its document (edXML BussinessDocType)."""

    NEW = 0
    RECALL = 1
    UPDATE = 2
    REPLACEMENT = 3


class AttachmentRole(StrEnum):
    """What an attachment is to its document."""

    MAIN = "main"  # the document itself
    APPENDIX = "appendix"  # phụ lục
    RELATED = "related"  # tài liệu kèm theo


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An organisation as a header names it: the code decides, the rest is for people."""

    organ_id: OrganId
    name: str = ""
    in_charge: str = ""  # cơ quan chủ quản
    address: str = ""
    email: str = ""
    telephone: str = ""
    fax: str = ""
    website: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """Số và ký hiệu: number (a string, zeros count) and notation."""

    number: str
    notation: str

    def __str__(self) -> str:
        return f"{self.number}/{self.notation}" if self.notation else self.number


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """The person who signed the document on paper or with a personal key."""

    full_name: str
    competence: str = ""  # TM. Q. KT. TL. TUQ.
    position: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What a document replies to, recalls or answers (edXML ResponseFor); raw texts, correlation only."""

    organ_id: str = ""
    code: str = ""
    document_id: str = ""
    promulgation_date: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A document that a replacement replaces, for all or for the organisations named (edXML ReplacementInfo); raw."""

    document_id: str = ""
    organ_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverChange:
    """One receiver that an update changes; `kind` is edXML's ReceiverType as it is written (0 added, 1 removed)."""

    organ_id: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What an update changes (edXML BussinessDocumentInfo); flags as they are written, 0 or 1."""

    document: str = ""  # DocumentInfo: the document's particulars
    receivers: str = ""  # DocumentReceiver: its receivers
    changes: tuple[ReceiverChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One hop that an edXML message recorded (TraceHeader), raw: its clock has no zone."""

    organ_id: str
    timestamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """The person who handled the document, as the header names them."""

    department: str = ""
    staff: str = ""
    email: str = ""
    mobile: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One file of a document: number from 1, shown name, media type, size in bytes, SHA-256."""

    number: int
    name: str
    media_type: str
    size: int
    sha256: Sha256
    role: AttachmentRole = AttachmentRole.RELATED
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document as it is sealed: identity, parties, header fields, manifest of attachments."""

    document_id: DocumentId
    sender: Party
    recipients: tuple[Party, ...]
    code: Code
    subject: str
    place: str
    promulgation_date: date
    type_name: str
    type_code: str = ""
    type_detail: str = ""
    content: str = ""
    signer: Signer | None = None
    due_date: date | None = None
    urgency: Urgency = Urgency.NORMAL
    sphere: str = ""
    typer_notation: str = ""
    promulgation_amount: int | None = None
    page_amount: int | None = None
    direction: str = ""
    appendixes: tuple[str, ...] = ()
    reply_to: tuple[Reference, ...] = ()
    steering_type: str = ""
    to_places: tuple[str, ...] = ()
    correlation_id: str = ""  # edXML's own DocumentId: may be empty, hold slashes, collide
    business_type: BusinessType = BusinessType.NEW
    business_reason: str = ""
    business_document_id: str = ""  # Bussiness/DocumentId, raw: not always that of MessageHeader
    update: Update | None = None
    replaces: tuple[Replaced, ...] = ()
    paper: bool = False
    staff: Staff | None = None
    traces: tuple[Trace, ...] = ()
    sealed_at: datetime | None = None  # aware; when the envelope was made
    attachments: tuple[Attachment, ...] = ()
    unknown: tuple[str, ...] = ()  # elements this version does not know, as XML text, kept in order


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredFile:
    """A file that a job declares: its name in the job, and what is claimed of it."""

    file: str
    name: str
    role: AttachmentRole
    description: str = ""
    sha256: Sha256 | None = None
    person_signature: PersonSignature | None = None  # None: as the office's policy says


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a document-management system asks to be sent, before it has an identity.

    `document` carries a placeholder-free header: its document_id is the one minted at the claim; its attachments
    are empty until the files have been copied and hashed.
    """

    document: Document
    files: tuple[DeclaredFile, ...]
    dms_id: str = ""
    secrecy: str = ""
    claimed_sender: str = ""  # From as the job states it, empty when it states none
