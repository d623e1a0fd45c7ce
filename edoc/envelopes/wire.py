"""Messages to AMQP and back: names, headers, chunk manifests.  Described in ``schemas/wire.md``.

Rules: reading is strict about the headers it knows and ignores those it does not; a known header of the wrong type,
a size or digest that does not match the body, or an unknown major version is a fault.  Headers route and find
things; they bind nothing.  The sender that counts is read from the exchange, never from a header.

Does not talk to a broker, and does not seal or verify: what is in a body is sealed elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from edoc.errors import EdocError
from edoc.errors import broker as faults
from edoc.model.document import Lane
from edoc.model.identifiers import MessageId, OrganId, parse_document_id, parse_organ_id, parse_sha256
from edoc.model.message import CHUNK_BYTES, WIRE_VERSION, ChunkManifest, Message, MessageType

EVIDENCE_BYTES: Final = 64 * 1024
"""Most that relay evidence may take: headers must fit one AMQP frame of 128 KiB."""

MAX_CHUNKS: Final = 8192
"""Most chunks of one container (8 GiB): the manifest itself must fit one message."""

MAX_HOPS: Final = 8
"""Most relays a message may cross; more is a loop."""

ROUTER: Final = "edoc.router"
DEAD_LETTERS: Final = "edoc.dead"
_OUT: Final = "edoc.out."

_CONTENT_TYPES: Final[Mapping[MessageType, str]] = {
    MessageType.CONTAINER: "application/vnd.etsi.asic-e+zip",
    MessageType.MANIFEST: "application/vnd.edoc.manifest",
    MessageType.CHUNK: "application/octet-stream",
    MessageType.STATUS: "application/xml",
}

T = TypeVar("T")

# --- Names at the broker ---------------------------------------------------------------------------------------------


def out_exchange(organ_id: OrganId) -> str:
    """Return the exchange that `organ_id`, and nobody else, may publish to."""
    return _OUT + organ_id


def queue_name(level: str, organ_id: OrganId, lane: Lane) -> str:
    """Return the queue of `organ_id` at `level` for `lane`."""
    return f"edoc.{level}.{organ_id}" + (".urgent" if lane is Lane.URGENT else "")


def routing_key(recipient: OrganId, lane: Lane) -> str:
    """Return the routing key for `recipient`; # is no letter of a code, so no code ends in another's lane."""
    return recipient + ("#urgent" if lane is Lane.URGENT else "")


def attested_sender(exchange: str, headers: Mapping[str, object]) -> OrganId | None:
    """Return who published to `exchange`, as the broker's permissions attest it, or None.

    None for anything but ``edoc.out.<code>``, and for what returned through dead-lettering: from there on anyone who
    may write to the dead-letter exchange could have put it in.
    """
    if any(name == "x-death" or name.startswith(("x-first-death-", "x-last-death-")) for name in headers):
        return None
    if not exchange.startswith(_OUT):
        return None
    try:
        return parse_organ_id(exchange.removeprefix(_OUT))
    except EdocError:
        return None


# --- Messages --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class WireMessage:
    """A message as AMQP carries it; every value of `headers` is text, a number or bytes."""

    routing_key: str
    headers: Mapping[str, str | int | bytes]
    content_type: str
    priority: int
    body: bytes


def to_wire(message: Message) -> WireMessage:
    """Return `message` as AMQP carries it."""
    headers: dict[str, str | int | bytes] = {
        "edoc-version": str(message.version),
        "edoc-type": message.type.value,
        "edoc-document-id": message.document_id,
        "edoc-from": message.sender,
        "edoc-to": message.recipient,
        "edoc-sha256": message.sha256,
        "edoc-size": message.size,
        "edoc-hops": message.hops,
    }
    if message.type is MessageType.CHUNK:
        headers["edoc-index"] = message.index
        headers["edoc-count"] = message.count
    if message.relay_evidence:
        headers["edoc-relay-evidence"] = message.relay_evidence
    return WireMessage(
        routing_key=routing_key(message.recipient, message.lane),
        headers=headers,
        content_type=_CONTENT_TYPES[message.type],
        # Quorum queues know two priorities from 4.0 on (above 4 is high) and ignore the property before.
        priority=5 if message.lane is Lane.URGENT else 0,
        body=message.body,
    )


def from_wire(headers: Mapping[str, object], body: bytes, lane: Lane, message_id: str | None = None) -> Message:
    """Return the message that `headers` and `body` describe; `lane` is that of the queue it came from.

    Raises EdocError WIRE_VERSION, WIRE_HEADER, WIRE_BODY.
    """
    version = _version(_text(headers, "edoc-version"))
    kind = _parsed(headers, "edoc-type", MessageType)
    size = _number(headers, "edoc-size", low=0)
    chunked = kind is MessageType.CHUNK
    count = _number(headers, "edoc-count", low=1, high=MAX_CHUNKS) if chunked else 1
    message = Message(
        type=kind,
        document_id=_parsed(headers, "edoc-document-id", parse_document_id),
        sender=_parsed(headers, "edoc-from", parse_organ_id),
        recipient=_parsed(headers, "edoc-to", parse_organ_id),
        lane=lane,
        sha256=_parsed(headers, "edoc-sha256", parse_sha256),
        size=size,
        body=body,
        index=_number(headers, "edoc-index", low=0, high=count - 1) if chunked else 0,
        count=count,
        message_id=MessageId(message_id) if message_id else None,
        version=version,
        hops=_number(headers, "edoc-hops", low=0, high=MAX_HOPS),
        relay_evidence=_evidence(headers),
    )
    _compare_body(message)
    return message


def _compare_body(message: Message) -> None:
    length = len(message.body)
    if length > CHUNK_BYTES:
        raise EdocError(faults.WIRE_BODY, cause=f"{length} bytes in one message", header="edoc-size")
    if message.type is MessageType.CHUNK:
        # The body's digest stands in the manifest; here only what no honest sender gets wrong.
        if not 0 < length <= message.size or message.size > message.count * CHUNK_BYTES:
            raise EdocError(faults.WIRE_BODY, cause=f"{length} of {message.size} bytes", header="edoc-size")
        return
    if length != message.size:
        raise EdocError(faults.WIRE_BODY, cause=f"{length} bytes, announced {message.size}", header="edoc-size")
    if hashlib.sha256(message.body).hexdigest() != message.sha256:
        raise EdocError(faults.WIRE_BODY, cause="digest differs", header="edoc-sha256")


def _version(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,4})(?:\.[0-9]{1,4})?", text, re.ASCII)
    if match is None:
        raise EdocError(faults.WIRE_HEADER, cause=repr(text[:40]), header="edoc-version")
    major = int(match[1])
    if major != WIRE_VERSION:
        raise EdocError(faults.WIRE_VERSION, version=text, known=WIRE_VERSION)
    return major


def _text(headers: Mapping[str, object], name: str) -> str:
    value = headers.get(name)
    if not isinstance(value, str):
        raise EdocError(faults.WIRE_HEADER, cause=type(value).__name__, header=name)
    return value


def _parsed(headers: Mapping[str, object], name: str, parse: Callable[[str], T]) -> T:
    text = _text(headers, name)
    try:
        return parse(text)
    except (EdocError, ValueError) as error:
        raise EdocError(faults.WIRE_HEADER, cause=repr(text[:80]), header=name) from error


def _number(headers: Mapping[str, object], name: str, *, low: int, high: int | None = None) -> int:
    value = headers.get(name)
    # type() and not isinstance(): True is an int in Python and a boolean on the wire.
    if type(value) is not int or value < low or (high is not None and value > high):
        raise EdocError(faults.WIRE_HEADER, cause=repr(value)[:80], header=name)
    return value


def _evidence(headers: Mapping[str, object]) -> bytes:
    value = headers.get("edoc-relay-evidence", b"")
    # AMQP has no difference between text and octets that every client keeps: octets that are UTF-8 come as text.
    octets = value.encode() if isinstance(value, str) else value
    if not isinstance(octets, bytes | bytearray) or len(octets) > EVIDENCE_BYTES:
        raise EdocError(faults.WIRE_HEADER, cause=type(value).__name__, header="edoc-relay-evidence")
    return bytes(octets)


# --- Chunks ----------------------------------------------------------------------------------------------------------


def chunk_count(size: int) -> int:
    """Return in how many messages a container of `size` bytes travels: 1 is whole, more are chunks after a manifest.

    Raises EdocError CHUNK_MANIFEST_INVALID when it is too large for the network.
    """
    count = max(1, -(-size // CHUNK_BYTES))
    if count > MAX_CHUNKS:
        raise EdocError(faults.CHUNK_MANIFEST_INVALID, detail=f"{count} > {MAX_CHUNKS}")
    return count


def split(size: int) -> Iterator[tuple[int, int, int]]:
    """Yield (index, offset, length in bytes) of each chunk of a container of `size` bytes."""
    for index in range(chunk_count(size)):
        offset = index * CHUNK_BYTES
        yield index, offset, min(CHUNK_BYTES, size - offset)


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    document_id: str
    sender: str
    recipients: list[str]
    sha256: str
    size: int
    chunk_bytes: int
    chunks: list[str]


def encode_manifest(manifest: ChunkManifest) -> bytes:
    """Return `manifest` as canonical JSON: UTF-8, keys in order, no white space."""
    plain = _Manifest(
        version=manifest.version,
        document_id=manifest.document_id,
        sender=manifest.sender,
        recipients=list(manifest.recipients),
        sha256=manifest.sha256,
        size=manifest.size,
        chunk_bytes=manifest.chunk_bytes,
        chunks=list(manifest.chunks),
    )
    return msgspec.json.encode(plain, order="sorted")


def decode_manifest(body: bytes) -> ChunkManifest:
    """Return the manifest in `body`, which must be canonical.

    Raises EdocError WIRE_VERSION, CHUNK_MANIFEST_INVALID.
    """
    try:
        plain = msgspec.json.decode(body, type=_Manifest)
    except msgspec.DecodeError as error:
        raise EdocError(faults.CHUNK_MANIFEST_INVALID, cause=str(error), detail="JSON") from error
    if plain.version != WIRE_VERSION:
        raise EdocError(faults.WIRE_VERSION, version=plain.version, known=WIRE_VERSION)
    try:
        manifest = ChunkManifest(
            document_id=parse_document_id(plain.document_id),
            sender=parse_organ_id(plain.sender),
            recipients=tuple(parse_organ_id(code) for code in plain.recipients),
            sha256=parse_sha256(plain.sha256),
            size=plain.size,
            chunk_bytes=plain.chunk_bytes,
            chunks=tuple(parse_sha256(digest) for digest in plain.chunks),
            version=plain.version,
        )
    except EdocError as error:
        raise EdocError(faults.CHUNK_MANIFEST_INVALID, cause=str(error), detail=error.facts["kind"]) from error
    _check_manifest(manifest)
    if encode_manifest(manifest) != body:
        raise EdocError(faults.CHUNK_MANIFEST_INVALID, detail="not canonical")
    return manifest


def _check_manifest(manifest: ChunkManifest) -> None:
    wrong = {
        "recipients": not manifest.recipients or len(set(manifest.recipients)) != len(manifest.recipients),
        "chunk_bytes": not 0 < manifest.chunk_bytes <= CHUNK_BYTES,
        "size": manifest.size <= 0,
        "chunks": not 0 < len(manifest.chunks) <= MAX_CHUNKS,
    }
    for detail, bad in wrong.items():
        if bad:
            raise EdocError(faults.CHUNK_MANIFEST_INVALID, detail=detail)
    if len(manifest.chunks) != -(-manifest.size // manifest.chunk_bytes):
        raise EdocError(faults.CHUNK_MANIFEST_INVALID, detail="chunks")
