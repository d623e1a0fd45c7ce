"""An enemy with a valid account of one office at the broker, and with that office's keys.

He publishes whatever he likes through his own exchange, and reads his own queues; more the broker does not let him do.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractQueue
from fakes.sealed import container, document_with, entries_of, pin, seal_entries
from fakes.signer import sign_digest
from lab.offices import Network
from lab.pki import Issued
from lab.units import Unit

from edoc.adapters.broker_link import BrokerSettings, connect, disconnect
from edoc.envelopes.status import read_status, write_status
from edoc.envelopes.wire import encode_manifest, from_wire, out_exchange, queue_name, to_wire
from edoc.model.document import Document, Lane, Party
from edoc.model.evidence import EvidenceEvent
from edoc.model.identifiers import DocumentId, OrganId, Sha256, sha256_of
from edoc.model.message import CHUNK_BYTES, ChunkManifest, Message, MessageType, StatusCode, StatusReport
from edoc.model.trust import TrustMaterial
from edoc.model.verdict import Verdict
from edoc.signatures import cades, validation, xades
from edoc.signatures.creation import SealCertificate


class Enemy:
    """The account of `unit`, in the hands of somebody."""

    def __init__(self, network: Network, unit: Unit, channel: AbstractChannel, queues: Sequence[AbstractQueue]) -> None:
        self.network = network
        self.unit = unit
        self.seal = network.authority.seals[unit.code]
        self._channel = channel
        self._queues = queues

    async def publish(self, body: bytes, headers: dict[str, object], to: Unit, lane: Lane = Lane.NORMAL) -> None:
        """Publish anything to the office `to`."""
        exchange = await self._channel.get_exchange(out_exchange(OrganId(self.unit.code)), ensure=False)
        message = aio_pika.Message(body, headers=headers, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)  # type: ignore[arg-type]  # wrong on purpose
        key = to.code + ("#urgent" if lane is Lane.URGENT else "")
        await exchange.publish(message, key, mandatory=True)

    async def send(self, message: Message, to: Unit, **wrong: object) -> None:
        """Publish `message` as an honest office would; `wrong` replaces headers (with _ for -)."""
        headers: dict[str, object] = dict(to_wire(message).headers)
        headers |= {"edoc-" + name.replace("_", "-"): value for name, value in wrong.items()}
        await self.publish(message.body, headers, to, message.lane)

    async def send_container(self, body: bytes, document_id: DocumentId, to: Unit) -> None:
        """Publish a container under that id."""
        await self.send(self.message(MessageType.CONTAINER, body, document_id, to), to)

    async def send_status(self, body: bytes, document_id: DocumentId, to: Unit) -> None:
        """Publish a status message about that id."""
        await self.send(self.message(MessageType.STATUS, body, document_id, to), to)

    @staticmethod
    def headers(message: Message) -> dict[str, object]:
        """Return the headers of an honest message."""
        return dict(to_wire(message).headers)

    def message(self, kind: MessageType, body: bytes, document_id: DocumentId, to: Unit) -> Message:
        """Return a well-formed message of ours."""
        return Message(
            type=kind,
            document_id=document_id,
            sender=OrganId(self.unit.code),
            recipient=OrganId(to.code),
            lane=Lane.NORMAL,
            sha256=sha256_of(body),
            size=len(body),
            body=body,
        )

    def chunk(self, body: bytes, manifest: ChunkManifest, index: int, to: Unit) -> Message:
        """Return chunk `index` of a container."""
        message = self.message(MessageType.CHUNK, body, manifest.document_id, to)
        return replace(message, sha256=manifest.sha256, size=manifest.size, index=index, count=len(manifest.chunks))

    async def answer(self, document_id: DocumentId, limit: float = 20.0) -> StatusReport:
        """Return the next status message about `document_id`; those about others are thrown away."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            for report in await self.answers():
                if report.document_id == document_id:
                    return report
            await asyncio.sleep(0.02)
        raise AssertionError(f"no answer about {document_id} within {limit} s")

    async def answer_first(self, limit: float = 20.0) -> StatusReport:
        """Return the next status message, whatever it is about."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            if found := await self.answers():
                return found[0]
            await asyncio.sleep(0.02)
        raise AssertionError(f"no answer within {limit} s")

    async def answers(self) -> list[StatusReport]:
        """Return all status messages that wait now, verified as ours to trust."""
        found = []
        for queue in self._queues:
            while (message := await queue.get(no_ack=True, fail=False)) is not None:
                read = from_wire(message.headers, message.body, Lane.NORMAL)
                if read.type is not MessageType.STATUS:
                    continue  # a document for this office: the enemy has it elsewhere
                report = read_status(read.body)
                assert verdict_of(self.network, report.sender.organ_id, read.body).passed
                found.append(report)
        return found


@asynccontextmanager
async def enemy(network: Network, unit: Unit) -> AsyncIterator[Enemy]:
    """Yield the account of `unit`, connected; its queues are emptied."""
    files = network.node.client(unit.code)
    settings = BrokerSettings(
        host=network.node.host,
        port=network.node.amqps_port,
        ca=files.ca,
        certificate=files.certificate,
        key=files.key,
    )
    connection = await connect(settings, f"{unit.code} enemy")
    try:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        names = [queue_name(unit.level, OrganId(unit.code), lane) for lane in Lane]
        queues = [await channel.get_queue(name, ensure=False) for name in names]
        found = Enemy(network, unit, channel, queues)
        await found.answers()
        yield found
    finally:
        await disconnect(connection)


def new_id() -> DocumentId:
    return DocumentId(str(uuid4()))


def document(sender: Unit, to: Sequence[Unit], files: Sequence[bytes], document_id: DocumentId) -> Document:
    """Return a document that says it comes from `sender`."""
    return replace(
        document_with(files, OrganId(sender.code)),
        document_id=document_id,
        recipients=tuple(Party(organ_id=OrganId(unit.code), name=unit.name) for unit in to),
        sealed_at=datetime.now(UTC),
    )


def sealed(written: Document, files: Sequence[bytes], seal: Issued) -> bytes:
    """Return the container of a document, sealed with `seal`."""
    entries = entries_of(written, files)
    return container(entries, seal_entries(entries, seal, at=datetime.now(UTC)))


def package(
    sender: Unit, to: Sequence[Unit], seal: Issued, document_id: DocumentId, content: bytes = b"ten,so\nA,1\n"
) -> bytes:
    """Return a container with one file."""
    return sealed(document(sender, to, [content], document_id), [content], seal)


def status(
    network: Network,
    sender: Unit,
    document_id: DocumentId,
    *,
    to: Unit,
    package: bytes,
    digests: Sequence[Sha256] = (),
    code: StatusCode = StatusCode.ARRIVED,
    status_id: DocumentId | None = None,
    seal: Issued | None = None,
) -> bytes:
    """Return a status message from `sender` about a package, signed by its seal or by another."""
    seal = seal or network.authority.seals[sender.code]
    refusal = code is StatusCode.REFUSED
    report = StatusReport(
        status_id=status_id or new_id(),
        document_id=document_id,
        sender=Party(organ_id=OrganId(sender.code), name=sender.name),
        recipient=OrganId(to.code),
        code=code,
        event=EvidenceEvent.CONTENT_CONSIGNMENT_FAILURE if refusal else EvidenceEvent.CONTENT_CONSIGNMENT,
        timestamp=datetime.now(UTC),
        container_sha256=sha256_of(package),
        signature_digests=tuple(digests),
        fault="SEAL_NOT_ACCEPTED" if refusal else "",
    )
    certificate = SealCertificate.read(seal.der)
    prepared = xades.prepare_enveloped(write_status(report), certificate, certificate.algorithm, datetime.now(UTC))
    return xades.finish_enveloped(prepared, sign_digest(seal, prepared.algorithm, prepared.digest))


def verdict_of(network: Network, sender: OrganId, body: bytes) -> Verdict:
    """Judge a status message as its recipient would."""
    now = datetime.now(UTC)
    material = TrustMaterial(
        anchors=network.pki.anchors,
        intermediates=network.pki.intermediates,
        crls=(network.pki.crl(now), network.pki.root_crl(now)),
        pins=(pin(network.authority.seals[sender], sender),),
        at=now,
    )
    return validation.validate_status(body, material)[1]


def pieces_of(package: bytes) -> list[bytes]:
    """Return a container cut into chunks."""
    return [package[at : at + CHUNK_BYTES] for at in range(0, len(package), CHUNK_BYTES)]


def split_up(package: bytes, document_id: DocumentId, sender: Unit, to: Unit) -> ChunkManifest:
    """Return the manifest of a container cut into chunks."""
    return ChunkManifest(
        document_id=document_id,
        sender=OrganId(sender.code),
        recipients=(OrganId(to.code),),
        sha256=sha256_of(package),
        size=len(package),
        chunk_bytes=CHUNK_BYTES,
        chunks=tuple(sha256_of(piece) for piece in pieces_of(package)),
    )


def sealed_manifest(manifest: ChunkManifest, seal: Issued) -> bytes:
    """Return the CMS message of a manifest."""
    content = encode_manifest(manifest)
    certificate = SealCertificate.read(seal.der)
    prepared = cades.prepare(
        hashlib.sha256(content).digest(),
        certificate,
        certificate.algorithm,
        at=datetime.now(UTC),
        content=content,
        pdf=False,
    )
    return cades.finish(prepared, sign_digest(seal, prepared.algorithm, prepared.digest))
