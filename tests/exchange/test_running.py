"""The runner at work: side by side, stopped, and after an unclean stop."""

from __future__ import annotations

import asyncio

import pytest
from fakes.bench import Bench, turns

from edoc.errors import EdocError
from edoc.errors.exchange import DISK_FULL, JOURNAL_BUSY
from edoc.errors.journey import TOKEN_NOT_READY
from edoc.exchange.runner import Crew
from edoc.model.document import Lane, Urgency
from edoc.model.record import Change, Key, Record
from edoc.model.state import Kind, State


@pytest.fixture
def bench() -> Bench:
    return Bench()


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
