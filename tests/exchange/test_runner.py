"""The runner: what it does with each kind of outcome, when it tries again, and how it stops."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from fakes.bench import Bench
from fakes.clock import START
from fakes.records import record

from edoc.errors import EdocError, Fault, FaultReport
from edoc.errors.exchange import DISK_FAILING, DISK_FULL, FILE_DENIED, JOURNAL_BUSY, STATE_CONFLICT
from edoc.errors.journey import NO_ROUTE, RECIPIENT_UNKNOWN, TOKEN_NOT_READY
from edoc.errors.token import PIN_BLOCKED
from edoc.model.document import Lane
from edoc.model.record import Change, Move, Record
from edoc.model.state import Kind, State


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
