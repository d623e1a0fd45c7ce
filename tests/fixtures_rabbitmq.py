"""A RabbitMQ node for the test run, and a vhost of its own for each test.

Rules: one node per run; a test that freezes it brings it back, one that kills it has a node of its own.  Each test has
its own vhost with two offices in it, so tests do not see each other's queues.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lab.pki import Pki
from lab.rabbitmq import RabbitNode

from edoc.adapters.broker_link import BrokerSettings
from edoc.adapters.broker_management import ManagementClient
from edoc.adapters.broker_setup import apply
from edoc.exchange.topology import Limits, Member, desired
from edoc.model.identifiers import OrganId
from edoc.model.topology import Topology

COMMUNE = Member(organ_id=OrganId("H53.31.20"), level="commune", user="H53.31.20")
PROVINCE = Member(organ_id=OrganId("H53"), level="province", user="H53")


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A vhost of `node`, provisioned for `members`."""

    node: RabbitNode
    vhost: str
    client: ManagementClient
    members: tuple[Member, ...] = (COMMUNE, PROVINCE)
    limits: Limits = field(default_factory=Limits)

    @property
    def topology(self) -> Topology:
        return desired(self.members, vhost=self.vhost, limits=self.limits)

    def settings(self, member: Member, *, publish_timeout: float = 20.0) -> BrokerSettings:
        files = self.node.client(member.user)
        return BrokerSettings(
            host=self.node.host,
            port=self.node.amqps_port,
            vhost=self.vhost,
            ca=files.ca,
            certificate=files.certificate,
            key=files.key,
            publish_timeout=publish_timeout,
            backoff_first=0.1,
            backoff_most=1.0,
        )


@pytest.fixture(scope="session")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitNode]:
    with RabbitNode(tmp_path_factory.mktemp("rabbitmq"), Pki.create(datetime.now(UTC))) as node:
        yield node


@pytest.fixture
def management(rabbit: RabbitNode) -> ManagementClient:
    return ManagementClient(rabbit.management_url, rabbit.admin_user, rabbit.admin_password_file)


@pytest.fixture
def mortal_network(tmp_path: Path) -> Iterator[Exchange]:
    """A network on a node of its own, for tests that kill it.

    Not the common node: in RabbitMQ, queues that are deleted just after a start (as at a test's end) can take the
    supervisor of dead-lettering with them, and then no queue can be declared until the next start
    (rabbitmq-server issue 16652).  An office's broker never deletes queues just after a start.
    """
    with RabbitNode(tmp_path / "rabbitmq", Pki.create(datetime.now(UTC))) as node:
        client = ManagementClient(node.management_url, node.admin_user, node.admin_password_file)
        exchange = Exchange(node=node, vhost="edoc", client=client)
        apply(exchange.topology, client)
        yield exchange


@pytest.fixture
def network(rabbit: RabbitNode, management: ManagementClient) -> Iterator[Exchange]:
    exchange = Exchange(node=rabbit, vhost=f"edoc-{secrets.token_hex(4)}", client=management)
    apply(exchange.topology, management)
    yield exchange
    management.delete(("vhosts", exchange.vhost))
