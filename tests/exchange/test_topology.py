"""What has to exist at the broker."""

from __future__ import annotations

import re

import pytest

from edoc.envelopes.wire import out_exchange, queue_name
from edoc.exchange.topology import Limits, Member, desired
from edoc.model.document import Lane
from edoc.model.identifiers import OrganId
from edoc.model.topology import Binding, Destination, ExchangeKind, Topology

COMMUNE = Member(organ_id=OrganId("H53.31.20"), level="commune", user="commune-20")
PROVINCE = Member(organ_id=OrganId("H53"), level="province", user="province")
ABROAD = OrganId("G22")


@pytest.fixture
def topology() -> Topology:
    return desired([COMMUNE, PROVINCE])


def queues_of(topology: Topology, code: str, lane: str = "") -> set[str]:
    return {each.destination for each in topology.bindings if each.routing_key == code + lane}


def test_each_organisation_has_its_own_way_in_and_two_queues(topology: Topology) -> None:
    names = {exchange.name for exchange in topology.exchanges}
    assert names == {"edoc.router", "edoc.dead", "edoc.out.H53", "edoc.out.H53.31.20"}
    assert {queue.name for queue in topology.queues} == {
        "edoc.dead",
        "edoc.province.H53",
        "edoc.province.H53.urgent",
        "edoc.commune.H53.31.20",
        "edoc.commune.H53.31.20.urgent",
    }


def test_nobody_publishes_to_the_router_or_to_the_parking_place(topology: Topology) -> None:
    assert {each.name: each.internal for each in topology.exchanges if each.internal} == {
        "edoc.router": True,
        "edoc.dead": True,
    }
    assert {each.kind for each in topology.exchanges if each.name.startswith("edoc.out.")} == {ExchangeKind.FANOUT}


def test_every_way_leads_through_the_router(topology: Topology) -> None:
    for member in (COMMUNE, PROVINCE):
        own = [each for each in topology.bindings if each.source == out_exchange(member.organ_id)]
        assert own == [
            Binding(source=out_exchange(member.organ_id), kind=Destination.EXCHANGE, destination="edoc.router")
        ]


def test_a_code_leads_to_its_queue_and_the_urgent_one_to_the_other(topology: Topology) -> None:
    assert queues_of(topology, "H53.31.20") == {"edoc.commune.H53.31.20"}
    assert queues_of(topology, "H53.31.20", "#urgent") == {"edoc.commune.H53.31.20.urgent"}


def test_a_code_that_is_not_here_leads_to_the_relay() -> None:
    topology = desired([COMMUNE, PROVINCE], routes={ABROAD: PROVINCE.organ_id})
    assert queues_of(topology, "G22") == {"edoc.province.H53"}
    assert queues_of(topology, "G22", "#urgent") == {"edoc.province.H53.urgent"}


def test_a_code_that_is_here_is_never_led_away() -> None:
    topology = desired([COMMUNE, PROVINCE], routes={COMMUNE.organ_id: PROVINCE.organ_id})
    assert queues_of(topology, "H53.31.20") == {"edoc.commune.H53.31.20"}


@pytest.mark.parametrize("member", [COMMUNE, PROVINCE])
def test_an_office_writes_to_one_name_reads_two_and_declares_none(topology: Topology, member: Member) -> None:
    rights = next(each for each in topology.permissions if each.user == member.user)
    names = [each.name for each in topology.exchanges] + [each.name for each in topology.queues]
    names += ["", "amq.direct", "edoc.out.H53x31x20", "edoc.commune.H53x31x20", "edoc.out.H53.31.201", "xedoc.out.H53"]
    assert [name for name in names if re.search(rights.write, name)] == [out_exchange(member.organ_id)]
    assert {name for name in names if re.search(rights.read, name)} == {
        queue_name(member.level, member.organ_id, lane) for lane in Lane
    }
    assert [name for name in names if re.search(rights.configure, name)] == [""]


def policy_of(topology: Topology, queue: str) -> dict[str, str | int]:
    matching = [each for each in topology.policies if re.search(each.pattern, queue)]
    return dict(max(matching, key=lambda each: each.priority).definition)


def test_a_full_queue_refuses_and_what_cannot_be_taken_is_parked(topology: Topology) -> None:
    limits = Limits()
    for queue in topology.queues:
        policy = policy_of(topology, queue.name)
        assert policy["overflow"] == "reject-publish"
        assert not policy.keys() & {"message-ttl", "expires"}
        if queue.name != "edoc.dead":
            assert policy["dead-letter-exchange"] == "edoc.dead"
            assert policy["dead-letter-strategy"] == "at-least-once"
            assert policy["delivery-limit"] == limits.deliveries


def test_the_parking_place_never_drops(topology: Topology) -> None:
    assert policy_of(topology, "edoc.dead").keys() == {"max-length-bytes", "overflow"}
