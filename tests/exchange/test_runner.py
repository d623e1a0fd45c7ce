"""The runner: what it does with each kind of outcome, when it tries again, and how it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from fakes.clock import START, FakeClock
from fakes.journal import FakeJournal
from fakes.records import record

from edoc.errors import EdocError, Fault, FaultReport
from edoc.errors.exchange import DISK_FAILING, DISK_FULL, FILE_DENIED, JOURNAL_BUSY, STATE_CONFLICT
from edoc.errors.journey import NO_ROUTE, RECIPIENT_UNKNOWN, TOKEN_NOT_READY
from edoc.errors.token import PIN_BLOCKED
from edoc.exchange.office import Patience
from edoc.exchange.runner import Crew, Journey, Runner, Stage
from edoc.model.document import Lane, Urgency
from edoc.model.record import Change, Key, Move, Record, moved
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


@pytest.fixture
def bench() -> Bench:
    return Bench()


class TestOutcomes:
    async def test_what_a_stage_returns_is_committed_and_then_told(self, bench: Bench) -> None:
        await bench.add()
        after = await bench.work()
        assert (after.state, after.fault, after.attempts) == (State.SENT, None, 0)
        assert bench.walk.told == [State.SENT]

    async def test_a_temporary_fault_is_stored_with_the_time_of_the_next_attempt(self, bench: Bench) -> None:
        await bench.add()
        bench.fail(EdocError(TOKEN_NOT_READY, detail="absent"))
        after = await bench.work()
        assert (after.state, after.attempts) == (State.QUEUED, 1)
        assert after.fault == FaultReport(code="TOKEN_NOT_READY", facts={"detail": "absent"})
        assert after.next_attempt == START + timedelta(seconds=1)
        assert bench.alarms == []

    async def test_each_failure_waits_longer_up_to_the_cap(self, bench: Bench) -> None:
        await bench.add()
        bench.fail(*[EdocError(NO_ROUTE, recipient="X")] * 12)
        waits = []
        for _ in range(12):
            after = await bench.work()
            waits.append((after.next_attempt - bench.clock.now()).total_seconds())
            await bench.clock.advance(after.next_attempt - bench.clock.now())
        assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]

    async def test_a_record_is_not_claimed_before_its_time(self, bench: Bench) -> None:
        await bench.add()
        bench.fail(EdocError(TOKEN_NOT_READY, detail="absent"))
        after = await bench.work()
        await bench.clock.advance(after.next_attempt - bench.clock.now() - timedelta(milliseconds=1))
        assert await bench.journal.claim(frozenset(Kind), Lane.NORMAL, bench.clock.now(), 9) == []
        await bench.clock.advance(timedelta(milliseconds=1))
        assert (await bench.work()).state is State.SENT

    async def test_success_forgets_the_fault_and_the_attempts(self, bench: Bench) -> None:
        await bench.add()
        bench.fail(EdocError(TOKEN_NOT_READY, detail="absent"), None)
        await bench.clock.advance((await bench.work()).next_attempt - bench.clock.now())
        after = await bench.work()
        assert (after.state, after.fault, after.attempts) == (State.SENT, None, 0)

    async def test_a_permanent_fault_goes_to_the_journey_to_end_it(self, bench: Bench) -> None:
        await bench.add()
        bench.fail(EdocError(RECIPIENT_UNKNOWN, recipient="X"))
        after = await bench.work()
        assert after.state is State.HELD
        assert [fault.code for fault in bench.walk.given_up] == ["RECIPIENT_UNKNOWN"]
        assert bench.walk.told == [State.HELD]

    async def test_an_operators_fault_is_tried_again_and_alarmed_once(self, bench: Bench) -> None:
        await bench.add()
        bench.fail(*[EdocError(PIN_BLOCKED)] * 3)
        for _ in range(3):
            after = await bench.work()
            await bench.clock.advance(after.next_attempt - bench.clock.now())
        assert (after.state, after.attempts) == (State.QUEUED, 3)
        assert bench.alarms == ["PIN_BLOCKED"]

    async def test_a_bug_in_a_stage_is_told_loudly_and_stops_nobody_else(self, bench: Bench) -> None:
        first, second = await bench.add(1), await bench.add(2)
        bench.fail(ZeroDivisionError("by zero"), None)
        await bench.work()
        await bench.work()
        after = bench.now(first.key)
        assert after.fault == FaultReport(code="INTERNAL", cause="ZeroDivisionError: by zero")
        assert (after.state, after.attempts) == (State.QUEUED, 1)
        assert bench.now(second.key).state is State.SENT
        assert bench.alarms == ["INTERNAL"]

    async def test_a_bug_while_giving_up_is_a_bug_of_that_record_alone(self, bench: Bench) -> None:
        await bench.add()
        bench.fail(EdocError(RECIPIENT_UNKNOWN, recipient="X"))

        async def broken(_one: Record, _fault: FaultReport) -> Change:
            raise TypeError("no")

        bench.walk.give_up = broken  # type: ignore[method-assign, assignment]  # a journey with a bug
        after = await bench.work()
        assert after.fault is not None
        assert after.fault.code == "INTERNAL"

    async def test_who_was_faster_is_right(self, bench: Bench) -> None:
        made = await bench.add()

        async def overtaken(one: Record) -> Change:
            delivered = replace(one, state=State.DELIVERED)
            await bench.journal.commit(Change(moves=(Move(record=delivered, was=State.QUEUED),)))
            return await bench.walk.send(one)

        bench.walk.act = overtaken
        after = await bench.work()
        assert after.state is State.DELIVERED
        assert bench.now(made.key).fault is None
        assert bench.walk.told == []


class TestFaultsAroundTheCommit:
    @pytest.mark.parametrize("fault", [DISK_FULL, JOURNAL_BUSY])
    async def test_a_commit_that_cannot_be_made_now_is_made_later(self, bench: Bench, fault: Fault) -> None:
        await bench.add()
        claimed = await bench.claim()
        bench.journal.faults.plan("commit", EdocError(fault), EdocError(fault))
        await bench.runner.work(claimed)
        assert bench.now(claimed.key).state is State.SENT
        assert bench.walk.told == [State.SENT]

    async def test_a_failing_disk_stops_everything(self, bench: Bench) -> None:
        await bench.add()
        claimed = await bench.claim()
        bench.journal.faults.plan("commit", EdocError(DISK_FAILING))
        with pytest.raises(EdocError) as caught:
            await bench.runner.work(claimed)
        assert caught.value.fault is DISK_FAILING

    async def test_a_failing_disk_in_a_stage_is_not_taken_for_the_documents_fault(self, bench: Bench) -> None:
        await bench.add()
        bench.fail(EdocError(DISK_FAILING))
        claimed = await bench.claim()
        with pytest.raises(EdocError):
            await bench.runner.work(claimed)
        assert bench.now(claimed.key).fault is None

    @pytest.mark.parametrize("error", [EdocError(FILE_DENIED, what="status"), RuntimeError("a bug")])
    async def test_a_file_that_cannot_be_told_stops_nobody(self, bench: Bench, error: Exception) -> None:
        first, second = await bench.add(1), await bench.add(2)
        bench.walk.telling.append(error)
        await bench.work()
        await bench.work()
        assert (bench.now(first.key).state, bench.now(second.key).state) == (State.SENT, State.SENT)
        assert len(bench.alarms) == 1

    async def test_a_file_that_cannot_be_told_now_is_told_later(self, bench: Bench) -> None:
        await bench.add()
        bench.walk.telling += [EdocError(DISK_FULL, what="status"), EdocError(DISK_FULL, what="status")]
        await bench.work()
        assert bench.walk.told == [State.SENT]


CREWS = tuple(Crew(lane=lane, kinds=frozenset(Kind), workers=2) for lane in (Lane.URGENT, Lane.NORMAL))


class TestRunning:
    async def run_until_idle(self, bench: Bench) -> asyncio.Task[None]:
        running = asyncio.create_task(bench.runner.run(CREWS))
        await turns(50)
        return running

    async def test_everything_due_is_done(self, bench: Bench) -> None:
        keys = [(await bench.add(number)).key for number in range(1, 8)]
        running = await self.run_until_idle(bench)
        assert {bench.now(key).state for key in keys} == {State.SENT}
        bench.runner.stop()
        await asyncio.wait_for(running, 10)

    async def test_a_poke_brings_new_work_at_once(self, bench: Bench) -> None:
        running = await self.run_until_idle(bench)
        made = await bench.add()
        bench.runner.poke(Lane.NORMAL)
        await turns(20)
        assert bench.now(made.key).state is State.SENT
        bench.runner.stop()
        await asyncio.wait_for(running, 10)

    async def test_urgent_records_do_not_wait_behind_normal_ones(self, bench: Bench) -> None:
        gate = asyncio.Event()

        async def stuck(one: Record) -> Change:
            if one.lane is Lane.NORMAL:
                await gate.wait()
            return await bench.walk.send(one)

        bench.walk.act = stuck
        for number in range(1, 9):
            await bench.add(number)
        urgent = await bench.add(99, Urgency.IMMEDIATE)
        running = await self.run_until_idle(bench)
        assert bench.now(urgent.key).state is State.SENT
        gate.set()
        bench.runner.stop()
        await asyncio.wait_for(running, 10)

    async def test_at_most_the_crews_workers_run_side_by_side(self, bench: Bench) -> None:
        running_now, most = 0, 0

        async def counted(one: Record) -> Change:
            nonlocal running_now, most
            running_now += 1
            most = max(most, running_now)
            await asyncio.sleep(0.002)
            running_now -= 1
            return await bench.walk.send(one)

        bench.walk.act = counted
        for number in range(1, 10):
            await bench.add(number)
        running = await self.run_until_idle(bench)
        bench.runner.stop()
        await asyncio.wait_for(running, 10)
        assert most == 2

    async def test_with_all_workers_busy_nobody_asks_the_journal_again_and_again(self, bench: Bench) -> None:
        gate = asyncio.Event()

        async def stuck(one: Record) -> Change:
            await gate.wait()
            return await bench.walk.send(one)

        bench.walk.act = stuck
        for number in range(1, 10):
            await bench.add(number)
        asked = 0
        next_due = bench.journal.next_due

        async def counted(kinds: frozenset[Kind], lane: Lane) -> object:
            nonlocal asked
            asked += 1
            return await next_due(kinds, lane)

        bench.journal.next_due = counted  # type: ignore[method-assign, assignment]  # only counts
        running = await self.run_until_idle(bench)
        assert asked <= 2, "a backlog behind busy workers is no reason to poll"
        gate.set()
        await turns(50)
        assert all(row.record.state is State.SENT for row in bench.journal.rows.values())
        bench.runner.stop()
        await asyncio.wait_for(running, 10)

    async def test_stop_finishes_what_is_under_way_and_claims_nothing_more(self, bench: Bench) -> None:
        gate = asyncio.Event()

        async def slow(one: Record) -> Change:
            await gate.wait()
            return await bench.walk.send(one)

        bench.walk.act = slow
        keys = [(await bench.add(number)).key for number in range(1, 5)]
        running = await self.run_until_idle(bench)
        bench.runner.stop()
        await turns(5)
        assert not running.done()
        gate.set()
        await asyncio.wait_for(running, 10)
        assert sorted(bench.now(key).state for key in keys) == [State.QUEUED, State.QUEUED, State.SENT, State.SENT]

    async def test_a_claim_that_cannot_be_made_now_is_made_later(self, bench: Bench) -> None:
        made = await bench.add()
        bench.journal.faults.plan("claim", *[None] * 2, EdocError(JOURNAL_BUSY), EdocError(DISK_FULL))
        running = await self.run_until_idle(bench)
        bench.runner.poke(Lane.NORMAL)
        await turns(20)
        assert not running.done()
        assert bench.now(made.key).state is State.SENT
        bench.runner.stop()
        await asyncio.wait_for(running, 10)


class TestSuspects:
    async def test_what_an_unclean_stop_left_in_work_runs_alone_before_anything_else(self, bench: Bench) -> None:
        order: list[int] = []
        running_now = 0

        async def watched(one: Record) -> Change:
            nonlocal running_now
            running_now += 1
            order.append(running_now)
            await asyncio.sleep(0)
            running_now -= 1
            started.append(one.key)
            return await bench.walk.send(one)

        started: list[Key] = []
        bench.walk.act = watched
        suspects = [(await bench.add(number)).key for number in (1, 2, 3)]
        await bench.journal.claim(frozenset(Kind), Lane.NORMAL, bench.clock.now(), 3)
        fresh = (await bench.add(4)).key
        bench.journal.start()  # killed
        running = asyncio.create_task(bench.runner.run(CREWS))
        await turns(50)
        assert started == [*suspects, fresh]
        assert order == [1, 1, 1, 1]
        bench.runner.stop()
        await asyncio.wait_for(running, 10)

    async def test_a_fault_of_a_suspect_is_stored_as_always_and_the_next_one_runs(self, bench: Bench) -> None:
        first, second = await bench.add(1), await bench.add(2)
        await bench.journal.claim(frozenset(Kind), Lane.NORMAL, bench.clock.now(), 2)
        bench.journal.start()
        bench.fail(EdocError(TOKEN_NOT_READY, detail="absent"), None)
        await bench.runner._run_suspects(CREWS)
        assert bench.now(first.key).attempts == 1
        assert bench.now(second.key).state is State.SENT
        assert await bench.journal.suspects() == 0

    async def test_a_full_disk_does_not_park_a_suspect_as_poison(self, bench: Bench) -> None:
        made = await bench.add()
        await bench.journal.claim(frozenset(Kind), Lane.NORMAL, bench.clock.now(), 1)
        bench.journal.start()
        bench.journal.faults.plan("commit", *[EdocError(DISK_FULL)] * 5)
        await bench.runner._run_suspects(CREWS)
        assert await bench.journal.parked() == []
        assert bench.now(made.key).state is State.SENT


async def test_a_conflict_over_a_new_record_does_not_leave_the_old_one_in_work(bench: Bench) -> None:
    made = await bench.add()
    other = record(2)
    await bench.journal.commit(Change(adds=(other,)))

    async def adds_what_is_there(one: Record) -> Change:
        change = await bench.walk.send(one)
        return Change(moves=change.moves, adds=(other,)) if one.key == made.key else change

    bench.walk.act = adds_what_is_there
    after = await bench.work()
    assert after.state is State.QUEUED
    await bench.clock.advance(timedelta(minutes=10))
    claimed = await bench.journal.claim(frozenset(Kind), Lane.NORMAL, bench.clock.now(), 9)
    assert made.key in {one.key for one in claimed}, "it must be tried again, not forgotten"
    assert STATE_CONFLICT.code in {one.fault.code for one in claimed if one.fault}


async def turns(count: int) -> None:
    """Give other tasks their turns."""
    for _ in range(count):
        await asyncio.sleep(0.001)
