"""The runner: claims records that are due, runs their stage, commits what the stage returns.

Rules: a stage takes a record in state A and returns the change that puts it into state B; the runner commits the
change in one journal transaction.  So recovery after any crash is the same as work: claim the next record.  A fault
that may pass is stored with the time of the next attempt; a permanent one is handed to the journey's ``give_up``; a
bug is a fault too (INTERNAL), told loudly and never hidden.

After an unclean stop the records that were in work run alone, one by one, before anything else.

Does not know what the stages do.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

import structlog

from edoc.errors import Disposition, EdocError, FaultReport
from edoc.errors.exchange import DISK_FAILING, STATE_CONFLICT
from edoc.errors.journey import INTERNAL
from edoc.exchange.office import Patience
from edoc.exchange.retry import next_attempt
from edoc.model.document import Lane
from edoc.model.record import Change, Move, Record
from edoc.model.state import Kind, State
from edoc.ports import Alarm, Clock, Journal

T = TypeVar("T")

Stage = Callable[[Record], Awaitable[Change]]

_LOOK = timedelta(seconds=5)
"""Longest rest: an operator's act is committed by another process and rings no bell here."""


class Journey(Protocol):
    """What the runner needs of one kind of record."""

    stages: Mapping[State, Stage]

    async def give_up(self, record: Record, fault: FaultReport) -> Change:
        """Return the change that ends `record` after a permanent fault."""

    async def committed(self, record: Record) -> None:
        """Do what follows a commit: files that tell about it.  Idempotent: repeated after a crash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Workers that share one lane and some kinds of record."""

    lane: Lane
    kinds: frozenset[Kind]
    workers: int


class Runner:
    """Runs the stages of all journeys."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        journeys: Mapping[Kind, Journey],
        patience: Patience,
        chance: Callable[[], float],
        alarm: Alarm,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._journeys = journeys
        self._patience = patience
        self._chance = chance
        self._alarm = alarm
        self._log = structlog.get_logger("edoc.exchange")
        self._bells: dict[Lane, set[asyncio.Event]] = {lane: set() for lane in Lane}
        self._stopping = asyncio.Event()

    def poke(self, lane: Lane) -> None:
        """Say that records of `lane` may have become due."""
        for bell in self._bells[lane]:
            bell.set()

    def stop(self) -> None:
        """Finish what is under way and claim nothing more."""
        self._stopping.set()
        for lane in Lane:
            self.poke(lane)

    async def run(self, crews: tuple[Crew, ...]) -> None:
        """Work until stopped; suspects of an unclean stop first, alone."""
        await self._run_suspects(crews)
        async with asyncio.TaskGroup() as group:
            for crew in crews:
                group.create_task(self._lead(crew))

    async def _run_suspects(self, crews: tuple[Crew, ...]) -> None:
        everything = frozenset(Kind)
        lanes = sorted({crew.lane for crew in crews}, key=lambda lane: lane is not Lane.URGENT)
        for lane in lanes:
            while not self._stopping.is_set():
                records = await self._claim(everything, lane, 1, alone=True)
                if not records:
                    break
                await self.work(records[0])

    async def _lead(self, crew: Crew) -> None:
        bell = asyncio.Event()
        self._bells[crew.lane].add(bell)
        under_way: set[asyncio.Task[None]] = set()
        async with asyncio.TaskGroup() as group:
            while not self._stopping.is_set():
                bell.clear()
                free = crew.workers - len(under_way)
                if not free:
                    await bell.wait()  # a worker that ends rings it
                    continue
                records = await self._claim(crew.kinds, crew.lane, free)
                for record in records:
                    task = group.create_task(self.work(record))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                    task.add_done_callback(lambda _: bell.set())
                if not records:
                    await self._rest(crew, bell)

    async def _rest(self, crew: Crew, bell: asyncio.Event) -> None:
        due = await self._journal.next_due(crew.kinds, crew.lane)
        limit = _LOOK if due is None else max(timedelta(), due - self._clock.now())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(limit, _LOOK).total_seconds() + 0.001):
                await bell.wait()

    async def _claim(self, kinds: frozenset[Kind], lane: Lane, limit: int, *, alone: bool = False) -> Sequence[Record]:
        return await self._patiently(lambda: self._journal.claim(kinds, lane, self._clock.now(), limit, alone))

    async def work(self, record: Record) -> None:
        """Run the stage of one claimed record and commit what it returns."""
        started = self._clock.now()
        change, fault = await self._attempt(record)
        try:
            await self._patiently(lambda: self._journal.commit(change))
        except EdocError as error:
            if error.fault is not STATE_CONFLICT:
                raise
            await self._overtaken(record, error.report())
            return
        self._tell(record, change, fault, started_ms=self._since(started))
        for move in change.moves:
            await self._follow(move.record)
        for lane in {move.record.lane for move in change.moves} | {added.lane for added in change.adds}:
            self.poke(lane)

    async def _attempt(self, record: Record) -> tuple[Change, FaultReport | None]:
        """Run the stage of `record`; return its change, or the one that stores why there is none."""
        journey = self._journeys[record.key.kind]
        try:
            try:
                return await journey.stages[record.state](record), None
            except EdocError as error:
                if error.fault.disposition is not Disposition.PERMANENT:
                    raise
                return await journey.give_up(record, error.report()), error.report()
        except EdocError as error:
            if error.fault is DISK_FAILING:
                raise  # fsync said no: what was written may be gone, so stop, start again, redo
            fault = error.report()
        except Exception as error:  # noqa: BLE001 -- a bug on one document must not stop the others; it is told
            self._log.exception("stage_failed", kind=record.key.kind, document_id=record.document_id)
            fault = _bug(error)
        return self._postpone(record, fault), fault

    async def _overtaken(self, record: Record, fault: FaultReport) -> None:
        """Somebody else changed what we were about to change."""
        self._log.info("stage_overtaken", kind=record.key.kind, document_id=record.document_id, state=record.state)
        found = await self._patiently(lambda: self._journal.get(record.key))
        if found is None or found.state is not record.state:
            return  # a receipt or the operator was faster: what they committed stands
        # The conflict is about another record of the change; this one is still in work and has to be tried again.
        later = self._postpone(record, fault)
        try:
            await self._patiently(lambda: self._journal.commit(later))
        except EdocError as error:
            if error.fault is not STATE_CONFLICT:  # then it was moved in the meantime after all
                raise

    async def _follow(self, record: Record) -> None:
        """Do what follows a commit; what cannot be told stops nobody: the next commit or start tells it again."""
        journey = self._journeys[record.key.kind]
        try:
            await self._patiently(lambda: journey.committed(record))
        except EdocError as error:
            if error.fault is DISK_FAILING:
                raise
            self._alarm(error.report(), record.key)
        except Exception as error:  # noqa: BLE001 -- a bug on one document must not stop the others; it is told
            self._log.exception("telling_failed", kind=record.key.kind, document_id=record.document_id)
            self._alarm(_bug(error), record.key)

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return what `call` returns; while a temporary trouble of our own is in the way, call again."""
        attempts = 0
        while True:
            try:
                return await call()
            except EdocError as error:
                if error.fault is STATE_CONFLICT or error.fault.disposition is not Disposition.TEMPORARY:
                    raise
                self._log.warning("work_postponed", fault=error.code, cause=error.cause, attempts=attempts)
            now = self._clock.now()
            await self._clock.sleep(next_attempt(now, attempts, self._patience, self._chance()) - now)
            attempts += 1

    def _postpone(self, record: Record, fault: FaultReport) -> Change:
        if fault.disposition is Disposition.OPERATOR and (record.fault is None or record.fault.code != fault.code):
            self._alarm(fault, record.key)
        due = next_attempt(self._clock.now(), record.attempts, self._patience, self._chance())
        later = replace(record, attempts=record.attempts + 1, next_attempt=due, fault=fault)
        return Change(moves=(Move(record=later, was=record.state),))

    def _tell(self, record: Record, change: Change, fault: FaultReport | None, started_ms: int) -> None:
        now = next((move.record.state for move in change.moves if move.record.key == record.key), record.state)
        self._log.info(
            "stage",
            kind=record.key.kind,
            document_id=record.document_id,
            peer=record.key.peer,
            lane=record.lane,
            was=record.state,
            state=now,
            attempts=record.attempts,
            fault=fault.code if fault else None,
            cause=fault.cause if fault and fault.cause else None,
            ms=started_ms,
        )

    def _since(self, started: datetime) -> int:
        return int((self._clock.now() - started) / timedelta(milliseconds=1))


def _bug(error: Exception) -> FaultReport:
    return FaultReport(code=INTERNAL.code, cause=f"{type(error).__name__}: {error}")
