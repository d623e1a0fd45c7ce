"""The real journal against the fake one: whatever is done to both, both say the same."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from fakes.clock import START
from fakes.journal import FakeJournal
from fakes.records import FIRST_STATE, body_of, document_id, event, record
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edoc.adapters.journal_sqlite import SqliteJournal
from edoc.errors import EdocError
from edoc.model.document import Lane, Urgency
from edoc.model.record import Change, Move, Record
from edoc.model.state import MOVES, Kind, State

T = TypeVar("T")

NUMBERS = st.integers(1, 6)
KINDS = st.sampled_from(Kind)
LANES = st.sampled_from(Lane)
MINUTES = st.integers(-3, 3).map(lambda minutes: START + timedelta(minutes=minutes))


class JournalMachine(RuleBasedStateMachine):
    """Two journals, one life."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.loop = asyncio.new_event_loop()
        self.boots = 0
        self.fake = FakeJournal()
        self.fake.start()
        self.real = self.run(self._opened())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    async def _opened(self) -> SqliteJournal:
        return await SqliteJournal(self.folder / "journal", boot_id=str(self.boots)).open()

    def teardown(self) -> None:
        self.run(self.real.close(clean=False))
        self.run(self.loop.shutdown_default_executor())
        self.loop.close()
        shutil.rmtree(self.folder)

    def commit_to_both(self, change: Change) -> None:
        assert self.run(_outcome(self.real.commit(change))) == self.run(_outcome(self.fake.commit(change)))

    @rule(number=NUMBERS, kind=KINDS, urgency=st.sampled_from(Urgency), due=MINUTES, lane=LANES, dms=st.booleans())
    def add(self, number: int, kind: Kind, urgency: Urgency, due: Any, lane: Lane, dms: bool) -> None:
        new = record(number, kind, urgency=urgency, due=due, lane=lane, dms_id="CV" if dms else "")
        self.commit_to_both(Change(adds=(new,), evidence=(event(number),)))

    @rule(number=NUMBERS, kind=KINDS, state=st.sampled_from(State), due=MINUTES, was=st.none() | st.sampled_from(State))
    def move(self, number: int, kind: Kind, state: State, due: Any, was: State | None) -> None:
        found = self.run(self.fake.get(record(number, kind).key))
        known = FIRST_STATE[kind] if found is None else found.state
        changed = replace(found or record(number, kind), state=state, next_attempt=due, attempts=1)
        self.commit_to_both(Change(moves=(Move(record=changed, was=was or known),), evidence=(event(number),)))

    @rule(number=NUMBERS, kind=KINDS, choice=st.integers(0, 9), due=MINUTES)
    def move_as_allowed(self, number: int, kind: Kind, choice: int, due: Any) -> None:
        found = self.run(self.fake.get(record(number, kind).key))
        if found is not None:
            ways = [found.state, *sorted(MOVES[kind].get(found.state, ()))]
            changed = replace(found, state=ways[choice % len(ways)], next_attempt=due, body=body_of(kind))
            self.commit_to_both(Change(moves=(Move(record=changed, was=found.state),)))

    @rule(one=NUMBERS, other=NUMBERS)
    def add_two(self, one: int, other: int) -> None:
        self.commit_to_both(Change(adds=(record(one), record(other))))

    @rule(kinds=st.frozensets(KINDS), lane=LANES, now=MINUTES, limit=st.integers(1, 4), alone=st.booleans())
    def claim(self, kinds: frozenset[Kind], lane: Lane, now: Any, limit: int, alone: bool) -> None:
        real = self.run(self.real.claim(kinds, lane, now, limit, alone))
        assert list(real) == list(self.run(self.fake.claim(kinds, lane, now, limit, alone)))

    @rule(clean=st.booleans(), rebooted=st.booleans())
    def restart(self, clean: bool, rebooted: bool) -> None:
        for journal in (self.real, self.fake):
            self.run(journal.close(clean=clean))
        self.boots += rebooted
        self.real = self.run(self._opened())
        self.fake.start(rebooted=rebooted)

    @invariant()
    def both_say_the_same(self) -> None:
        assert self.told(self.real) == self.told(self.fake)

    def told(self, journal: SqliteJournal | FakeJournal) -> tuple[object, ...]:
        return (
            sorted(self.run(journal.counts())),
            self.run(journal.suspects()),
            list(self.run(journal.parked())),
            [self.run(journal.next_due(frozenset(Kind), lane)) for lane in Lane],
            _found(self.run(journal.find())) + _found(self.run(journal.find(dms_id="CV"))),
            list(self.run(journal.evidence(document_id(1)))),
        )


def _found(records: Any) -> list[Record]:
    return list(records)


async def _outcome(work: Coroutine[Any, Any, None]) -> str:
    try:
        await work
    except EdocError as error:
        return str(error)
    return ""


JournalMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestJournalMachine = JournalMachine.TestCase
