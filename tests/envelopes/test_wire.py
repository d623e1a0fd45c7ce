"""AMQP headers, names at the broker, chunk manifests."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edoc.envelopes.wire import (
    EVIDENCE_BYTES,
    MAX_CHUNKS,
    MAX_HOPS,
    attested_sender,
    chunk_count,
    decode_manifest,
    encode_manifest,
    from_wire,
    out_exchange,
    queue_name,
    routing_key,
    split,
    to_wire,
)
from edoc.errors import EdocError
from edoc.model.document import Lane
from edoc.model.identifiers import DocumentId, MessageId, OrganId, Sha256
from edoc.model.message import CHUNK_BYTES, ChunkManifest, Message, MessageType

WHOLE = [MessageType.CONTAINER, MessageType.MANIFEST, MessageType.STATUS]

organs = st.from_regex(re.compile(r"[A-Z0-9]{1,5}(\.[A-Z0-9]{1,4}){0,4}", re.ASCII), fullmatch=True).map(OrganId)
documents = st.uuids().map(lambda found: DocumentId(str(found)))
digests = st.binary(min_size=32, max_size=32).map(lambda octets: Sha256(octets.hex()))
ids = st.none() | st.uuids().map(lambda found: MessageId(str(found)))


@st.composite
def messages(draw: st.DrawFn) -> Message:
    kind = draw(st.sampled_from(MessageType))
    body = draw(st.binary(min_size=1, max_size=300))
    count = draw(st.integers(1, MAX_CHUNKS)) if kind is MessageType.CHUNK else 1
    chunked = kind is MessageType.CHUNK
    return Message(
        type=kind,
        document_id=draw(documents),
        sender=draw(organs),
        recipient=draw(organs),
        lane=draw(st.sampled_from(Lane)),
        sha256=draw(digests) if chunked else Sha256(hashlib.sha256(body).hexdigest()),
        size=draw(st.integers(len(body), count * CHUNK_BYTES)) if chunked else len(body),
        body=body,
        index=draw(st.integers(0, count - 1)),
        count=count,
        message_id=draw(ids),
        hops=draw(st.integers(0, MAX_HOPS)),
        relay_evidence=draw(st.binary(max_size=100)),
    )


@st.composite
def manifests(draw: st.DrawFn) -> ChunkManifest:
    chunks = tuple(draw(st.lists(digests, min_size=1, max_size=5)))
    chunk_bytes = draw(st.integers(1, CHUNK_BYTES))
    return ChunkManifest(
        document_id=draw(documents),
        sender=draw(organs),
        recipients=tuple(draw(st.lists(organs, min_size=1, max_size=4, unique=True))),
        sha256=draw(digests),
        size=draw(st.integers((len(chunks) - 1) * chunk_bytes + 1, len(chunks) * chunk_bytes)),
        chunk_bytes=chunk_bytes,
        chunks=chunks,
    )


def plain(kind: MessageType = MessageType.CONTAINER, body: bytes = b"package") -> Message:
    return Message(
        type=kind,
        document_id=DocumentId(str(UUID(int=7))),
        sender=OrganId("H53.31.20"),
        recipient=OrganId("H53"),
        lane=Lane.NORMAL,
        sha256=Sha256(hashlib.sha256(body).hexdigest()),
        size=len(body),
        body=body,
    )


def fault_of(message: Message, changes: dict[str, object] | None = None, body: bytes | None = None) -> tuple[str, str]:
    """Read `message` with headers changed (None removes one) and return the fault and the header it blames."""
    changed = {**to_wire(message).headers, **(changes or {})}
    present = {name: value for name, value in changed.items() if value is not None}
    with pytest.raises(EdocError) as caught:
        from_wire(present, message.body if body is None else body, Lane.NORMAL)
    return caught.value.code, caught.value.facts.get("header", "")


# --- messages --------------------------------------------------------------------------------------------------------


@given(messages())
def test_what_is_written_is_read_back_the_same(message: Message) -> None:
    wire = to_wire(message)
    assert from_wire(wire.headers, wire.body, message.lane, message.message_id) == message


def test_the_urgent_lane_has_its_own_key_and_a_high_priority() -> None:
    normal, urgent = to_wire(plain()), to_wire(replace(plain(), lane=Lane.URGENT))
    assert (normal.routing_key, normal.priority) == ("H53", 0)
    assert (urgent.routing_key, urgent.priority) == ("H53#urgent", 5)


def test_headers_that_are_not_known_are_ignored() -> None:
    wire = to_wire(plain())
    assert from_wire({**wire.headers, "edoc-new": object(), "x-delivery-count": 3}, wire.body, Lane.NORMAL) == plain()


@pytest.mark.parametrize("version", ["1", "1.0", "1.17"])
def test_a_minor_version_is_understood(version: str) -> None:
    wire = to_wire(plain())
    assert from_wire({**wire.headers, "edoc-version": version}, wire.body, Lane.NORMAL) == plain()


@pytest.mark.parametrize("version", ["2", "0", "10.1"])
def test_another_major_version_is_named(version: str) -> None:
    assert fault_of(plain(), {"edoc-version": version}) == ("WIRE_VERSION", "")


@pytest.mark.parametrize("version", ["", "1.", "one", "1.0.0", "١", "1\n", 1, None])
def test_a_version_that_is_none_is_malformed(version: object) -> None:
    assert fault_of(plain(), {"edoc-version": version}) == ("WIRE_HEADER", "edoc-version")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("type", "letter"),
        ("type", b"container"),
        ("document-id", "00000000-0000-0000-0000-00000000000G"),
        ("document-id", "../../etc/passwd"),
        ("from", "h53"),
        ("to", "H53..1"),
        ("to", None),
        ("sha256", "AB" * 32),
        ("size", "7"),
        ("size", True),
        ("size", -1),
        ("size", 7.0),
        ("hops", MAX_HOPS + 1),
        ("hops", None),
        ("relay-evidence", b"x" * (EVIDENCE_BYTES + 1)),
        ("relay-evidence", 5),
    ],
)
def test_a_header_of_the_wrong_form_is_named(name: str, value: object) -> None:
    assert fault_of(plain(), {f"edoc-{name}": value}) == ("WIRE_HEADER", f"edoc-{name}")


@pytest.mark.parametrize("kind", WHOLE)
def test_a_body_must_be_what_its_headers_announce(kind: MessageType) -> None:
    assert fault_of(plain(kind), body=b"packag") == ("WIRE_BODY", "edoc-size")
    assert fault_of(plain(kind), body=b"PACKAGE") == ("WIRE_BODY", "edoc-sha256")


def test_a_body_above_one_mebibyte_is_refused() -> None:
    assert fault_of(plain(body=bytes(CHUNK_BYTES + 1))) == ("WIRE_BODY", "edoc-size")


@pytest.mark.parametrize(
    ("name", "value", "blamed"),
    [
        ("index", 4, "index"),
        ("index", None, "index"),
        ("count", 0, "count"),
        ("count", MAX_CHUNKS + 1, "count"),
        ("count", None, "count"),
    ],
)
def test_a_chunk_has_a_place(name: str, value: object, blamed: str) -> None:
    chunk = replace(plain(MessageType.CHUNK), index=3, count=4, size=4 * CHUNK_BYTES)
    assert fault_of(chunk, {f"edoc-{name}": value}) == ("WIRE_HEADER", f"edoc-{blamed}")


@pytest.mark.parametrize("size", [3, 4 * CHUNK_BYTES + 1])
def test_a_chunk_fits_its_container(size: int) -> None:
    chunk = replace(plain(MessageType.CHUNK), index=3, count=4, size=4 * CHUNK_BYTES)
    assert fault_of(chunk, {"edoc-size": size}) == ("WIRE_BODY", "edoc-size")


# --- who sent it -----------------------------------------------------------------------------------------------------


@given(organs)
def test_the_exchange_names_the_sender(organ_id: OrganId) -> None:
    assert attested_sender(out_exchange(organ_id), {}) == organ_id


@pytest.mark.parametrize(
    "exchange", ["", "edoc.out.", "edoc.router", "edoc.dead", "edoc.outH53", "edoc.out.h53", "Xedoc.out.H53"]
)
def test_no_other_exchange_does(exchange: str) -> None:
    assert attested_sender(exchange, {}) is None


@pytest.mark.parametrize("header", ["x-death", "x-first-death-exchange", "x-first-death-queue", "x-last-death-reason"])
def test_what_came_back_through_dead_lettering_has_no_sender(header: str) -> None:
    assert attested_sender("edoc.out.H53", {header: []}) is None


def test_lanes_and_organisations_never_share_a_name() -> None:
    codes = [OrganId("H53"), OrganId("H53.31"), OrganId("H53.31.20")]
    assert len({routing_key(code, lane) for code in codes for lane in Lane}) == 6
    assert len({queue_name("commune", code, lane) for code in codes for lane in Lane}) == 6


# --- chunks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "count"),
    [
        (0, 1),
        (1, 1),
        (CHUNK_BYTES, 1),
        (CHUNK_BYTES + 1, 2),
        (3 * CHUNK_BYTES, 3),
        (MAX_CHUNKS * CHUNK_BYTES, MAX_CHUNKS),
    ],
)
def test_a_container_is_split_into_pieces_of_one_mebibyte(size: int, count: int) -> None:
    assert chunk_count(size) == count
    pieces = list(split(size))
    assert [index for index, _, _ in pieces] == list(range(count))
    assert all(offset == index * CHUNK_BYTES for index, offset, _ in pieces)
    assert sum(length for _, _, length in pieces) == size


def test_a_container_too_large_for_the_network_is_refused() -> None:
    with pytest.raises(EdocError) as caught:
        chunk_count(MAX_CHUNKS * CHUNK_BYTES + 1)
    assert caught.value.code == "CHUNK_MANIFEST_INVALID"


@given(manifests())
def test_a_manifest_is_read_back_the_same(manifest: ChunkManifest) -> None:
    assert decode_manifest(encode_manifest(manifest)) == manifest


def test_the_largest_manifest_fits_one_message() -> None:
    recipients = tuple(OrganId(f"H53.{number:029d}") for number in range(5000))
    chunks = (Sha256("ab" * 32),) * MAX_CHUNKS
    manifest = replace(_manifest(), recipients=recipients, chunks=chunks, size=MAX_CHUNKS * 4)
    assert len(encode_manifest(manifest)) < CHUNK_BYTES


@pytest.mark.parametrize(
    "change",
    [
        {"recipients": ()},
        {"recipients": (OrganId("H53"), OrganId("H53"))},
        {"chunks": ()},
        {"size": 0},
        {"size": 9},
        {"size": 4},
        {"chunk_bytes": 0},
        {"chunk_bytes": CHUNK_BYTES + 1},
        {"sender": OrganId("h53")},
        {"document_id": DocumentId("x")},
        {"sha256": Sha256("AB" * 32)},
        {"chunks": (Sha256("ab"), Sha256("cd"))},
    ],
)
def test_a_manifest_that_does_not_add_up_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(EdocError) as caught:
        decode_manifest(encode_manifest(replace(_manifest(), **change)))  # type: ignore[arg-type]  # any field
    assert caught.value.code == "CHUNK_MANIFEST_INVALID"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b"{}",
        lambda body: body + b" ",
        lambda body: body.replace(b'"size"', b' "size"'),
        lambda body: body[:-1] + b',"extra":1}',
        lambda body: body.replace(b'"size":8', b'"size":8.0'),
        lambda body: body[:-1] + b',"size":8}',
    ],
)
def test_a_manifest_has_one_spelling(body: object) -> None:
    octets = body(encode_manifest(_manifest())) if callable(body) else body
    assert isinstance(octets, bytes)
    with pytest.raises(EdocError) as caught:
        decode_manifest(octets)
    assert caught.value.code == "CHUNK_MANIFEST_INVALID"


def test_a_manifest_of_another_version_is_named() -> None:
    with pytest.raises(EdocError) as caught:
        decode_manifest(encode_manifest(replace(_manifest(), version=2)))
    assert caught.value.code == "WIRE_VERSION"


def _manifest() -> ChunkManifest:
    return ChunkManifest(
        document_id=DocumentId(str(UUID(int=7))),
        sender=OrganId("H53"),
        recipients=(OrganId("H53.31.20"),),
        sha256=Sha256("ab" * 32),
        size=8,
        chunk_bytes=4,
        chunks=(Sha256("01" * 32), Sha256("02" * 32)),
    )
