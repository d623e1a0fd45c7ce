"""What every Broker does, fake and real."""

from __future__ import annotations

import asyncio
import hashlib
from abc import abstractmethod
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest

from edoc.errors import EdocError
from edoc.model.document import Lane
from edoc.model.identifiers import DocumentId, OrganId, Sha256
from edoc.model.message import Message, MessageType, Outcome
from edoc.ports import Broker, Delivery

A = OrganId("H53.31.20")
B = OrganId("H53")
NOBODY = OrganId("H99.1")
SOON = 30.0


def message(
    body: bytes = b"package", *, sender: OrganId = A, recipient: OrganId = B, lane: Lane = Lane.NORMAL
) -> Message:
    return Message(
        type=MessageType.CONTAINER,
        document_id=DocumentId(str(uuid4())),
        sender=sender,
        recipient=recipient,
        lane=lane,
        sha256=Sha256(hashlib.sha256(body).hexdigest()),
        size=len(body),
        body=body,
    )


def chunk(body: bytes, index: int, count: int) -> Message:
    whole = replace(message(body), type=MessageType.CHUNK, index=index, count=count)
    return replace(whole, size=len(body) * count, sha256=Sha256("ab" * 32))


async def next_of(deliveries: AsyncIterator[Delivery]) -> Delivery:
    async with asyncio.timeout(SOON):
        return await anext(deliveries)


class BrokerContract:
    """Subclass it and say how an office opens the broker; offices A and B exist, NOBODY does not."""

    @abstractmethod
    def open(self, office: OrganId) -> Broker:
        """Return the broker as `office` sees it; the subclass closes it after the test."""

    @pytest.mark.parametrize("lane", list(Lane))
    async def test_what_is_published_arrives_as_it_was(self, lane: Lane) -> None:
        sent = message(lane=lane)
        assert await self.open(A).publish(sent) is Outcome.SENT
        delivery = await next_of(self.open(B).deliveries(lane))
        assert delivery.message is not None
        assert replace(delivery.message, message_id=None) == sent
        assert (delivery.fault, delivery.redelivered, delivery.lane) == (None, False, lane)
        assert delivery.body == sent.body

    async def test_a_chunk_keeps_its_place(self) -> None:
        sent = chunk(b"piece", 2, 5)
        assert await self.open(A).publish(sent) is Outcome.SENT
        delivery = await next_of(self.open(B).deliveries(Lane.NORMAL))
        assert delivery.message is not None
        assert replace(delivery.message, message_id=None) == sent

    async def test_relay_evidence_and_hops_arrive(self) -> None:
        sent = replace(message(), hops=3, relay_evidence=b"\x00\xff evidence")
        assert await self.open(A).publish(sent) is Outcome.SENT
        delivery = await next_of(self.open(B).deliveries(Lane.NORMAL))
        assert delivery.message is not None
        assert (delivery.message.hops, delivery.message.relay_evidence) == (3, b"\x00\xff evidence")

    async def test_the_sender_is_attested_by_the_broker_and_not_by_the_header(self) -> None:
        assert await self.open(A).publish(message(sender=B)) is Outcome.SENT
        delivery = await next_of(self.open(B).deliveries(Lane.NORMAL))
        assert delivery.message is not None
        assert (delivery.message.sender, delivery.attested_sender) == (B, A)

    async def test_a_message_nobody_takes_has_no_route(self) -> None:
        broker = self.open(A)
        assert await broker.publish(message(recipient=NOBODY)) is Outcome.NO_ROUTE
        assert await broker.publish(message(recipient=NOBODY, lane=Lane.URGENT)) is Outcome.NO_ROUTE
        assert await broker.publish(message()) is Outcome.SENT  # and the next one goes on

    async def test_the_lanes_are_two_queues(self) -> None:
        sender, receiver = self.open(A), self.open(B)
        urgent = message(lane=Lane.URGENT)
        await sender.publish(message())
        await sender.publish(urgent)
        delivery = await next_of(receiver.deliveries(Lane.URGENT))
        assert delivery.message is not None
        assert delivery.message.document_id == urgent.document_id

    async def test_each_of_many_publishes_in_flight_gets_its_own_outcome(self) -> None:
        broker = self.open(A)
        recipients = [NOBODY if number % 3 == 0 else B for number in range(60)]
        outcomes = await asyncio.gather(*(broker.publish(message(recipient=recipient)) for recipient in recipients))
        assert outcomes == [Outcome.SENT if recipient is B else Outcome.NO_ROUTE for recipient in recipients]

    async def test_the_same_message_twice_is_two_deliveries_under_two_message_ids(self) -> None:
        sender, sent = self.open(A), message()
        outcomes = await asyncio.gather(sender.publish(sent), sender.publish(sent))
        assert set(outcomes) == {Outcome.SENT}
        deliveries = self.open(B).deliveries(Lane.NORMAL)
        found = [(await next_of(deliveries)).message for _ in range(2)]
        assert {each.document_id for each in found if each} == {sent.document_id}
        assert len({each.message_id for each in found if each}) == 2

    async def test_what_was_released_comes_again_and_says_so(self) -> None:
        await self.open(A).publish(message())
        broker = self.open(B)
        deliveries = broker.deliveries(Lane.NORMAL)
        first = await next_of(deliveries)
        await broker.release(first)
        second = await next_of(deliveries)
        assert second.redelivered
        assert second.message == first.message

    async def test_what_was_not_answered_goes_back_when_the_broker_is_closed(self) -> None:
        await self.open(A).publish(message())
        broker = self.open(B)
        first = await next_of(broker.deliveries(Lane.NORMAL))
        await broker.close()
        second = await next_of(self.open(B).deliveries(Lane.NORMAL))
        assert second.redelivered
        assert second.message == first.message

    async def test_what_was_settled_does_not_come_again(self) -> None:
        sender, receiver = self.open(A), self.open(B)
        settled, other = message(), message()
        await sender.publish(settled)
        await sender.publish(other)
        delivery = await next_of(receiver.deliveries(Lane.NORMAL))
        await receiver.settle(delivery)
        await receiver.settle(delivery)  # twice is once
        await receiver.release(delivery)  # and cannot be taken back
        await receiver.close()
        delivery = await next_of(self.open(B).deliveries(Lane.NORMAL))
        assert delivery.message is not None
        assert delivery.message.document_id == other.document_id

    async def test_unanswered_deliveries_are_bounded(self) -> None:
        sender, receiver = self.open(A), self.open(B)
        for _ in range(12):
            await sender.publish(message())
        deliveries = receiver.deliveries(Lane.NORMAL)
        held = [await next_of(deliveries) for _ in range(8)]
        waiting = asyncio.ensure_future(next_of(deliveries))
        done, _ = await asyncio.wait({waiting}, timeout=0.3)
        assert not done
        await receiver.settle(held[0])
        assert (await waiting).message is not None

    async def test_closing_ends_the_deliveries(self) -> None:
        broker = self.open(B)

        async def consume() -> int:
            return len([delivery async for delivery in broker.deliveries(Lane.NORMAL)])

        consumer = asyncio.ensure_future(consume())
        await asyncio.sleep(0)
        await broker.close()
        async with asyncio.timeout(SOON):
            assert await consumer == 0

    async def test_a_closed_broker_publishes_nothing(self) -> None:
        broker = self.open(A)
        await broker.close()
        with pytest.raises(EdocError) as caught:
            await broker.publish(message())
        assert caught.value.code == "BROKER_CLOSED"
