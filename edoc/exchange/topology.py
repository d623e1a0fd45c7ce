"""What has to exist at the broker for a list of organisations: pure desired state.

Rules: each organisation has one exchange that only it may write to and two queues that only it may read, so the
broker itself attests who published.  Nobody may declare anything.  Limits are policies.  Every expression in a
permission or policy is anchored at both ends and escaped: `.` is a letter of organisation codes.

Does not talk to a broker: the management adapter applies and checks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edoc.envelopes.wire import DEAD_LETTERS, ROUTER, out_exchange, queue_name, routing_key
from edoc.model.document import Lane
from edoc.model.identifiers import OrganId
from edoc.model.topology import (
    Binding,
    Destination,
    Exchange,
    ExchangeKind,
    Permission,
    Policy,
    Queue,
    Topology,
)

VHOST = "edoc"
PREFIX = "edoc."


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An organisation at this broker: code, level, and the common name of its client certificate."""

    organ_id: OrganId
    level: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a queue may hold, in bytes, and how often a message may be given back before it is parked."""

    queue_bytes: int = 20 * 1024**3
    dead_bytes: int = 20 * 1024**3
    deliveries: int = 20  # RabbitMQ 4's own default; without a dead-letter exchange, reaching it would drop


def desired(
    members: Sequence[Member],
    *,
    routes: Mapping[OrganId, OrganId] | None = None,
    limits: Limits | None = None,
    vhost: str = VHOST,
) -> Topology:
    """Return what has to exist for `members`.

    `routes` sends mail for a code that is not here to a member: the relay, for every code of other brokers.
    """
    return Topology(
        vhost=vhost,
        prefix=PREFIX,
        exchanges=(
            Exchange(name=ROUTER, kind=ExchangeKind.DIRECT, internal=True),
            Exchange(name=DEAD_LETTERS, kind=ExchangeKind.FANOUT, internal=True),
            *(
                Exchange(name=out_exchange(member.organ_id), kind=ExchangeKind.FANOUT, internal=False)
                for member in members
            ),
        ),
        queues=(
            Queue(name=DEAD_LETTERS),
            *(Queue(name=queue_name(member.level, member.organ_id, lane)) for member in members for lane in Lane),
        ),
        bindings=_bindings(members, routes or {}),
        policies=_policies(limits or Limits()),
        users=tuple(member.user for member in members),
        permissions=tuple(_permission(member) for member in members),
        parking=frozenset({DEAD_LETTERS}),
    )


def _bindings(members: Sequence[Member], routes: Mapping[OrganId, OrganId]) -> tuple[Binding, ...]:
    levels = {member.organ_id: member.level for member in members}
    targets = {code: via for code, via in routes.items() if code not in levels}
    targets |= {code: code for code in levels}
    return (
        Binding(source=DEAD_LETTERS, kind=Destination.QUEUE, destination=DEAD_LETTERS),
        *(Binding(source=out_exchange(code), kind=Destination.EXCHANGE, destination=ROUTER) for code in levels),
        *(
            Binding(
                source=ROUTER,
                kind=Destination.QUEUE,
                destination=queue_name(levels[via], via, lane),
                routing_key=routing_key(code, lane),
            )
            for code, via in targets.items()
            for lane in Lane
        ),
    )


def _policies(limits: Limits) -> tuple[Policy, ...]:
    # No TTL and no expiry anywhere: nothing disappears because nobody looked.
    return (
        Policy(
            name="edoc-queues",
            pattern=r"^edoc\..+$",
            priority=10,
            definition=(
                ("dead-letter-exchange", DEAD_LETTERS),
                ("dead-letter-strategy", "at-least-once"),  # needs reject-publish
                ("delivery-limit", limits.deliveries),
                ("max-length-bytes", limits.queue_bytes),
                ("overflow", "reject-publish"),
            ),
        ),
        Policy(
            name="edoc-dead",
            pattern=f"^{re.escape(DEAD_LETTERS)}$",
            priority=20,
            # No delivery-limit: the parking place is the end of the way, a message dropped here would be lost.
            definition=(("max-length-bytes", limits.dead_bytes), ("overflow", "reject-publish")),
        ),
    )


def _permission(member: Member) -> Permission:
    normal = queue_name(member.level, member.organ_id, Lane.NORMAL)
    return Permission(
        user=member.user,
        configure="^$",
        write=f"^{re.escape(out_exchange(member.organ_id))}$",
        read=rf"^{re.escape(normal)}(\.urgent)?$",
    )
