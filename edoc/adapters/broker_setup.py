"""Bringing a broker to its desired topology, and saying what is wrong with it.

Rules: one comparison serves both: `apply` carries out its repairs, `check` reports its differences, so what `apply`
has done `check` does not find.  Nothing that can hold messages is ever removed; what cannot be changed in place
(the type of an exchange or queue) is left alone and reported.  A binding that is not desired is removed: it leads
mail where nobody ordered it.

Does not know organisations: the topology comes in whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from edoc.adapters.broker_management import ManagementClient
from edoc.errors import EdocError, Fault, FaultReport
from edoc.errors import broker as faults
from edoc.model.topology import Binding, Change, Changed, Destination, Permission, Policy, Topology


class _Problem(StrEnum):
    MISSING = "missing"
    DIFFERS = "differs"
    CONFLICT = "conflict"
    FOREIGN = "foreign"


_FAULTS: Mapping[_Problem, Fault] = {
    _Problem.MISSING: faults.TOPOLOGY_MISSING,
    _Problem.DIFFERS: faults.TOPOLOGY_DIFFERS,
    _Problem.CONFLICT: faults.TOPOLOGY_CONFLICT,
    _Problem.FOREIGN: faults.TOPOLOGY_FOREIGN,
}
_CHANGES: Mapping[_Problem, Change] = {
    _Problem.MISSING: Change.CREATED,
    _Problem.DIFFERS: Change.REPLACED,
    _Problem.FOREIGN: Change.REMOVED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Repair:
    """A request that mends a difference; without `content` it is a DELETE, with `add` a POST instead of a PUT."""

    path: tuple[str, ...]
    content: Mapping[str, object] | None = None
    add: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Difference:
    """One thing that is not as desired; without `repair` only a person can mend it."""

    kind: str
    name: str
    problem: _Problem
    found: str = ""
    wanted: str = ""
    repair: _Repair | None = None


# --- What the management API answers; fields that are not read here are left out -------------------------------------


class _Exchange(msgspec.Struct, frozen=True):
    name: str
    type: str
    durable: bool
    internal: bool


class _Queue(msgspec.Struct, frozen=True):
    name: str
    durable: bool = True
    arguments: dict[str, object] = {}
    messages: int = 0
    state: str = "running"


class _Binding(msgspec.Struct, frozen=True):
    source: str
    destination: str
    destination_type: str
    routing_key: str
    properties_key: str


class _Policy(msgspec.Struct, frozen=True, rename={"apply_to": "apply-to"}):
    name: str
    pattern: str
    priority: int
    definition: dict[str, object]
    apply_to: str


class _User(msgspec.Struct, frozen=True):
    name: str
    password_hash: str
    tags: list[str] | str


class _Permission(msgspec.Struct, frozen=True):
    user: str
    configure: str
    write: str
    read: str


class _Node(msgspec.Struct, frozen=True):
    name: str
    running: bool
    mem_alarm: bool = False
    disk_free_alarm: bool = False
    partitions: list[object] = []


class _Named(msgspec.Struct, frozen=True):
    name: str


# --- The two commands ------------------------------------------------------------------------------------------------


def apply(desired: Topology, client: ManagementClient) -> list[Changed]:
    """Bring the broker to `desired` and return what was changed: nothing the second time.

    What cannot be mended is left: `check` says so.  Raises EdocError MANAGEMENT_UNREACHABLE, MANAGEMENT_REFUSED,
    MANAGEMENT_ERROR, TOPOLOGY_CONFLICT when a member's user is the administrator who asks.
    """
    if client.user in desired.users:
        raise EdocError(faults.TOPOLOGY_CONFLICT, kind="user", name=client.user, found="administrator", wanted="member")
    changed = []
    for difference in _differences(desired, client):
        repair = difference.repair
        if repair is None:
            continue
        if repair.content is None:
            client.delete(repair.path)
        elif repair.add:
            client.post(repair.path, repair.content)
        else:
            client.put(repair.path, repair.content)
        changed.append(Changed(kind=difference.kind, name=difference.name, change=_CHANGES[difference.problem]))
    return changed


def check(desired: Topology, client: ManagementClient) -> list[FaultReport]:
    """Return what is wrong at the broker, nothing when all is well.

    Raises EdocError MANAGEMENT_UNREACHABLE, MANAGEMENT_REFUSED, MANAGEMENT_ERROR.
    """
    reports = [
        EdocError(_FAULTS[each.problem], kind=each.kind, name=each.name, found=each.found, wanted=each.wanted).report()
        for each in _differences(desired, client)
    ]
    return [*reports, *_queue_reports(desired, client), *_node_reports(client)]


def _queue_reports(desired: Topology, client: ManagementClient) -> Iterator[FaultReport]:
    wanted = {queue.name for queue in desired.queues}
    for queue in _queues(desired.vhost, client):
        if queue.name not in wanted and queue.name.startswith(desired.prefix):
            yield EdocError(faults.QUEUE_ABANDONED, name=queue.name, messages=queue.messages).report()
        elif queue.name in desired.parking and queue.messages:
            yield EdocError(faults.DEAD_LETTERS, name=queue.name, messages=queue.messages).report()


def _node_reports(client: ManagementClient) -> Iterator[FaultReport]:
    for node in client.get(("nodes",), list[_Node]) or []:
        alarms = {
            "not running": not node.running,
            "memory alarm": node.mem_alarm,
            "disk alarm": node.disk_free_alarm,
            "network partition": bool(node.partitions),
        }
        for alarm, raised in alarms.items():
            if raised:
                yield EdocError(faults.BROKER_ALARM, node=node.name, alarm=alarm).report()


# --- The comparison, in the order in which repairs have to be made ---------------------------------------------------


def _differences(desired: Topology, client: ManagementClient) -> Iterator[_Difference]:
    yield from _vhost(desired, client)
    yield from _users(desired, client)
    yield from _permissions(desired, client)
    yield from _policies(desired, client)  # before the queues, so that none is without limits for an instant
    yield from _exchanges(desired, client)
    yield from _queue_differences(desired, client)
    yield from _bindings(desired, client)


def _vhost(desired: Topology, client: ManagementClient) -> Iterator[_Difference]:
    if client.get(("vhosts", desired.vhost), _Named) is None:
        repair = _Repair(path=("vhosts", desired.vhost), content={})
        yield _Difference(kind="vhost", name=desired.vhost, problem=_Problem.MISSING, repair=repair)


def _users(desired: Topology, client: ManagementClient) -> Iterator[_Difference]:
    found = {user.name: user for user in client.get(("users",), list[_User]) or []}
    for name in desired.users:
        # No password at all: only a certificate with this common name gets in.
        repair = _Repair(path=("users", name), content={"password_hash": "", "tags": ""})
        user = found.get(name)
        if user is None:
            yield _Difference(kind="user", name=name, problem=_Problem.MISSING, repair=repair)
        elif user.password_hash or user.tags:
            what = "with a password" if user.password_hash else f"with tags {user.tags}"
            yield _differs("user", name, what, "neither password nor tags", repair)
    if "guest" in found:
        yield _Difference(kind="user", name="guest", problem=_Problem.FOREIGN)


def _permissions(desired: Topology, client: ManagementClient) -> Iterator[_Difference]:
    rows = client.get(("vhosts", desired.vhost, "permissions"), list[_Permission]) or []
    found = {row.user: row for row in rows}
    if client.user not in found:  # whoever provisions has to be allowed to; what they have already stays
        own = Permission(user=client.user, configure=".*", write=".*", read=".*")
        yield _permission_missing(desired, own)
    for wanted in desired.permissions:
        row = found.get(wanted.user)
        if row is None:
            yield _permission_missing(desired, wanted)
        elif _rights(row) != _rights(wanted):
            repair = _permission_missing(desired, wanted).repair
            yield _differs("permission", wanted.user, _rights(row), _rights(wanted), repair)
    for user in found.keys() - set(desired.users) - {client.user}:
        yield _Difference(kind="permission", name=user, problem=_Problem.FOREIGN, found=_rights(found[user]))


def _rights(row: _Permission | Permission) -> str:
    return f"configure {row.configure} write {row.write} read {row.read}"


def _permission_missing(desired: Topology, wanted: Permission) -> _Difference:
    content = {"configure": wanted.configure, "write": wanted.write, "read": wanted.read}
    repair = _Repair(path=("permissions", desired.vhost, wanted.user), content=content)
    return _Difference(kind="permission", name=wanted.user, problem=_Problem.MISSING, repair=repair)


def _policies(desired: Topology, client: ManagementClient) -> Iterator[_Difference]:
    found = {policy.name: policy for policy in client.get(("policies", desired.vhost), list[_Policy]) or []}
    for wanted in desired.policies:
        content = _policy(wanted)
        repair = _Repair(path=("policies", desired.vhost, wanted.name), content=content)
        policy = found.pop(wanted.name, None)
        if policy is None:
            yield _Difference(kind="policy", name=wanted.name, problem=_Problem.MISSING, repair=repair)
        elif (now := msgspec.to_builtins(policy)) != {"name": wanted.name, **content}:
            yield _differs("policy", wanted.name, str(now), str(content), repair)
    for name in found:  # of two policies on a queue only the one with the higher priority counts
        yield _Difference(kind="policy", name=name, problem=_Problem.FOREIGN)
    for operator in client.get(("operator-policies", desired.vhost), list[_Named]) or []:
        yield _Difference(kind="operator policy", name=operator.name, problem=_Problem.FOREIGN)


def _policy(wanted: Policy) -> dict[str, object]:
    return {
        "pattern": wanted.pattern,
        "priority": wanted.priority,
        "definition": dict(wanted.definition),
        "apply-to": "queues",
    }


def _exchanges(desired: Topology, client: ManagementClient) -> Iterator[_Difference]:
    rows = client.get(("exchanges", desired.vhost), list[_Exchange]) or []
    found = {row.name: row for row in rows if row.name and not row.name.startswith("amq.")}
    for wanted in desired.exchanges:
        content = {"type": wanted.kind.value, "durable": True, "auto_delete": False, "internal": wanted.internal}
        row = found.pop(wanted.name, None)
        if row is None:
            repair = _Repair(path=("exchanges", desired.vhost, wanted.name), content=content)
            yield _Difference(kind="exchange", name=wanted.name, problem=_Problem.MISSING, repair=repair)
        elif (row.type, row.durable, row.internal) != (wanted.kind.value, True, wanted.internal):
            now = f"{row.type} durable={row.durable} internal={row.internal}"
            yield _conflict("exchange", wanted.name, now, f"{wanted.kind.value} internal={wanted.internal}")
    for name in found:
        yield _Difference(kind="exchange", name=name, problem=_Problem.FOREIGN)


def _queue_differences(desired: Topology, client: ManagementClient) -> Iterator[_Difference]:
    found = {queue.name: queue for queue in _queues(desired.vhost, client)}
    arguments = {"x-queue-type": "quorum"}
    for wanted in desired.queues:
        queue = found.pop(wanted.name, None)
        if queue is None:
            content = {"durable": True, "auto_delete": False, "arguments": arguments}
            repair = _Repair(path=("queues", desired.vhost, wanted.name), content=content)
            yield _Difference(kind="queue", name=wanted.name, problem=_Problem.MISSING, repair=repair)
        elif queue.arguments != arguments:  # a limit given as an argument would win over the policy
            yield _conflict("queue", wanted.name, str(queue.arguments), str(arguments))
        elif queue.state not in {"running", "idle", "flow"}:
            yield _differs("queue", wanted.name, queue.state, "running", None)
    for name in found:
        if not name.startswith(desired.prefix):  # one of ours that is left over is QUEUE_ABANDONED
            yield _Difference(kind="queue", name=name, problem=_Problem.FOREIGN)


def _queues(vhost: str, client: ManagementClient) -> Sequence[_Queue]:
    columns = "?columns=name,durable,arguments,messages,state"
    return client.get(("queues", vhost), list[_Queue], columns) or []


def _bindings(desired: Topology, client: ManagementClient) -> Iterator[_Difference]:
    found = {}
    for row in client.get(("bindings", desired.vhost), list[_Binding]) or []:
        if row.source.startswith(desired.prefix):
            kind = Destination(row.destination_type)
            binding = Binding(source=row.source, kind=kind, destination=row.destination, routing_key=row.routing_key)
            found[binding] = row.properties_key
    for wanted in desired.bindings:
        if found.pop(wanted, None) is None:
            repair = _Repair(path=_route(desired, wanted), content={"routing_key": wanted.routing_key}, add=True)
            yield _Difference(kind="binding", name=_text(wanted), problem=_Problem.MISSING, repair=repair)
    for binding, key in found.items():
        repair = _Repair(path=(*_route(desired, binding), key))
        yield _Difference(kind="binding", name=_text(binding), problem=_Problem.FOREIGN, repair=repair)


def _route(desired: Topology, binding: Binding) -> tuple[str, ...]:
    letter = "q" if binding.kind is Destination.QUEUE else "e"
    return ("bindings", desired.vhost, "e", binding.source, letter, binding.destination)


def _text(binding: Binding) -> str:
    return f"{binding.source} —{binding.routing_key}→ {binding.destination}"


def _differs(kind: str, name: str, found: str, wanted: str, repair: _Repair | None) -> _Difference:
    return _Difference(kind=kind, name=name, problem=_Problem.DIFFERS, found=found, wanted=wanted, repair=repair)


def _conflict(kind: str, name: str, found: str, wanted: str) -> _Difference:
    return _Difference(kind=kind, name=name, problem=_Problem.CONFLICT, found=found, wanted=wanted)
