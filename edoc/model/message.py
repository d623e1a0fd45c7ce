"""Messages: what crosses the broker.

Rules: headers are hints for routing and bind nothing; everything that counts is sealed in the body.  One
`message_id` per publishing attempt, one `document_id` per document.

Does not know AMQP: :mod:`edoc.envelopes.wire` names the headers, the broker adapter sends them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from edoc.model.document import Lane, Party, Reference, Staff
from edoc.model.evidence import EvidenceEvent
from edoc.model.identifiers import DocumentId, MessageId, OrganId, Sha256

CHUNK_BYTES = 1024 * 1024
"""A body up to this size travels in one message; above it, in chunks of this size (3.x refuses > 128 MiB, 4.x > 16)."""

WIRE_VERSION = 1


class MessageType(StrEnum):
    """What the body of a message is."""

    CONTAINER = "container"  # an ASiC-E package, whole
    MANIFEST = "manifest"  # a sealed chunk manifest
    CHUNK = "chunk"  # one piece of a package
    STATUS = "status"  # a signed edXML status message


class Outcome(StrEnum):
    """What became of one publishing attempt."""

    SENT = "SENT"  # the broker confirmed that it has the message safe in a queue
    NO_ROUTE = "NO_ROUTE"  # returned: no queue for this recipient
    REJECTED = "REJECTED"  # nacked: the queue is full or refuses
    UNKNOWN = "UNKNOWN"  # anything else: publish the same bytes again


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message, to be published or delivered.

    For CHUNK, `index` counts from 0 and `sha256` and `size` are those of the *container*, so that chunks find their
    manifest; for all other types they are those of the body.
    """

    type: MessageType
    document_id: DocumentId
    sender: OrganId
    recipient: OrganId
    lane: Lane
    sha256: Sha256
    size: int
    body: bytes = field(repr=False)
    index: int = 0
    count: int = 1
    message_id: MessageId | None = None  # set per attempt by the broker adapter
    version: int = WIRE_VERSION
    hops: int = 0  # relays it has crossed
    relay_evidence: bytes = field(default=b"", repr=False)  # what the relays add, opaque here, at most 64 KiB


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkManifest:
    """What a chunked transfer consists of; sealed once per document."""

    document_id: DocumentId
    sender: OrganId
    recipients: tuple[OrganId, ...]
    sha256: Sha256
    size: int
    chunk_bytes: int
    chunks: tuple[Sha256, ...]
    version: int = WIRE_VERSION


class StatusCode(StrEnum):
    """Business codes of edXML status messages."""

    ARRIVED = "01"  # đã đến
    REFUSED = "02"  # từ chối tiếp nhận
    ACCEPTED = "03"  # đã tiếp nhận
    ASSIGNED = "04"  # phân công xử lý
    PROCESSING = "05"  # đang xử lý
    FINISHED = "06"  # hoàn thành
    TAKE_BACK = "13"  # yêu cầu lấy lại
    AGREED = "15"  # đồng ý cập nhật, lấy lại
    DECLINED = "16"  # từ chối cập nhật, lấy lại


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """A status message: the recipient tells the sender what became of a document.

    A *receipt* is the StatusReport 01 with event ContentConsignment; a *refusal* is 02.  It binds the container's
    SHA-256 and the SHA-256 of each SignatureValue (the base64-decoded octets) in the container.
    """

    status_id: DocumentId
    document_id: DocumentId
    sender: Party
    recipient: OrganId
    code: StatusCode
    event: EvidenceEvent
    timestamp: datetime  # aware
    container_sha256: Sha256
    signature_digests: tuple[Sha256, ...]
    fault: str = ""  # stable error code, mandatory on a negative event
    description: str = ""
    answers: Reference = field(default_factory=Reference)
    staff: Staff | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignStatus:
    """An unsigned status message of another system, as it stands: it proves nothing and moves nothing by itself.

    `status_code` is the text of StatusCode, `code` its meaning when it is one that is known; `timestamp` is what
    `timestamp_text` says as Vietnamese local time, None when that is no time.
    """

    sender: Party
    answers: Reference
    status_code: str
    code: StatusCode | None
    description: str = ""
    timestamp_text: str = ""
    timestamp: datetime | None = None  # aware, +07:00
    staff: Staff | None = None
    unknown: tuple[str, ...] = ()  # elements this version does not know, as XML text
