"""Transfers: QUEUED → SENT, one per recipient, and what their recipients answer.

Rules: nothing is published that is not in the journal; the same bytes on every attempt.  SENT means that the broker
has the whole package safe in the recipient's queue.  Only a verified receipt ends a transfer; when none comes in
time, the same bytes go again.

Does not verify receipts: :mod:`edoc.exchange.answers` does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from edoc.errors import EdocError, Fault, FaultReport
from edoc.errors.journey import NO_ROUTE, PUBLISH_UNKNOWN, REJECTED
from edoc.exchange.office import Office
from edoc.exchange.outgoing import Outgoing
from edoc.exchange.runner import Stage
from edoc.model.identifiers import OrganId, sha256_of
from edoc.model.message import CHUNK_BYTES, Message, MessageType, Outcome
from edoc.model.record import Change, Key, Record, StoredFile, SubmissionBody, TransferBody, moved
from edoc.model.state import Kind, State
from edoc.ports import Alarm, Broker, Clock, Journal, Store

_CHUNKS_IN_FLIGHT = 4
_FAULTS: Mapping[Outcome, Fault] = {
    Outcome.NO_ROUTE: NO_ROUTE,
    Outcome.REJECTED: REJECTED,
    Outcome.UNKNOWN: PUBLISH_UNKNOWN,
}


class Sending:
    """The journey of a transfer."""

    def __init__(
        self,
        office: Office,
        clock: Clock,
        store: Store,
        journal: Journal,
        broker: Broker,
        outgoing: Outgoing,
        alarm: Alarm,
    ) -> None:
        self._office = office
        self._clock = clock
        self._store = store
        self._journal = journal
        self._broker = broker
        self._outgoing = outgoing
        self._alarm = alarm
        self.stages: Mapping[State, Stage] = {State.QUEUED: self.publish, State.SENT: self.resend}

    async def publish(self, record: Record) -> Change:
        """Publish the package to one recipient."""
        submission = await self._journal.get(Key(Kind.SUBMISSION, record.document_id, ""))
        if submission is None or not isinstance(submission.body, SubmissionBody) or submission.body.package is None:
            raise TypeError("a transfer has a packed submission")
        recipient = OrganId(record.key.peer)
        try:
            await self._publish_package(submission.body, submission.body.package, record, recipient)
        except EdocError as error:
            if error.fault is NO_ROUTE and (record.fault is None or record.fault.code != NO_ROUTE.code):
                self._alarm(error.report(), record.key)  # tried again all the same: the queue may yet be made
            raise
        now = self._clock.now()
        body = replace(_body(record), sent_at=now)
        return Change(moves=(moved(record, State.SENT, at=now + self._office.patience.resend, body=body),))

    async def _publish_package(
        self, body: SubmissionBody, package: StoredFile, record: Record, recipient: OrganId
    ) -> None:
        whole = Message(
            type=MessageType.CONTAINER,
            document_id=record.document_id,
            sender=self._office.code,
            recipient=recipient,
            lane=record.lane,
            sha256=package.sha256,
            size=package.size,
            body=b"",
        )
        if body.manifest is None:
            await self._publish(replace(whole, body=await self._store.read(package.ref)))
            return
        manifest = await self._store.read(body.manifest)
        count = -(-package.size // CHUNK_BYTES)
        await self._publish(
            replace(
                whole,
                type=MessageType.MANIFEST,
                body=manifest,
                sha256=sha256_of(manifest),
                size=len(manifest),
                count=count,
            )
        )
        chunk = replace(whole, type=MessageType.CHUNK, count=count)
        await self._publish_chunks(chunk, package)

    async def _publish_chunks(self, chunk: Message, package: StoredFile) -> None:
        numbers = iter(range(chunk.count))

        async def worker() -> None:
            for index in numbers:
                piece = await self._store.read(package.ref, index * CHUNK_BYTES, CHUNK_BYTES)
                await self._publish(replace(chunk, index=index, body=piece))

        workers = [asyncio.create_task(worker()) for _ in range(min(_CHUNKS_IN_FLIGHT, chunk.count))]
        try:
            await asyncio.gather(*workers)  # not a TaskGroup: the caller wants the one EdocError, not a group of them
        finally:
            for task in workers:
                task.cancel()

    async def _publish(self, message: Message) -> None:
        outcome = await self._broker.publish(message)
        if outcome is not Outcome.SENT:
            raise EdocError(_FAULTS[outcome], recipient=message.recipient)

    async def resend(self, record: Record) -> Change:
        """No receipt came in time: queue the same bytes again."""
        return Change(moves=(moved(record, State.QUEUED, at=self._clock.now()),))

    async def give_up(self, record: Record, fault: FaultReport) -> Change:
        """Hold the transfer: a person decides."""
        self._alarm(fault, record.key)
        return Change(moves=(moved(record, State.HELD, at=self._clock.now(), fault=fault),))

    async def committed(self, record: Record) -> None:
        """Tell the DMS."""
        await self._outgoing.report(record.document_id)


def _body(record: Record) -> TransferBody:
    if not isinstance(record.body, TransferBody):
        raise TypeError(record.body)
    return record.body
