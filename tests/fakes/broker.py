"""A network of brokers in memory: the same rules and the same wire format, no RabbitMQ.

Every message goes through :mod:`edoc.envelopes.wire`, so what cannot be written or read there fails here too.

Fault switches: `plan` forces outcomes, `duplicate` delivers twice, `reorder` delivers newest first, `attest` says
another sender than the true one, `inject` puts anything into a queue, `full` refuses, `FakeBroker.drop` loses the
connection.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from uuid import uuid4

from edoc.envelopes.wire import attested_sender, from_wire, out_exchange, to_wire
from edoc.errors import EdocError, FaultReport
from edoc.errors.broker import BROKER_CLOSED
from edoc.model.document import Lane
from edoc.model.identifiers import MessageId, OrganId
from edoc.model.message import Message, Outcome
from edoc.ports import Delivery


@dataclass(kw_only=True)
class Queued:
    """A message in a queue, as AMQP carries it."""

    headers: Mapping[str, object]
    body: bytes
    exchange: str
    message_id: str
    redelivered: bool = False


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A forced outcome, and whether the message arrives all the same (an UNKNOWN may have)."""

    outcome: Outcome
    arrives: bool


@dataclass(kw_only=True)
class FakeNetwork:
    """Queues by recipient and lane, for the offices given."""

    offices: frozenset[OrganId]
    published: list[tuple[Message, Outcome]] = field(default_factory=list)  # every attempt, in order
    duplicate: int = 0  # so many of the next messages are delivered twice
    reorder: bool = False
    full: set[OrganId] = field(default_factory=set)
    attest: dict[OrganId, OrganId | None] = field(default_factory=dict)  # true sender → who the broker says it was
    prefetch: int = 8
    _planned: deque[Planned] = field(default_factory=deque)
    _queues: dict[tuple[OrganId, Lane], deque[Queued]] = field(default_factory=dict)
    _arrival: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def of(cls, offices: Iterable[str]) -> FakeNetwork:
        """Return a network of `offices`."""
        return cls(offices=frozenset(OrganId(code) for code in offices))

    def broker(self, office: str) -> FakeBroker:
        """Return the broker as `office` sees it."""
        return FakeBroker(self, OrganId(office))

    def plan(self, *outcomes: Outcome, arrives: bool = False) -> None:
        """Let the next attempts end in `outcomes`, one each; with `arrives` they are in the queue nevertheless."""
        self._planned.extend(Planned(outcome=outcome, arrives=arrives) for outcome in outcomes)

    def inject(
        self,
        recipient: str,
        headers: Mapping[str, object],
        body: bytes,
        *,
        lane: Lane = Lane.NORMAL,
        exchange: str = "",
    ) -> None:
        """Put a message of any kind into a queue."""
        queued = Queued(headers=headers, body=body, exchange=exchange, message_id=str(uuid4()))
        self.queue(OrganId(recipient), lane).append(queued)
        self.ring()

    def queue(self, recipient: OrganId, lane: Lane) -> deque[Queued]:
        """Return the queue of `recipient` for `lane`."""
        return self._queues.setdefault((recipient, lane), deque())

    def messages(self, recipient: str, lane: Lane = Lane.NORMAL) -> list[Message]:
        """Return what waits in a queue, read."""
        return [
            from_wire(each.headers, each.body, lane, each.message_id) for each in self.queue(OrganId(recipient), lane)
        ]

    def ring(self) -> None:
        """Wake all consumers."""
        self._arrival.set()
        self._arrival = asyncio.Event()

    async def arrival(self) -> None:
        """Wait until something arrives anywhere."""
        await self._arrival.wait()

    def take(self, office: OrganId, message: Message) -> Outcome:
        """Take an attempt of `office` and return its outcome."""
        outcome = self._outcome(message)
        if outcome.arrives:
            self._arrive(office, message)
        self.published.append((message, outcome.outcome))
        return outcome.outcome

    def _outcome(self, message: Message) -> Planned:
        if self._planned:
            return self._planned.popleft()
        if message.recipient not in self.offices:
            return Planned(outcome=Outcome.NO_ROUTE, arrives=False)
        if message.recipient in self.full:
            return Planned(outcome=Outcome.REJECTED, arrives=False)
        return Planned(outcome=Outcome.SENT, arrives=True)

    def _arrive(self, office: OrganId, message: Message) -> None:
        wire = to_wire(message)
        attested = self.attest.get(office, office)
        exchange = out_exchange(attested) if attested is not None else ""
        queue = self.queue(message.recipient, message.lane)
        for _ in range(2 if self.duplicate else 1):
            queued = Queued(
                headers=wire.headers, body=wire.body, exchange=exchange, message_id=message.message_id or ""
            )
            if self.reorder:
                queue.appendleft(queued)
            else:
                queue.append(queued)
        self.duplicate = max(0, self.duplicate - 1)
        self.ring()


class FakeBroker:
    """The broker as one office sees it."""

    def __init__(self, network: FakeNetwork, office: OrganId) -> None:
        self.network = network
        self.office = office
        self.settled: list[Delivery] = []
        self.released: list[Delivery] = []
        self._held: dict[int, tuple[Queued, Lane]] = {}
        self._tag = 0
        self._closed = False

    async def publish(self, message: Message) -> Outcome:
        self._check_open()
        await asyncio.sleep(0)
        return self.network.take(self.office, replace(message, message_id=MessageId(str(uuid4()))))

    async def deliveries(self, lane: Lane) -> AsyncIterator[Delivery]:
        self._check_open()
        queue = self.network.queue(self.office, lane)
        mine: set[int] = set()
        try:
            while not self._closed:
                mine &= self._held.keys()
                if not queue or len(mine) >= self.network.prefetch:
                    await self.network.arrival()
                    continue
                self._tag += 1
                mine.add(self._tag)
                self._held[self._tag] = (queue.popleft(), lane)
                yield self._delivery(self._tag)
        finally:
            self._give_back(mine)

    async def settle(self, delivery: Delivery) -> None:
        if self._held.pop(delivery.tag, None) is not None:
            self.settled.append(delivery)
            self.network.ring()

    async def release(self, delivery: Delivery) -> None:
        if delivery.tag in self._held:
            self.released.append(delivery)
            self._give_back({delivery.tag})

    async def close(self) -> None:
        self._closed = True
        self._give_back(set(self._held))

    def drop(self) -> None:
        """Lose the connection: what is unanswered goes back to the queue, and old tags mean nothing."""
        self._give_back(set(self._held))

    def _give_back(self, tags: set[int]) -> None:
        for tag in sorted(tags & self._held.keys(), reverse=True):
            queued, lane = self._held.pop(tag)
            self.network.queue(self.office, lane).appendleft(replace(queued, redelivered=True))
        self.network.ring()

    def _delivery(self, tag: int) -> Delivery:
        queued, lane = self._held[tag]
        message: Message | None = None
        fault: FaultReport | None = None
        try:
            message = from_wire(queued.headers, queued.body, lane, queued.message_id)
        except EdocError as error:
            fault = error.report()
        return Delivery(
            message=message,
            attested_sender=attested_sender(queued.exchange, queued.headers),
            redelivered=queued.redelivered,
            fault=fault,
            tag=tag,
            lane=lane,
            body=queued.body,
        )

    def _check_open(self) -> None:
        if self._closed:
            raise EdocError(BROKER_CLOSED)
