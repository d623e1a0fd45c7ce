"""A runner over a journal in memory, with one journey for every kind of record: what a test tells it to do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from fakes.clock import START, FakeClock
from fakes.journal import FakeJournal
from fakes.records import record

from edoc.errors import EdocError, FaultReport
from edoc.exchange.office import Patience
from edoc.exchange.runner import Journey, Runner, Stage
from edoc.model.document import Lane, Urgency
from edoc.model.record import Change, Key, Record, moved
from edoc.model.state import Kind, State

PATIENCE = Patience(base=timedelta(seconds=2), cap=timedelta(minutes=10))


class Walk:
    """A journey of transfers: QUEUED → SENT, or whatever `act` does instead."""

    def __init__(self, journal: FakeJournal) -> None:
        self.journal = journal
        self.act: Callable[[Record], Awaitable[Change]] = self.send
        self.told: list[State] = []
        self.telling: list[EdocError | Exception] = []
        self.given_up: list[FaultReport] = []
        self.stages: Mapping[State, Stage] = {State.QUEUED: self.stage, State.SENT: self.stage}

    async def stage(self, one: Record) -> Change:
        return await self.act(one)

    async def send(self, one: Record) -> Change:
        return Change(moves=(moved(one, State.SENT, at=START + timedelta(hours=12)),))

    async def give_up(self, one: Record, fault: FaultReport) -> Change:
        self.given_up.append(fault)
        return Change(moves=(moved(one, State.HELD, at=START, fault=fault),))

    async def committed(self, one: Record) -> None:
        if self.telling:
            raise self.telling.pop(0)
        self.told.append(one.state)


class Bench:
    """A runner over a journal in memory, and one journey for every kind."""

    def __init__(self) -> None:
        self.clock = FakeClock(auto=True)
        self.journal = FakeJournal()
        self.walk = Walk(self.journal)
        self.alarms: list[str] = []
        journeys: dict[Kind, Journey] = dict.fromkeys(Kind, self.walk)
        self.runner = Runner(
            journal=self.journal,
            clock=self.clock,
            journeys=journeys,
            patience=PATIENCE,
            chance=lambda: 0.5,
            alarm=lambda fault, _: self.alarms.append(fault.code),
        )

    async def add(self, number: int = 1, urgency: Urgency = Urgency.NORMAL) -> Record:
        made = record(number, urgency=urgency)
        await self.journal.commit(Change(adds=(made,)))
        return made

    async def claim(self) -> Record:
        (claimed,) = await self.journal.claim(frozenset(Kind), Lane.NORMAL, self.clock.now(), 1)
        return claimed

    async def work(self) -> Record:
        """Run what is due once and return the record as it is afterwards."""
        claimed = await self.claim()
        await self.runner.work(claimed)
        return self.now(claimed.key)

    def now(self, key: Key) -> Record:
        return self.journal.rows[key].record

    def fail(self, *errors: Exception | None) -> None:
        """Let the next stages raise `errors`, one each; None lets one pass."""
        waiting = list(errors)

        async def act(one: Record) -> Change:
            error = waiting.pop(0) if waiting else None
            if error is not None:
                raise error
            return await self.walk.send(one)

        self.walk.act = act


async def turns(count: int) -> None:
    """Give other tasks their turns."""
    for _ in range(count):
        await asyncio.sleep(0.001)
