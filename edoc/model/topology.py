"""The broker's topology as values: what shall exist there and who may do what.

Rules: a topology is desired state, whole: exchanges, queues, bindings, policies, users and permissions of one vhost.
Does not know an organisation's code or level: :mod:`edoc.exchange.topology` derives it from them.  Does not change a
broker: the management adapter compares and applies.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ExchangeKind(StrEnum):
    """The exchange types in use."""

    FANOUT = "fanout"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A durable exchange; an internal one takes no publishes from clients."""

    name: str
    kind: ExchangeKind
    internal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A durable quorum queue; limits come from a policy, so that they can change without re-creating it."""

    name: str


class Destination(StrEnum):
    """What a binding leads to."""

    QUEUE = "queue"
    EXCHANGE = "exchange"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Binding:
    """A route from an exchange to a queue or to another exchange."""

    source: str
    kind: Destination
    destination: str
    routing_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Limits of the queues whose name matches `pattern`; the highest priority that matches wins alone."""

    name: str
    pattern: str
    priority: int
    definition: tuple[tuple[str, str | int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What a user may do, as three regular expressions over names of exchanges and queues."""

    user: str
    configure: str
    write: str
    read: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The desired state of one vhost.

    `users` have no password (they come with a client certificate); `prefix` starts every name that is ours;
    `parking` are the queues for what nobody could take.
    """

    vhost: str
    prefix: str
    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]
    policies: tuple[Policy, ...]
    users: tuple[str, ...]
    permissions: tuple[Permission, ...]
    parking: frozenset[str]


class Change(StrEnum):
    """What was done to an object of the broker."""

    CREATED = "created"
    REPLACED = "replaced"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One change that was made: to what kind of object, its name, and what."""

    kind: str
    name: str
    change: Change
