"""The Broker port over RabbitMQ.

Rules: two lanes, each with its own connections for publishing and for consuming, so that neither waits for the
other.  Publishing is mandatory, persistent and confirmed; only Ack, a return and a nack are answers, everything else
is *unknown*.  Callbacks of the client library only hand over.  Nothing is declared: a queue that was deleted is an
alarm, not a thing to re-create.

Does not decide what to publish again or when to settle: the journeys do.  Does not provision: the management
adapter does.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import aio_pika
import structlog
from aio_pika.abc import AbstractIncomingMessage
from aiormq.exceptions import DeliveryError, PublishError
from pamqp import commands

from edoc.adapters.broker_consumer import Arrived, Consumer
from edoc.adapters.broker_link import LIBRARY_ERRORS, BrokerSettings, Link, attempted, isolated
from edoc.envelopes.wire import attested_sender, from_wire, out_exchange, queue_name, to_wire
from edoc.errors import EdocError
from edoc.errors import broker as faults
from edoc.model.document import Lane
from edoc.model.identifiers import MessageId, OrganId
from edoc.model.message import Message, Outcome
from edoc.ports import Alarm, Delivery

_log = structlog.get_logger(__name__)

_ANSWERED_WITHIN = 10.0


class AmqpBroker:
    """The broker as `office` (at `level`) uses it; `alarm` is told what needs a person."""

    def __init__(self, settings: BrokerSettings, office: OrganId, level: str, alarm: Alarm) -> None:
        self._settings = settings
        self._office = office
        self._level = level
        self._alarm = alarm
        self._publishers: dict[Lane, Link] = {}
        self._consumers: set[Consumer] = set()
        self._held: dict[int, Arrived] = {}
        self._tags = itertools.count(1)
        self._closed = False

    # --- publishing --------------------------------------------------------------------------------------------------

    async def publish(self, message: Message) -> Outcome:
        """Publish `message`, mandatory and persistent, under a fresh message_id, and return what became of it.

        Waits for a connection and the confirm together at most `publish_timeout`.  Raises EdocError BROKER_CLOSED.
        """
        link = self._publisher(message.lane)
        attempt = replace(message, message_id=MessageId(str(uuid4())))
        task = await attempted(self._attempt(link, attempt), self._settings.publish_timeout)
        outcome, cause = _outcome(task)
        if outcome is Outcome.SENT:
            link.works()
        elif outcome is not Outcome.NO_ROUTE:
            _log.warning("publish not confirmed", document_id=message.document_id, outcome=outcome.value, cause=cause)
        return outcome

    async def _attempt(self, link: Link, message: Message) -> object:
        channel = await link.channel()
        # Not declared and not looked up: this only names the exchange.
        exchange = await channel.get_exchange(out_exchange(self._office), ensure=False)
        wire = to_wire(message)
        headers = {
            name: bytearray(value) if isinstance(value, bytes) else value for name, value in wire.headers.items()
        }
        return await exchange.publish(
            aio_pika.Message(
                wire.body,
                headers=dict(headers),
                content_type=wire.content_type,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                priority=wire.priority,
                message_id=message.message_id,
            ),
            wire.routing_key,
            mandatory=True,
        )

    def _publisher(self, lane: Lane) -> Link:
        self._check_open()
        if lane not in self._publishers:
            self._publishers[lane] = Link(
                self._settings,
                f"{self._office} publish {lane.value}",
                out_exchange(self._office),
                self._alarm,
                None,
            )
        return self._publishers[lane]

    # --- consuming ---------------------------------------------------------------------------------------------------

    async def deliveries(self, lane: Lane) -> AsyncIterator[Delivery]:
        """Yield deliveries of our queue of `lane`, across reconnects, until the broker is closed.

        At most `prefetch` are unanswered at a time.  Leaving the loop stops consuming; what is unanswered then goes
        back to the queue.  Raises EdocError BROKER_CLOSED.
        """
        self._check_open()
        name = queue_name(self._level, self._office, lane)
        consumer = Consumer(self._settings, f"{self._office} consume {lane.value}", name, self._alarm)
        self._consumers.add(consumer)
        try:
            while (arrived := await consumer.take()) is not None:
                tag = next(self._tags)
                self._held = {old: held for old, held in self._held.items() if not held.channel.is_closed}
                self._held[tag] = arrived
                yield _delivery(arrived.message, lane, tag)
        finally:
            await consumer.close()
            self._consumers.discard(consumer)  # not before: `close` must wait for one that is still closing

    async def settle(self, delivery: Delivery) -> None:
        """Acknowledge `delivery`: it is durable here.  One of a lost channel is ignored, it comes again."""
        await self._answer(delivery, take=True)

    async def release(self, delivery: Delivery) -> None:
        """Give `delivery` back to the queue; each time counts against the queue's delivery-limit."""
        await self._answer(delivery, take=False)

    async def _answer(self, delivery: Delivery, *, take: bool) -> None:
        held = self._held.pop(delivery.tag, None)
        if held is None or held.channel.is_closed:
            return
        work = held.message.ack() if take else held.message.nack(requeue=True)
        try:
            await isolated(work, _ANSWERED_WITHIN)
        except LIBRARY_ERRORS as error:
            # Not lost: the broker delivers it again, and again is what the journeys are made for.
            _log.info("delivery not answered", lane=delivery.lane.value, cause=repr(error))

    # --- the end -----------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """End consumers and connections.  Idempotent."""
        self._closed = True
        links: tuple[Link | Consumer, ...] = (*self._publishers.values(), *self._consumers)
        await asyncio.gather(*(link.close() for link in links))

    def _check_open(self) -> None:
        if self._closed:
            raise EdocError(faults.BROKER_CLOSED)


def _outcome(task: asyncio.Task[object]) -> tuple[Outcome, str]:
    """Return what a publishing attempt came to, and why when it is not SENT."""
    if not task.done() or task.cancelled():
        return Outcome.UNKNOWN, "cancelled by the client library" if task.done() else "timed out"
    error = task.exception()
    if error is None:
        acknowledged = isinstance(task.result(), commands.Basic.Ack)
        return (Outcome.SENT, "") if acknowledged else (Outcome.UNKNOWN, repr(task.result()))
    outcome = Outcome.UNKNOWN
    match error:
        case PublishError():  # before DeliveryError, which it is one of
            outcome = Outcome.NO_ROUTE
        case DeliveryError(frame=commands.Basic.Nack() | commands.Basic.Reject()):
            outcome = Outcome.REJECTED
    return outcome, repr(error)


def _delivery(source: AbstractIncomingMessage, lane: Lane, tag: int) -> Delivery:
    message, fault = None, None
    try:
        message = from_wire(source.headers, source.body, lane, source.message_id)
    except EdocError as error:
        fault = error.report()
    return Delivery(
        message=message,
        attested_sender=attested_sender(source.exchange or "", source.headers),
        redelivered=bool(source.redelivered),
        fault=fault,
        tag=tag,
        lane=lane,
        body=source.body,
    )
