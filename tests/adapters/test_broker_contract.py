"""The fake and the real Broker keep one contract."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from contracts.broker import A, B, BrokerContract, message
from fakes.broker import FakeNetwork
from fixtures_rabbitmq import COMMUNE, PROVINCE, Exchange

from edoc.adapters.broker_amqp import AmqpBroker
from edoc.model.identifiers import OrganId
from edoc.model.message import Outcome
from edoc.ports import Broker


class TestFakeBroker(BrokerContract):
    @pytest.fixture(autouse=True)
    async def _network(self) -> None:
        self.network = FakeNetwork.of([A, B])

    def open(self, office: OrganId) -> Broker:
        return self.network.broker(office)

    async def test_a_planned_outcome_is_given_once_and_the_message_may_have_arrived(self) -> None:
        broker = self.open(A)
        self.network.plan(Outcome.UNKNOWN, arrives=True)
        self.network.plan(Outcome.REJECTED)
        assert [await broker.publish(message()) for _ in range(3)] == [Outcome.UNKNOWN, Outcome.REJECTED, Outcome.SENT]
        assert len(self.network.messages(B)) == 2

    async def test_duplicates_and_disorder_can_be_asked_for(self) -> None:
        self.network.duplicate, self.network.reorder = 1, True
        first, second = message(), message()
        for each in (first, second):
            await self.open(A).publish(each)
        found = [each.document_id for each in self.network.messages(B)]
        assert found == [second.document_id, first.document_id, first.document_id]


class TestAmqpBroker(BrokerContract):
    @pytest.fixture(autouse=True)
    async def _brokers(self, network: Exchange) -> AsyncIterator[None]:
        self.network = network
        self.brokers: list[AmqpBroker] = []
        yield
        for broker in self.brokers:
            await broker.close()

    def open(self, office: OrganId) -> Broker:
        member = {COMMUNE.organ_id: COMMUNE, PROVINCE.organ_id: PROVINCE}[office]
        broker = AmqpBroker(
            self.network.settings(member), office, member.level, lambda report, _: pytest.fail(str(report))
        )
        self.brokers.append(broker)
        return broker
