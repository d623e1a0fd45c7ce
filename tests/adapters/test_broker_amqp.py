"""The AMQP adapter against a real RabbitMQ: every outcome, failures, rights."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aio_pika.abc import AbstractChannel
from aiormq.exceptions import ChannelAccessRefused
from contracts.broker import NOBODY, message, next_of
from fixtures_rabbitmq import COMMUNE, PROVINCE, Exchange
from pamqp import commands

from edoc.adapters.broker_amqp import AmqpBroker
from edoc.adapters.broker_link import BrokerSettings, connect
from edoc.adapters.broker_setup import apply
from edoc.envelopes.wire import out_exchange, queue_name, routing_key, to_wire
from edoc.errors import FaultReport
from edoc.exchange.topology import Limits, Member
from edoc.model.document import Lane
from edoc.model.identifiers import OrganId
from edoc.model.message import Outcome

QUEUE = queue_name(PROVINCE.level, PROVINCE.organ_id, Lane.NORMAL)


@dataclass
class Offices:
    """Opens brokers and closes them at the end; collects their alarms."""

    network: Exchange
    alarms: list[str] = field(default_factory=list)
    opened: list[AmqpBroker] = field(default_factory=list)
    rung: asyncio.Event = field(default_factory=asyncio.Event)

    def open(self, member: Member, **settings: Any) -> AmqpBroker:
        return self.open_with(replace(self.network.settings(member), **settings), member)

    def open_with(self, settings: BrokerSettings, member: Member) -> AmqpBroker:
        broker = AmqpBroker(settings, member.organ_id, member.level, self.alarm)
        self.opened.append(broker)
        return broker

    def alarm(self, report: FaultReport, _: object) -> None:
        self.alarms.append(report.code)
        self.rung.set()


@pytest.fixture
async def offices(network: Exchange) -> AsyncIterator[Offices]:
    offices = Offices(network)
    yield offices
    for broker in offices.opened:
        await broker.close()


@pytest.fixture
async def mortal_offices(mortal_network: Exchange) -> AsyncIterator[Offices]:
    offices = Offices(mortal_network)
    yield offices
    for broker in offices.opened:
        await broker.close()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await holds():  # noqa: ASYNC110 -- the broker tells nobody, it has to be asked
            await asyncio.sleep(0.05)


async def is_parked(network: Exchange) -> bool:
    found = await asyncio.to_thread(network.client.get, ("queues", network.vhost, "edoc.dead"), dict[str, Any])
    return found is not None and found.get("messages") == 1


# --- outcomes --------------------------------------------------------------------------------------------------------


async def test_a_full_queue_rejects(offices: Offices) -> None:
    apply(replace(offices.network, limits=Limits(queue_bytes=2000)).topology, offices.network.client)
    broker = offices.open(COMMUNE)
    outcomes = [await broker.publish(message(b"x" * 1000)) for _ in range(10)]
    assert set(outcomes) == {Outcome.SENT, Outcome.REJECTED}
    assert outcomes[-1] is Outcome.REJECTED


async def test_a_frozen_broker_leaves_the_outcome_unknown_until_it_thaws(offices: Offices) -> None:
    broker = offices.open(COMMUNE, publish_timeout=1.5)
    assert await broker.publish(message()) is Outcome.SENT
    offices.network.node.freeze()
    try:
        assert await broker.publish(message()) is Outcome.UNKNOWN
    finally:
        offices.network.node.thaw()
    assert await broker.publish(message()) is Outcome.SENT


async def test_what_the_library_cancels_is_unknown_and_not_our_cancellation(offices: Offices) -> None:
    # A heartbeat of 1 s lets the library give up the connection after 6 s, with CancelledError for pending publishes.
    broker = offices.open(COMMUNE, heartbeat=1, publish_timeout=60.0)
    assert await broker.publish(message()) is Outcome.SENT
    offices.network.node.freeze()
    try:
        assert await broker.publish(message()) is Outcome.UNKNOWN
    finally:
        offices.network.node.thaw()
    assert await broker.publish(message()) is Outcome.SENT


async def test_our_own_cancellation_stays_one(offices: Offices) -> None:
    broker = offices.open(COMMUNE)
    assert await broker.publish(message()) is Outcome.SENT
    offices.network.node.freeze()
    try:
        publishing = asyncio.create_task(broker.publish(message()))
        await asyncio.sleep(0.1)
        publishing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await publishing
    finally:
        offices.network.node.thaw()


async def test_a_connection_that_dies_while_publishing_leaves_the_outcome_unknown(mortal_offices: Offices) -> None:
    broker = mortal_offices.open(COMMUNE, publish_timeout=60.0)
    assert await broker.publish(message()) is Outcome.SENT
    node = mortal_offices.network.node
    node.freeze()
    publishing = [asyncio.create_task(broker.publish(message())) for _ in range(5)]
    await asyncio.sleep(0.1)
    node.kill()
    try:
        assert await asyncio.gather(*publishing) == [Outcome.UNKNOWN] * 5
    finally:
        await asyncio.to_thread(node.start)
    assert await broker.publish(message()) is Outcome.SENT


async def test_a_broker_that_is_down_leaves_the_outcome_unknown(offices: Offices) -> None:
    nowhere = replace(offices.network.settings(COMMUNE), port=1, publish_timeout=0.5)
    assert await offices.open_with(nowhere, COMMUNE).publish(message()) is Outcome.UNKNOWN
    assert offices.alarms == []  # temporary: it is tried again, nobody is called


# --- consuming -------------------------------------------------------------------------------------------------------


async def test_deliveries_go_on_after_a_restart_and_nothing_is_lost(mortal_offices: Offices) -> None:
    sender, receiver = mortal_offices.open(COMMUNE), mortal_offices.open(PROVINCE)
    sent = [message() for _ in range(3)]
    for each in sent[:2]:
        assert await sender.publish(each) is Outcome.SENT
    deliveries = receiver.deliveries(Lane.NORMAL)
    first = await next_of(deliveries)
    await asyncio.to_thread(mortal_offices.network.node.kill)
    await asyncio.to_thread(mortal_offices.network.node.start)
    await receiver.settle(first)  # its channel is gone: ignored
    assert await sender.publish(sent[2]) is Outcome.SENT
    found: set[str] = set()
    while len(found) < 3:
        delivery = await next_of(deliveries)
        assert delivery.message is not None
        assert delivery.message.document_id not in found
        found.add(delivery.message.document_id)
        await receiver.settle(delivery)
    assert found == {each.document_id for each in sent}


async def test_a_deleted_queue_is_an_alarm_and_is_not_created_again(offices: Offices) -> None:
    network = offices.network
    receiver = offices.open(PROVINCE)
    consumer = asyncio.create_task(next_of(receiver.deliveries(Lane.NORMAL)))

    async def consumed() -> bool:
        found = network.client.get(("queues", network.vhost, QUEUE), dict[str, Any])
        return bool(found and found.get("consumers"))

    await until(consumed)
    network.client.delete(("queues", network.vhost, QUEUE))
    async with asyncio.timeout(20):
        await offices.rung.wait()
    await asyncio.sleep(1.5)  # time for several attempts
    assert offices.alarms == ["BROKER_NAME_MISSING"]
    assert network.client.get(("queues", network.vhost, QUEUE), dict[str, Any]) is None
    assert await offices.open(COMMUNE).publish(message()) is Outcome.NO_ROUTE

    apply(network.topology, network.client)
    assert await offices.open(COMMUNE).publish(message()) is Outcome.SENT
    assert (await consumer).message is not None


async def test_what_cannot_be_read_is_delivered_with_the_fault(offices: Offices) -> None:
    wire = to_wire(message())
    await publish_raw(offices, COMMUNE, {**wire.headers, "edoc-size": "seven"}, b"package")
    delivery = await next_of(offices.open(PROVINCE).deliveries(Lane.NORMAL))
    assert delivery.message is None
    assert delivery.fault is not None
    assert (delivery.fault.code, delivery.attested_sender) == ("WIRE_HEADER", COMMUNE.organ_id)


async def test_a_header_that_breaks_the_client_library_is_parked_in_the_end(offices: Offices) -> None:
    apply(replace(offices.network, limits=Limits(deliveries=2)).topology, offices.network.client)
    await publish_raw(offices, COMMUNE, {}, b"poison", poison=True)
    good = message()
    assert await offices.open(COMMUNE).publish(good) is Outcome.SENT
    delivery = await next_of(offices.open(PROVINCE).deliveries(Lane.NORMAL))
    assert delivery.message is not None
    assert delivery.message.document_id == good.document_id
    await until(lambda: is_parked(offices.network))


async def test_what_returns_through_dead_lettering_has_lost_its_attestation(offices: Offices) -> None:
    network = offices.network
    apply(replace(network, limits=Limits(deliveries=1)).topology, network.client)
    sent = message()
    assert await offices.open(COMMUNE).publish(sent) is Outcome.SENT
    receiver = offices.open(PROVINCE)
    deliveries = receiver.deliveries(Lane.NORMAL)
    for _ in range(2):
        await receiver.release(await next_of(deliveries))

    await until(lambda: is_parked(network))
    # The operator leads what is parked back: the shortest way is a second policy on the parking queue.
    network.client.put(("exchanges", network.vhost, "back"), {"type": "fanout", "durable": True})
    network.client.post(("bindings", network.vhost, "e", "back", "q", QUEUE), {"routing_key": ""})
    network.client.put(
        ("policies", network.vhost, "back"),
        {"pattern": r"^edoc\.dead$", "priority": 99, "definition": {"dead-letter-exchange": "back"}},
    )
    await reject_from(offices, "edoc.dead")
    delivery = await next_of(deliveries)
    assert delivery.message is not None
    assert delivery.message.document_id == sent.document_id
    assert delivery.attested_sender is None


# --- rights ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "exchange", ["", "edoc.router", "edoc.dead", "amq.fanout", out_exchange(PROVINCE.organ_id), "edoc.out.H53x31x20"]
)
async def test_an_office_publishes_to_its_own_exchange_only(offices: Offices, exchange: str) -> None:
    client = offices.network.client
    client.put(("exchanges", offices.network.vhost, "edoc.out.H53x31x20"), {"type": "fanout", "durable": True})
    with pytest.raises(ChannelAccessRefused):
        await publish_raw(offices, COMMUNE, {}, b"", exchange=exchange)


async def test_the_user_of_a_shorter_code_has_no_right_to_a_longer_one(offices: Offices) -> None:
    with pytest.raises(ChannelAccessRefused):
        await publish_raw(offices, PROVINCE, {}, b"", exchange=out_exchange(COMMUNE.organ_id))


@pytest.mark.parametrize("queue", [QUEUE, QUEUE + ".urgent", "edoc.dead"])
async def test_an_office_reads_its_own_queues_only(offices: Offices, queue: str) -> None:
    async def ignore(_: object) -> None: ...

    async def consume(channel: AbstractChannel) -> None:
        await (await channel.get_queue(queue, ensure=False)).consume(ignore)

    with pytest.raises(ChannelAccessRefused):
        await with_channel(offices, COMMUNE, consume)


async def test_an_office_declares_and_deletes_nothing(offices: Offices) -> None:
    own = queue_name(COMMUNE.level, COMMUNE.organ_id, Lane.NORMAL)
    attempts: list[Callable[[AbstractChannel], Awaitable[object]]] = [
        lambda channel: channel.declare_queue("edoc.new"),
        lambda channel: channel.declare_queue(exclusive=True),
        lambda channel: channel.declare_exchange("edoc.out.H54"),
        lambda channel: channel.queue_delete(own),
        lambda channel: channel.exchange_delete("edoc.router"),
        lambda channel: bind(channel, own),
    ]
    for attempt in attempts:
        with pytest.raises(ChannelAccessRefused):
            await with_channel(offices, COMMUNE, attempt)


async def bind(channel: AbstractChannel, queue: str) -> None:
    underlay = await channel.get_underlay_channel()
    await underlay.queue_bind(queue, "edoc.router", "H53")


async def test_a_certificate_of_a_stranger_is_refused_and_told_once(offices: Offices) -> None:
    stranger = Member(organ_id=OrganId("H54"), level="province", user="H54")
    broker = offices.open(stranger, publish_timeout=2.0)
    assert await broker.publish(message(sender=OrganId("H54"))) is Outcome.UNKNOWN
    assert offices.alarms == ["BROKER_LOGIN"]


async def test_a_broker_with_another_authority_is_refused_and_told_once(offices: Offices) -> None:
    settings = offices.network.settings(COMMUNE)
    broker = offices.open_with(replace(settings, ca=settings.certificate, publish_timeout=2.0), COMMUNE)
    assert await broker.publish(message()) is Outcome.UNKNOWN
    assert offices.alarms == ["BROKER_TLS"]


async def test_a_missing_right_is_told(offices: Offices) -> None:
    network = offices.network
    nothing = {"configure": "^$", "write": "^$", "read": "^$"}
    network.client.put(("permissions", network.vhost, COMMUNE.user), nothing)
    assert await offices.open(COMMUNE).publish(message(recipient=NOBODY)) is Outcome.UNKNOWN
    async with asyncio.timeout(20):
        await offices.rung.wait()
    assert offices.alarms == ["BROKER_FORBIDDEN"]


# --- tools -----------------------------------------------------------------------------------------------------------


async def with_channel(offices: Offices, member: Member, use: Callable[[AbstractChannel], Awaitable[object]]) -> None:
    connection = await connect(offices.network.settings(member), "test")
    try:
        channel = connection.channel(on_return_raises=True)
        await channel.initialize()
        await use(channel)
    finally:
        await connection.close()


class _Never(datetime):
    """A time that no client can read: aio-pika gives up the connection over it."""

    def timestamp(self) -> float:
        return float(2**62)


async def publish_raw(
    offices: Offices,
    member: Member,
    headers: dict[str, Any],
    body: bytes,
    *,
    exchange: str | None = None,
    poison: bool = False,
) -> None:
    properties = commands.Basic.Properties(headers=headers, delivery_mode=2, message_id="raw")
    if poison:
        properties.timestamp = _Never(2026, 11, 23, tzinfo=UTC)

    async def publish(channel: AbstractChannel) -> None:
        underlay = await channel.get_underlay_channel()
        await underlay.basic_publish(
            body,
            exchange=out_exchange(member.organ_id) if exchange is None else exchange,
            routing_key=routing_key(PROVINCE.organ_id, Lane.NORMAL),
            properties=properties,
            mandatory=True,
        )

    await with_channel(offices, member, publish)


async def reject_from(offices: Offices, queue: str) -> None:
    """Reject one message of `queue` as an operator can, so that it takes the way of dead letters."""
    answer = offices.network.client
    answer.post(
        ("queues", offices.network.vhost, queue, "get"),
        {"count": 1, "ackmode": "reject_requeue_false", "encoding": "base64"},
    )
