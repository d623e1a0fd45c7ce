"""Provisioning a real broker, and finding what is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fixtures_rabbitmq import COMMUNE, PROVINCE, Exchange
from lab.rabbitmq import RabbitNode

from edoc.adapters.broker_management import ManagementClient, read_password
from edoc.adapters.broker_setup import apply, check
from edoc.errors import EdocError
from edoc.exchange.topology import Limits, Member
from edoc.model.identifiers import OrganId
from edoc.model.topology import Change

QUEUE = "edoc.commune.H53.31.20"


def found(network: Exchange) -> list[tuple[str, str]]:
    """Return what `check` finds, as (code, name)."""
    return [(each.code, each.facts.get("name", "")) for each in check(network.topology, network.client)]


def mended(network: Exchange) -> list[tuple[str, str, Change]]:
    return [(each.kind, each.name, each.change) for each in apply(network.topology, network.client)]


def test_setting_up_twice_changes_nothing_the_second_time(network: Exchange) -> None:
    assert mended(network) == []
    assert found(network) == []


def test_a_new_organisation_is_added_and_the_others_are_left_alone(network: Exchange) -> None:
    newcomer = Member(organ_id=OrganId("H53.7"), level="commune", user="H53.7")
    larger = replace(network, members=(*network.members, newcomer))
    changes = mended(larger)
    assert {change for _, _, change in changes} == {Change.CREATED}
    assert all("H53.7" in name for _, name, _ in changes)
    assert found(larger) == []


def test_a_deleted_queue_is_found_and_made_again(network: Exchange) -> None:
    network.client.delete(("queues", network.vhost, QUEUE))
    assert ("TOPOLOGY_MISSING", QUEUE) in found(network)
    assert ("queue", QUEUE, Change.CREATED) in mended(network)
    assert found(network) == []


def test_other_limits_replace_the_policy(network: Exchange) -> None:
    wider = replace(network, limits=Limits(queue_bytes=1))
    assert found(wider) == [("TOPOLOGY_DIFFERS", "edoc-queues")]
    assert mended(wider) == [("policy", "edoc-queues", Change.REPLACED)]
    assert mended(wider) == []


def test_a_right_too_many_is_found_and_taken_back(network: Exchange) -> None:
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    network.client.put(("permissions", network.vhost, COMMUNE.user), everything)
    assert found(network) == [("TOPOLOGY_DIFFERS", COMMUNE.user)]
    assert mended(network) == [("permission", COMMUNE.user, Change.REPLACED)]
    assert found(network) == []


def test_a_password_of_an_office_is_found_and_removed(network: Exchange) -> None:
    network.client.put(("users", COMMUNE.user), {"password": "let me in", "tags": "administrator"})
    assert found(network) == [("TOPOLOGY_DIFFERS", COMMUNE.user)]
    assert mended(network) == [("user", COMMUNE.user, Change.REPLACED)]
    assert found(network) == []


def test_a_stranger_with_rights_is_reported_and_left(network: Exchange) -> None:
    network.client.put(("users", "stranger"), {"password": "x", "tags": ""})
    network.client.put(("permissions", network.vhost, "stranger"), {"configure": "", "write": "", "read": ".*"})
    try:
        assert mended(network) == []
        assert found(network) == [("TOPOLOGY_FOREIGN", "stranger")]
    finally:
        network.client.delete(("users", "stranger"))


def test_a_binding_that_leads_mail_elsewhere_is_removed(network: Exchange) -> None:
    route = ("bindings", network.vhost, "e", "edoc.out.H53", "q", QUEUE)
    network.client.post(route, {"routing_key": "any key #1/2"})
    assert [code for code, _ in found(network)] == ["TOPOLOGY_FOREIGN"]
    assert [(kind, change) for kind, _, change in mended(network)] == [("binding", Change.REMOVED)]
    assert found(network) == []


def test_a_queue_of_the_wrong_make_is_reported_and_never_deleted(network: Exchange) -> None:
    network.client.delete(("queues", network.vhost, QUEUE))
    network.client.put(("queues", network.vhost, QUEUE), {"durable": True, "arguments": {"x-queue-type": "classic"}})
    apply(network.topology, network.client)
    assert found(network) == [("TOPOLOGY_CONFLICT", QUEUE)]


def test_an_exchange_of_the_wrong_make_is_reported_and_never_deleted(network: Exchange) -> None:
    network.client.delete(("exchanges", network.vhost, "edoc.out.H53"))
    network.client.put(("exchanges", network.vhost, "edoc.out.H53"), {"type": "topic", "durable": True})
    apply(network.topology, network.client)
    assert found(network) == [("TOPOLOGY_CONFLICT", "edoc.out.H53")]


def test_the_queue_of_an_organisation_that_left_is_kept_but_nothing_leads_to_it(network: Exchange) -> None:
    smaller = replace(network, members=(PROVINCE,))
    removed = mended(smaller)
    assert {(kind, change) for kind, _, change in removed} == {("binding", Change.REMOVED)}
    abandoned = [
        (each.code, each.facts) for each in check(smaller.topology, smaller.client) if "messages" in each.facts
    ]
    assert ("QUEUE_ABANDONED", {"name": QUEUE, "messages": "0"}) in abandoned
    assert len(abandoned) == 2


def test_an_operator_policy_and_a_second_policy_are_reported(network: Exchange) -> None:
    expiry = {"pattern": ".*", "definition": {"message-ttl": 1000}, "apply-to": "queues"}
    network.client.put(("operator-policies", network.vhost, "short"), expiry)
    network.client.put(("policies", network.vhost, "other"), {"pattern": ".*", "definition": {"expires": 9}})
    assert found(network) == [("TOPOLOGY_FOREIGN", "other"), ("TOPOLOGY_FOREIGN", "short")]


def test_the_administrator_is_never_made_a_member(network: Exchange, rabbit: RabbitNode) -> None:
    member = Member(organ_id=OrganId("H53.9"), level="commune", user=rabbit.admin_user)
    with pytest.raises(EdocError) as caught:
        mended(replace(network, members=(member,)))
    assert caught.value.code == "TOPOLOGY_CONFLICT"
    user = network.client.get(("users", rabbit.admin_user), dict[str, Any])
    assert user is not None
    assert user["tags"] == ["administrator"]


# --- the client ------------------------------------------------------------------------------------------------------


def test_a_password_goes_over_tls_or_loopback_only(rabbit: RabbitNode) -> None:
    with pytest.raises(EdocError) as caught:
        ManagementClient("http://mq.example.vn:15672", "admin", rabbit.admin_password_file)
    assert caught.value.code == "MANAGEMENT_INSECURE"


def test_a_wrong_password_is_told(rabbit: RabbitNode, tmp_path: Path) -> None:
    client = ManagementClient(rabbit.management_url, "admin", secret(tmp_path, "wrong"))
    with pytest.raises(EdocError) as caught:
        client.get(("users",), list[dict[str, Any]])
    assert caught.value.code == "MANAGEMENT_REFUSED"


def test_a_management_api_that_is_down_is_told(rabbit: RabbitNode) -> None:
    client = ManagementClient("http://127.0.0.1:1", "admin", rabbit.admin_password_file)
    with pytest.raises(EdocError) as caught:
        client.get(("users",), list[dict[str, Any]])
    assert caught.value.code == "MANAGEMENT_UNREACHABLE"


def secret(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "password"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_a_password_file_is_one_line_for_its_owner(tmp_path: Path) -> None:
    assert read_password(secret(tmp_path, "s3cret\n")) == "s3cret"


@pytest.mark.parametrize(("text", "mode"), [("x", 0o640), ("x", 0o604), ("\n", 0o600)])
def test_a_password_file_that_others_may_read_or_that_is_empty_is_refused(tmp_path: Path, text: str, mode: int) -> None:
    with pytest.raises(EdocError) as caught:
        read_password(secret(tmp_path, text, mode))
    assert caught.value.code == "PASSWORD_FILE"


def test_a_password_file_behind_a_link_or_missing_is_refused(tmp_path: Path) -> None:
    secret(tmp_path, "x")
    (tmp_path / "link").symlink_to(tmp_path / "password")
    for name in ("link", "none"):
        with pytest.raises(EdocError) as caught:
            read_password(tmp_path / name)
        assert caught.value.code == "PASSWORD_FILE"
