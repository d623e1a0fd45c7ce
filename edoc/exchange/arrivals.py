"""Arrivals: what the broker delivers, until it is settled.

Rules: nothing is settled before it is durable here: staged and fsynced, judged, committed.  A temporary fault of our
own keeps the message unsettled and is tried again here, so that it does not use up the queue's delivery limit.  What
cannot be read at all goes to quarantine with an alarm, never into the void.

Does not decide about documents: :mod:`edoc.exchange.reception` does.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import structlog

from edoc.envelopes import wire
from edoc.errors import Disposition, EdocError, FaultReport
from edoc.errors.exchange import DISK_FAILING, STATE_CONFLICT
from edoc.errors.journey import (
    ATTESTATION_LOST,
    CHUNK_REFUSED,
    DOCUMENT_CONFLICT,
    INTERNAL,
    MANIFEST_REFUSED,
    PACKAGE_TOO_LARGE,
    SEAL_NOT_ACCEPTED,
)
from edoc.exchange.answers import Answers
from edoc.exchange.office import Office
from edoc.exchange.reception import PARTS_COME, Arrival, Reception
from edoc.exchange.reports import error_json, error_text
from edoc.exchange.retry import next_attempt
from edoc.exchange.room import LOOK_EVERY, Room
from edoc.exchange.rules import may_yet_pass
from edoc.exchange.trust import Trust
from edoc.model.document import Lane, Urgency
from edoc.model.identifiers import DocumentId, FileRef, OrganId, Sha256
from edoc.model.message import CHUNK_BYTES, ChunkManifest, Message, MessageType
from edoc.model.record import Change, Key, Move, ReceptionBody, Record, moved
from edoc.model.state import Kind, State
from edoc.model.verdict import Verdict
from edoc.ports import Alarm, Broker, Clock, Delivery, Inbox, Journal, Sandbox


class Arrivals:
    """Consumes our queues."""

    def __init__(  # noqa: PLR0913 -- a constructor lists its ports
        self,
        *,
        office: Office,
        clock: Clock,
        broker: Broker,
        inbox: Inbox,
        journal: Journal,
        sandbox: Sandbox,
        trust: Trust,
        reception: Reception,
        answers: Answers,
        room: Room,
        alarm: Alarm,
        poke: Callable[[Lane], None],
        chance: Callable[[], float],
    ) -> None:
        self._office = office
        self._clock = clock
        self._broker = broker
        self._inbox = inbox
        self._journal = journal
        self._sandbox = sandbox
        self._trust = trust
        self._reception = reception
        self._answers = answers
        self._room = room
        self._alarm = alarm
        self._poke = poke
        self._chance = chance
        self._closed = asyncio.Event()
        self._log = structlog.get_logger("edoc.arrivals")

    async def resume(self) -> None:
        """Put away what the last stop left of refused documents."""
        await self._reception.resume()

    def stop(self) -> None:
        """Wait for nothing more: what is not settled yet comes again."""
        self._closed.set()

    async def run(self, lane: Lane, workers: int) -> None:
        """Take deliveries of `lane` until the broker port is closed."""
        free = asyncio.Semaphore(workers)
        async with asyncio.TaskGroup() as group:
            async for delivery in self._broker.deliveries(lane):
                while not self._room.enough() and await self._pause(LOOK_EVERY):
                    pass  # what was delivered stays unsettled
                await free.acquire()
                task = group.create_task(self.take(delivery))
                task.add_done_callback(lambda _: free.release())
            self._closed.set()

    async def take(self, delivery: Delivery) -> None:
        """Make one delivery durable, whatever it is, then settle it."""
        attempts = 0
        while True:
            try:
                await self._attempt(delivery)
            except EdocError as error:
                if error.fault is DISK_FAILING:
                    raise
                if error.fault.disposition is Disposition.OPERATOR and not attempts:
                    self._alarm(error.report(), None)
                self._log.warning("arrival_postponed", fault=error.code, cause=error.cause, attempts=attempts)
            else:
                await self._broker.settle(delivery)
                return
            now = self._clock.now()
            if not await self._pause(next_attempt(now, attempts, self._office.patience, self._chance()) - now):
                return  # the broker has it still
            attempts += 1

    async def _attempt(self, delivery: Delivery) -> None:
        """Deal with a delivery, or put it away; what is raised is a trouble of our own."""
        try:
            await self._dispatch(delivery)
        except EdocError as error:
            ours = error.fault.disposition is Disposition.TEMPORARY or error.fault in {STATE_CONFLICT, DISK_FAILING}
            if ours:
                raise
            await self._put_away(delivery, error.report())
        except Exception as error:  # noqa: BLE001 -- a bug on one message must not stop the lane; it is told
            self._log.exception("arrival_failed")
            await self._put_away(delivery, FaultReport(code=INTERNAL.code, cause=f"{type(error).__name__}: {error}"))

    async def _pause(self, duration: timedelta) -> bool:
        """Wait for `duration`; say whether to go on: not once the broker port was closed."""
        either = {
            asyncio.ensure_future(self._clock.sleep(duration)),
            asyncio.ensure_future(self._closed.wait()),
        }
        _, waiting = await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        for one in waiting:
            one.cancel()
        return not self._closed.is_set()

    async def _dispatch(self, delivery: Delivery) -> None:
        message = delivery.message
        if message is None:
            raise (delivery.fault or FaultReport(code=INTERNAL.code)).error()
        if delivery.attested_sender is None:
            raise EdocError(ATTESTATION_LOST)
        match message.type:
            case MessageType.CONTAINER:
                await self._container(message, delivery.attested_sender)
            case MessageType.MANIFEST:
                await self._manifest(message, delivery.attested_sender)
            case MessageType.CHUNK:
                await self._chunk(message, delivery.attested_sender)
            case MessageType.STATUS:
                await self._answers.take(message.body, delivery.attested_sender)

    async def _container(self, message: Message, attested: OrganId) -> None:
        digest = await _sha256(message.body)
        if await self._known(digest, attested):
            return
        staged = await self._inbox.of(attested).stage(digest, message.body)
        arrival = self._arrival(message, attested, digest, len(message.body), staged)
        change = await self._reception.judge(arrival)
        await self._commit(change)
        if not change.moves and not change.adds and await self._delivered(digest, attested):
            await self._inbox.of(attested).drop(digest)  # another copy was faster, and no record leads to these bytes
            return
        self._log.info("document_arrived", document_id=message.document_id, peer=attested, size=len(message.body))

    async def _delivered(self, digest: Sha256, attested: OrganId) -> bool:
        records = await self._journal.find(
            kind=Kind.RECEPTION, container_sha256=digest, states=frozenset({State.DELIVERED})
        )
        return any(record.key.peer == attested for record in records)

    async def _known(self, digest: Sha256, attested: OrganId) -> bool:
        """Answer a container that is already here; say whether it is."""
        records = await self._journal.find(kind=Kind.RECEPTION, container_sha256=digest)
        known = next(
            (record for record in records if record.key.peer == attested and record.state is not State.ASSEMBLING), None
        )
        if known is None:
            return False
        await self._commit(await self._reception.again(known))
        await self._reception.committed(known)
        self._log.info("document_again", document_id=known.document_id, peer=attested, state=known.state)
        return True

    async def _manifest(self, message: Message, attested: OrganId) -> None:
        read = await self._sandbox.verify_manifest(
            message.body, await self._trust.material(attested, self._clock.now())
        )
        manifest = read.manifest
        if manifest.sender != attested or self._office.code not in manifest.recipients:
            raise EdocError(MANIFEST_REFUSED, detail=f"{manifest.sender} → {', '.join(manifest.recipients[:5])}")
        if await self._known(manifest.sha256, attested):
            return
        arrival = self._arrival(message, attested, manifest.sha256, manifest.size, FileRef(""))
        arrival = replace(arrival, document_id=manifest.document_id)
        fault = self._why_not(manifest, read.verdict)
        if fault is not None:
            await self._commit(await self._reception.refuse(arrival, fault))
            return
        await self._expect(manifest, arrival)

    def _why_not(self, manifest: ChunkManifest, verdict: Verdict) -> FaultReport | None:
        limit = self._office.policy.max_package_bytes
        if manifest.size > limit:
            return EdocError(PACKAGE_TOO_LARGE, size=manifest.size, limit=limit).report()
        # A seal that cannot be judged yet is no reason to stop: the package's own seal decides, and may be held.
        if verdict.passed or may_yet_pass(verdict.indication, verdict.sub_indication):
            return None
        facts = {"indication": str(verdict.indication), "sub_indication": str(verdict.sub_indication or "")}
        return FaultReport(code=SEAL_NOT_ACCEPTED.code, facts=facts)

    async def _expect(self, manifest: ChunkManifest, arrival: Arrival) -> None:
        key = Key(Kind.RECEPTION, manifest.document_id, manifest.sender)
        known = await self._journal.get(key)
        expected = known is not None and known.state is State.ASSEMBLING and _container(known) == manifest.sha256
        refused_before = known is not None and known.state is State.QUARANTINED
        if known is not None and not expected and not refused_before:
            fault = FaultReport(code=DOCUMENT_CONFLICT.code)
            await self._commit(await self._reception.refuse(arrival, fault))
            return
        await self._inbox.of(arrival.attested).stage_manifest(manifest.sha256, wire.encode_manifest(manifest))
        if not expected:
            body = ReceptionBody(
                container_sha256=manifest.sha256,
                size=manifest.size,
                attested_sender=arrival.attested,
                received_at=arrival.received_at,
            )
            await self._commit(self._assembling(key, arrival, body, known))
        await self._complete(manifest.sha256, arrival.attested)

    def _assembling(self, key: Key, arrival: Arrival, body: ReceptionBody, known: Record | None) -> Change:
        due = arrival.received_at + PARTS_COME
        if known is not None:
            return Change(moves=(moved(known, State.ASSEMBLING, at=due, body=body),))
        record = Record(
            key=key,
            state=State.ASSEMBLING,
            lane=arrival.lane,
            urgency=Urgency.NORMAL,
            created=arrival.received_at,
            next_attempt=due,
            body=body,
        )
        return Change(adds=(record,))

    async def _chunk(self, message: Message, attested: OrganId) -> None:
        limit = -(-self._office.policy.max_package_bytes // CHUNK_BYTES)
        if len(message.body) > CHUNK_BYTES or not 0 <= message.index < message.count <= limit:
            raise EdocError(CHUNK_REFUSED, detail=f"{message.index}/{message.count}, {len(message.body)} bytes")
        records = await self._journal.find(kind=Kind.RECEPTION, container_sha256=message.sha256)
        if any(record.key.peer == attested and record.state is not State.ASSEMBLING for record in records):
            return  # the container is already here
        await self._check_chunk(message, attested)
        await self._inbox.of(attested).stage_chunk(message.sha256, message.index, message.body)
        await self._complete(message.sha256, attested)

    async def _check_chunk(self, message: Message, attested: OrganId) -> None:
        """Refuse a chunk that the manifest does not name."""
        manifest, _ = await self._inbox.of(attested).chunks(message.sha256)
        if manifest is None:
            return  # it came first; the whole is checked when it is put together
        expected = wire.decode_manifest(manifest).chunks
        if message.index >= len(expected) or await _sha256(message.body) != expected[message.index]:
            raise EdocError(CHUNK_REFUSED, detail=f"{message.index}/{message.count}, not what the manifest names")

    async def _complete(self, digest: Sha256, attested: OrganId) -> None:
        """Make the assembling record due once its last chunk is durable."""
        manifest, have = await self._inbox.of(attested).chunks(digest)
        if manifest is None or len(have) < len(wire.decode_manifest(manifest).chunks):
            return
        for record in await self._journal.find(kind=Kind.RECEPTION, container_sha256=digest):
            if record.key.peer == attested and record.state is State.ASSEMBLING:
                due = Record(
                    key=record.key,
                    state=record.state,
                    lane=record.lane,
                    urgency=record.urgency,
                    created=record.created,
                    next_attempt=self._clock.now(),
                    body=record.body,
                )
                await self._commit(Change(moves=(Move(record=due, was=record.state),)))

    async def _commit(self, change: Change) -> None:
        if not change.moves and not change.adds and not change.evidence:
            return
        await self._journal.commit(change)
        for record in (*(move.record for move in change.moves), *change.adds):
            if record.key.kind is Kind.RECEPTION:
                await self._reception.committed(record)
            self._poke(record.lane)

    def _arrival(self, message: Message, attested: OrganId, digest: Sha256, size: int, staged: FileRef) -> Arrival:
        return Arrival(
            document_id=message.document_id,
            attested=attested,
            lane=message.lane,
            sha256=digest,
            size=size,
            staged=staged,
            received_at=self._clock.now(),
        )

    async def _put_away(self, delivery: Delivery, fault: FaultReport) -> None:
        """Keep what nobody can read: the bytes go to quarantine and a person is told."""
        body = delivery.message.body if delivery.message else delivery.body
        document_id: DocumentId = delivery.message.document_id if delivery.message else self._clock.mint()
        digest = await _sha256(body)
        inbox = self._inbox if delivery.attested_sender is None else self._inbox.of(delivery.attested_sender)
        await inbox.stage(digest, body)
        await inbox.quarantine(
            document_id, digest, [("error.json", error_json(fault)), ("error.txt", error_text(fault).encode())]
        )
        self._alarm(fault, None)
        self._log.error("arrival_put_away", document_id=document_id, fault=fault.code, cause=fault.cause)


def _container(record: Record) -> Sha256 | None:
    return record.body.container_sha256 if isinstance(record.body, ReceptionBody) else None


async def _sha256(body: bytes) -> Sha256:
    return Sha256((await asyncio.to_thread(hashlib.sha256, body)).hexdigest())
