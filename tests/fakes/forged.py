"""Messages that no honest office sends, and honest ones made by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from fakes.sealed import container, document_with, entries_of, seal_entries
from fakes.signer import sign_digest
from fakes.world import World
from lab.pki import Issued

from edoc.envelopes import wire
from edoc.envelopes.status import write_status
from edoc.model.document import Document, Lane, Party
from edoc.model.identifiers import DocumentId, OrganId, sha256_of
from edoc.model.message import CHUNK_BYTES, ChunkManifest, Message, MessageType, StatusReport
from edoc.signatures import cades, xades
from edoc.signatures.creation import SealCertificate

FILES = (b"noi dung cong van",)


def document(world: World, sender: OrganId, recipients: Sequence[OrganId], files: Sequence[bytes] = FILES) -> Document:
    """Return a new document."""
    made = document_with(files, sender)
    attachments = tuple(
        replace(each, name=f"Phụ lục {each.number}.txt", media_type="text/plain") for each in made.attachments
    )
    return replace(
        made,
        document_id=world.clock.mint(),
        recipients=tuple(Party(organ_id=code) for code in recipients),
        attachments=attachments,
        sealed_at=world.clock.now(),
    )


def package(made: Document, seal: Issued, at: datetime, files: Sequence[bytes] = FILES) -> bytes:
    """Return the container of a document, sealed with `seal`."""
    entries = entries_of(made, files)
    return container(entries, seal_entries(entries, seal, at=at))


def tampered(made: Document, seal: Issued, at: datetime) -> bytes:
    """Return a container whose attachment was changed after sealing."""
    entries = entries_of(made, FILES)
    signatures = seal_entries(entries, seal, at=at)
    (name, kind, _), others = entries[-1], entries[:-1]
    return container([*others, (name, kind, b"noi dung khac day")], signatures)


def message(body: bytes, document_id: DocumentId, sender: OrganId, recipient: OrganId) -> Message:
    """Return a container as a message."""
    return Message(
        type=MessageType.CONTAINER,
        document_id=document_id,
        sender=sender,
        recipient=recipient,
        lane=Lane.NORMAL,
        sha256=sha256_of(body),
        size=len(body),
        body=body,
    )


def pieces(body: bytes) -> list[bytes]:
    """Return a container in chunks."""
    return [body[at : at + CHUNK_BYTES] for at in range(0, len(body), CHUNK_BYTES)]


def manifest_of(body: bytes, document_id: DocumentId, sender: OrganId, recipients: Sequence[OrganId]) -> ChunkManifest:
    """Return the manifest of a container in chunks."""
    return ChunkManifest(
        document_id=document_id,
        sender=sender,
        recipients=tuple(recipients),
        sha256=sha256_of(body),
        size=len(body),
        chunk_bytes=CHUNK_BYTES,
        chunks=tuple(sha256_of(piece) for piece in pieces(body)),
    )


def sealed_manifest(manifest: ChunkManifest, seal: Issued, at: datetime) -> bytes:
    """Return a manifest, sealed."""
    content = wire.encode_manifest(manifest)
    certificate = SealCertificate.read(seal.der)
    to_sign = cades.prepare(
        hashlib.sha256(content).digest(), certificate, certificate.algorithm, at=at, content=content, pdf=False
    )
    return cades.finish(to_sign, sign_digest(seal, to_sign.algorithm, to_sign.digest))


def in_chunks(body: bytes, manifest: ChunkManifest, sealed: bytes, recipient: OrganId) -> tuple[Message, list[Message]]:
    """Return the message of the manifest and those of the chunks."""
    parts = pieces(body)
    whole = message(body, manifest.document_id, manifest.sender, recipient)
    first = replace(
        whole,
        type=MessageType.MANIFEST,
        body=sealed,
        sha256=sha256_of(sealed),
        size=len(sealed),
        count=len(parts),
    )
    chunks = [
        replace(whole, type=MessageType.CHUNK, body=part, index=index, count=len(parts))
        for index, part in enumerate(parts)
    ]
    return first, chunks


def signed(report: StatusReport, seal: Issued, at: datetime) -> bytes:
    """Return a status message, signed with `seal`."""
    certificate = SealCertificate.read(seal.der)
    prepared = xades.prepare_enveloped(write_status(report), certificate, certificate.algorithm, at)
    return xades.finish_enveloped(prepared, sign_digest(seal, prepared.algorithm, prepared.digest))


async def publish(world: World, sender: OrganId, *messages: Message) -> None:
    """Publish as `sender`, with its rights at the broker."""
    broker = world.network.broker(sender)
    for each in messages:
        await broker.publish(each)


HOUR = timedelta(hours=1)
