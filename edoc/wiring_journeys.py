"""The journeys, put together from their ports: which one gets what.

Rules: every constructor lists the ports it needs; nothing is opened here and nothing decided.

Does not know how an adapter is made: :mod:`edoc.wiring` does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from edoc.adapters.broker_amqp import AmqpBroker
from edoc.adapters.directory_file import DirectoryFile
from edoc.adapters.inbox_fs import FsInbox
from edoc.adapters.journal_sqlite import SqliteJournal
from edoc.adapters.sandbox_split import SplitSandbox
from edoc.adapters.spool_fs import FsSpool
from edoc.adapters.store_fs import FsStore
from edoc.adapters.timestamp_http import HttpTimestamp
from edoc.adapters.token_client import TokenClient
from edoc.config import Config
from edoc.exchange.answers import Answers
from edoc.exchange.arrivals import Arrivals
from edoc.exchange.intake import Intake
from edoc.exchange.office import Office
from edoc.exchange.outgoing import Outgoing
from edoc.exchange.receipts import Receipts
from edoc.exchange.reception import Reception
from edoc.exchange.room import Room
from edoc.exchange.runner import Journey, Runner
from edoc.exchange.sealing import Seal
from edoc.exchange.sending import Sending
from edoc.exchange.stamping import Stamping
from edoc.exchange.trust import Trust
from edoc.model.state import Kind
from edoc.ports import Alarm, Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Everything a running daemon has."""

    clock: Clock
    journal: SqliteJournal
    broker: AmqpBroker
    directory: DirectoryFile
    runner: Runner
    intake: Intake
    arrivals: Arrivals
    token: TokenClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The adapters and values that several journeys share."""

    config: Config
    office: Office
    clock: Clock
    journal: SqliteJournal
    sandbox: SplitSandbox
    directory: DirectoryFile
    broker: AmqpBroker
    alarm: Alarm
    chance: Callable[[], float]
    spool: FsSpool
    store: FsStore
    inbox: FsInbox
    token: TokenClient
    trust: Trust
    seal: Seal
    room: Room


def exchange_of(parts: Parts) -> Exchange:
    """Return the exchange of one office."""
    outgoing = _outgoing(parts)
    reception = Reception(
        office=parts.office,
        clock=parts.clock,
        inbox=parts.inbox,
        journal=parts.journal,
        sandbox=parts.sandbox,
        trust=parts.trust,
        alarm=parts.alarm,
    )
    runner = Runner(
        journal=parts.journal,
        clock=parts.clock,
        journeys=_journeys(parts, outgoing, reception),
        patience=parts.office.patience,
        chance=parts.chance,
        alarm=parts.alarm,
    )
    return Exchange(
        clock=parts.clock,
        journal=parts.journal,
        broker=parts.broker,
        directory=parts.directory,
        runner=runner,
        intake=_intake(parts, outgoing, runner),
        arrivals=_arrivals(parts, outgoing, reception, runner),
        token=parts.token,
    )


def _outgoing(parts: Parts) -> Outgoing:
    timestamp = parts.config.timestamp
    return Outgoing(
        office=parts.office,
        clock=parts.clock,
        spool=parts.spool,
        store=parts.store,
        journal=parts.journal,
        sandbox=parts.sandbox,
        trust=parts.trust,
        seal=parts.seal,
        stamping=Stamping(
            parts.clock,
            parts.sandbox,
            HttpTimestamp(timestamp.url) if timestamp.url else None,
            timedelta(seconds=timestamp.limit_seconds),
        ),
    )


def _journeys(parts: Parts, outgoing: Outgoing, reception: Reception) -> dict[Kind, Journey]:
    return {
        Kind.SUBMISSION: outgoing,
        Kind.TRANSFER: Sending(
            office=parts.office,
            clock=parts.clock,
            store=parts.store,
            journal=parts.journal,
            broker=parts.broker,
            outgoing=outgoing,
            alarm=parts.alarm,
        ),
        Kind.RECEPTION: reception,
        Kind.STATUS: Receipts(
            office=parts.office,
            clock=parts.clock,
            store=parts.store,
            broker=parts.broker,
            trust=parts.trust,
            seal=parts.seal,
            alarm=parts.alarm,
        ),
    }


def _arrivals(parts: Parts, outgoing: Outgoing, reception: Reception, runner: Runner) -> Arrivals:
    answers = Answers(
        clock=parts.clock,
        store=parts.store,
        journal=parts.journal,
        sandbox=parts.sandbox,
        trust=parts.trust,
        outgoing=outgoing,
    )
    return Arrivals(
        office=parts.office,
        clock=parts.clock,
        broker=parts.broker,
        inbox=parts.inbox,
        journal=parts.journal,
        sandbox=parts.sandbox,
        trust=parts.trust,
        reception=reception,
        answers=answers,
        room=parts.room,
        alarm=parts.alarm,
        poke=runner.poke,
        chance=parts.chance,
    )


def _intake(parts: Parts, outgoing: Outgoing, runner: Runner) -> Intake:
    return Intake(
        office=parts.office,
        clock=parts.clock,
        spool=parts.spool,
        store=parts.store,
        journal=parts.journal,
        sandbox=parts.sandbox,
        trust=parts.trust,
        outgoing=outgoing,
        room=parts.room,
        alarm=parts.alarm,
        poke=runner.poke,
        workers=parts.config.limits.workers_normal,
    )
