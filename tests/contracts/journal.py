"""What every Journal does, fake and real."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from datetime import timedelta

import pytest
from fakes.clock import START
from fakes.records import document_id, event, record

from edoc.errors import EdocError, FaultReport
from edoc.model.document import Lane, Urgency
from edoc.model.evidence import EvidenceEvent
from edoc.model.identifiers import Sha256
from edoc.model.record import Change, Move, TransferBody, moved
from edoc.model.state import Kind, State
from edoc.ports import Journal

ALL = frozenset(Kind)
MINUTE = timedelta(minutes=1)


async def claim(journal: Journal, limit: int = 100) -> list[int]:
    """Claim from the normal lane at START and return the numbers of what was taken."""
    return numbers(await journal.claim(ALL, Lane.NORMAL, START, limit))


async def claim_alone(journal: Journal) -> list[int]:
    return numbers(await journal.claim(ALL, Lane.NORMAL, START, 100, alone=True))


def numbers(records: object) -> list[int]:
    assert isinstance(records, list | tuple)
    return [int(found.document_id[-6:], 16) for found in records]


class JournalContract:
    """Subclass it and say how a daemon's runs over one journal begin and end."""

    @abstractmethod
    async def start(self, *, rebooted: bool = False) -> Journal:
        """Open the journal of this test, as the daemon does; again after a stop or a kill."""

    @abstractmethod
    async def kill(self, journal: Journal) -> None:
        """End the run as a kill does."""

    # --- compare and set -----------------------------------------------------------------------------------------

    async def test_what_was_committed_is_read_back_the_same(self) -> None:
        journal = await self.start()
        records = [record(number, kind) for number, kind in enumerate(Kind, start=1)]
        await journal.commit(Change(adds=tuple(records)))
        assert [await journal.get(found.key) for found in records] == records

    async def test_a_record_that_is_not_there_is_none(self) -> None:
        journal = await self.start()
        assert await journal.get(record().key) is None

    async def test_a_record_is_added_once(self) -> None:
        journal = await self.start()
        await journal.commit(Change(adds=(record(),)))
        await _refused(journal, Change(adds=(record(),)), "STATE_CONFLICT")

    async def test_a_move_needs_the_state_it_was(self) -> None:
        journal = await self.start()
        await journal.commit(Change(adds=(record(),)))
        sent = moved(record(), State.SENT, at=START)
        await journal.commit(Change(moves=(sent,)))
        await _refused(journal, Change(moves=(sent,)), "STATE_CONFLICT")

    async def test_a_record_that_is_not_there_cannot_move(self) -> None:
        journal = await self.start()
        await _refused(journal, Change(moves=(moved(record(), State.SENT, at=START),)), "STATE_CONFLICT")

    async def test_a_move_that_the_table_does_not_have_is_illegal(self) -> None:
        journal = await self.start()
        await journal.commit(Change(adds=(record(1, Kind.SUBMISSION),)))
        await _refused(
            journal, Change(moves=(moved(record(1, Kind.SUBMISSION), State.PACKED, at=START),)), "ILLEGAL_MOVE"
        )

    async def test_a_record_is_born_in_an_initial_state_only(self) -> None:
        journal = await self.start()
        await _refused(journal, Change(adds=(record(state=State.DELIVERED),)), "ILLEGAL_MOVE")

    async def test_a_body_of_another_kind_is_illegal(self) -> None:
        journal = await self.start()
        wrong = replace(record(1, Kind.SUBMISSION), body=TransferBody())
        await _refused(journal, Change(adds=(wrong,)), "ILLEGAL_MOVE")

    async def test_a_change_is_all_or_nothing(self) -> None:
        journal = await self.start()
        await journal.commit(Change(adds=(record(1),)))
        change = Change(
            moves=(moved(record(1), State.SENT, at=START),), adds=(record(2), record(1)), evidence=(event(1),)
        )
        await _refused(journal, change, "STATE_CONFLICT")
        assert await journal.get(record(1).key) == record(1)
        assert await journal.get(record(2).key) is None
        assert await journal.evidence(document_id(1)) == []
        assert await journal.counts() == [(Kind.TRANSFER, State.QUEUED, 1)]

    async def test_a_record_may_be_committed_again_in_its_state(self) -> None:
        journal = await self.start()
        await journal.commit(Change(adds=(record(),)))
        fault = FaultReport(code="DISK_FULL", facts={"what": "gói tài liệu"}, cause="ENOSPC")
        later = replace(record(), attempts=1, next_attempt=START + MINUTE, fault=fault)
        await journal.commit(Change(moves=(Move(record=later, was=State.QUEUED),)))
        assert await journal.get(record().key) == later

    # --- the queue -------------------------------------------------------------------------------------------------

    async def test_urgency_comes_first_then_age(self) -> None:
        journal = await self.start()
        lane = Lane.NORMAL
        await journal.commit(
            Change(
                adds=(
                    record(1, age=MINUTE),
                    record(2, age=3 * MINUTE),
                    record(3, urgency=Urgency.IMMEDIATE, lane=lane),
                    record(4, Kind.STATUS, age=2 * MINUTE),
                    record(5, urgency=Urgency.URGENT, lane=lane),
                )
            )
        )
        assert await claim(journal) == [3, 5, 2, 4, 1]

    async def test_a_claimed_record_is_not_claimed_again(self) -> None:
        journal = await self.start()
        await journal.commit(Change(adds=(record(1), record(2))))
        assert await claim(journal, 1) == [1]
        assert await claim(journal) == [2]
        assert await claim(journal) == []

    async def test_a_committed_record_is_no_longer_in_work(self) -> None:
        journal = await self.start()
        await journal.commit(Change(adds=(record(1),)))
        await claim(journal)
        await journal.commit(Change(moves=(Move(record=record(1), was=State.QUEUED),)))
        assert await claim(journal) == [1]

    async def test_a_record_is_claimed_when_it_is_due_and_not_before(self) -> None:
        journal = await self.start()
        await journal.commit(Change(adds=(record(1, due=START + MINUTE),)))
        assert await claim(journal) == []
        assert numbers(await journal.claim(ALL, Lane.NORMAL, START + MINUTE, 9)) == [1]

    async def test_a_clock_that_was_set_back_runs_nothing_early(self) -> None:
        journal = await self.start()
        await journal.commit(Change(adds=(record(1, due=START + MINUTE), record(2, due=START + MINUTE))))
        assert numbers(await journal.claim(ALL, Lane.NORMAL, START + MINUTE, 1)) == [1]
        assert await claim(journal) == []

    async def test_a_lane_and_a_kind_take_their_own_only(self) -> None:
        journal = await self.start()
        await journal.commit(Change(adds=(record(1), record(2, urgency=Urgency.URGENT), record(3, Kind.SUBMISSION))))
        assert numbers(await journal.claim(frozenset({Kind.SUBMISSION}), Lane.NORMAL, START, 9)) == [3]
        assert numbers(await journal.claim(ALL, Lane.URGENT, START, 9)) == [2]

    async def test_a_state_that_waits_for_an_event_is_not_claimed(self) -> None:
        journal = await self.start()
        await journal.commit(Change(adds=(record(1),)))
        await journal.commit(Change(moves=(moved(record(1), State.DELIVERED, at=START),)))
        assert await claim(journal) == []
        assert await journal.next_due(ALL, Lane.NORMAL) is None

    async def test_the_next_due_time_is_the_earliest_that_nobody_works_on(self) -> None:
        journal = await self.start()
        assert await journal.next_due(ALL, Lane.NORMAL) is None
        await journal.commit(Change(adds=(record(1), record(2, due=START + MINUTE), record(3, due=START + 2 * MINUTE))))
        assert await journal.next_due(ALL, Lane.NORMAL) == START
        await claim(journal)
        assert await journal.next_due(ALL, Lane.NORMAL) == START + MINUTE
        assert await journal.next_due(frozenset({Kind.STATUS}), Lane.NORMAL) is None
        assert await journal.next_due(ALL, Lane.URGENT) is None

    # --- searching -------------------------------------------------------------------------------------------------

    async def test_records_are_found_by_all_that_is_given_newest_first(self) -> None:
        journal = await self.start()
        other = Sha256("ab" * 32)
        adds = (
            record(1, Kind.SUBMISSION, dms_id="CV-12", age=3 * MINUTE),
            record(1, Kind.TRANSFER, age=2 * MINUTE),
            record(2, Kind.RECEPTION, container=other, age=MINUTE),
            record(3, Kind.RECEPTION),
            record(4, Kind.STATUS, container=other),
        )
        await journal.commit(Change(adds=adds))
        assert numbers(await journal.find()) == [4, 3, 2, 1, 1]
        assert numbers(await journal.find(limit=2)) == [4, 3]
        assert await journal.find(document_id=document_id(1)) == [adds[1], adds[0]]
        assert await journal.find(document_id=document_id(1), kind=Kind.SUBMISSION) == [adds[0]]
        assert await journal.find(dms_id="CV-12") == [adds[0]]
        assert await journal.find(dms_id="") in ([], ())
        assert await journal.find(container_sha256=other) == [adds[4], adds[2]]
        assert await journal.find(container_sha256=other, kind=Kind.RECEPTION) == [adds[2]]
        assert numbers(await journal.find(states=frozenset({State.STAGED, State.QUEUED}))) == [3, 2, 1]
        assert numbers(await journal.find(kind=Kind.RECEPTION, states=frozenset({State.STAGED}), limit=1)) == [3]
        assert numbers(await journal.find(document_id=document_id(3), states=frozenset({State.HELD}))) == []
        assert numbers(await journal.find(document_id=document_id(3), states=frozenset())) == []

    async def test_records_are_counted_by_kind_and_state(self) -> None:
        journal = await self.start()
        assert await journal.counts() == []
        await journal.commit(Change(adds=(record(1), record(2), record(3, Kind.STATUS))))
        await journal.commit(Change(moves=(moved(record(2), State.SENT, at=START),)))
        assert sorted(await journal.counts()) == [
            (Kind.STATUS, State.INTENDED, 1),
            (Kind.TRANSFER, State.QUEUED, 1),
            (Kind.TRANSFER, State.SENT, 1),
        ]

    async def test_evidence_is_kept_in_order(self) -> None:
        journal = await self.start()
        first, second = event(1), event(1, EvidenceEvent.CONTENT_CONSIGNMENT)
        await journal.commit(Change(evidence=(first, event(2))))
        await journal.commit(Change(evidence=(second,)))
        assert await journal.evidence(document_id(1)) == [first, second]

    # --- stops -----------------------------------------------------------------------------------------------------

    async def test_a_clean_stop_frees_what_was_taken(self) -> None:
        journal = await self.start()
        await journal.commit(Change(adds=(record(1),)))
        await claim(journal)
        await journal.close(clean=True)
        journal = await self.start()
        assert await journal.suspects() == 0
        assert await claim(journal) == [1]

    async def test_after_a_kill_what_was_in_work_runs_alone_one_by_one(self) -> None:
        journal = await self._killed_with(1, 2)
        await journal.commit(Change(adds=(record(3),)))
        assert await journal.suspects() == 2
        assert await claim(journal) == [3]
        assert await claim_alone(journal) == [1]
        assert await claim_alone(journal) == []
        assert await journal.suspects() == 2
        await journal.commit(Change(moves=(moved(record(1), State.SENT, at=START),)))
        assert await journal.suspects() == 1
        assert await claim_alone(journal) == [2]

    async def test_an_unclean_stop_is_like_a_kill(self) -> None:
        journal = await self.start()
        await journal.commit(Change(adds=(record(1),)))
        await claim(journal)
        await journal.close(clean=False)
        journal = await self.start()
        assert await claim(journal) == []
        assert await claim_alone(journal) == [1]

    async def test_a_record_that_kills_three_times_while_alone_is_parked(self) -> None:
        journal = await self._killed_with(1, 2)
        for _ in range(3):
            assert await claim_alone(journal) == [1]
            await self.kill(journal)
            journal = await self.start()
        assert await claim_alone(journal) == [2]
        found = await journal.get(record(1).key)
        assert found is not None
        assert found.state is State.QUEUED
        assert found.fault is not None
        assert found.fault.code == "POISON"
        assert numbers(await journal.parked()) == [1]
        assert await journal.suspects() == 1
        assert numbers(await journal.claim(ALL, Lane.NORMAL, found.next_attempt, 9)) == []

    async def test_a_parked_record_that_is_committed_again_is_back_in_the_queue(self) -> None:
        journal = await self._killed_with(1)
        for _ in range(3):
            await claim_alone(journal)
            await self.kill(journal)
            journal = await self.start()
        await journal.commit(Change(moves=(Move(record=record(1), was=State.QUEUED),)))
        assert numbers(await journal.parked()) == []
        assert await claim(journal) == [1]

    async def test_a_reboot_does_not_count_against_a_record(self) -> None:
        journal = await self._killed_with(1)
        for _ in range(5):
            assert await claim_alone(journal) == [1]
            await self.kill(journal)
            journal = await self.start(rebooted=True)
        assert numbers(await journal.parked()) == []

    async def test_a_clean_stop_does_not_count_against_a_record(self) -> None:
        journal = await self._killed_with(1)
        for _ in range(5):
            assert await claim_alone(journal) == [1]
            await journal.close(clean=True)
            journal = await self.start()
        assert await journal.suspects() == 1

    async def test_kills_before_a_record_was_alone_do_not_count(self) -> None:
        journal = await self._killed_with(1)
        for _ in range(5):
            await self.kill(journal)
            journal = await self.start()
        assert await claim_alone(journal) == [1]

    async def test_a_commit_clears_what_was_counted(self) -> None:
        journal = await self._killed_with(1)
        for _ in range(4):
            assert await claim_alone(journal) == [1]
            await self.kill(journal)
            journal = await self.start()
            assert await claim_alone(journal) == [1]
            await journal.commit(Change(moves=(Move(record=record(1), was=State.QUEUED),)))
            assert await claim(journal) == [1]
            await self.kill(journal)
            journal = await self.start()

    async def test_a_closed_journal_says_so(self) -> None:
        journal = await self.start()
        await journal.close(clean=True)
        await _refused(journal, Change(adds=(record(),)), "JOURNAL_CLOSED")

    async def _killed_with(self, *in_work: int) -> Journal:
        journal = await self.start()
        await journal.commit(Change(adds=tuple(record(number) for number in in_work)))
        await claim(journal)
        await self.kill(journal)
        return await self.start()


async def _refused(journal: Journal, change: Change, code: str) -> None:
    with pytest.raises(EdocError) as caught:
        await journal.commit(change)
    assert caught.value.code == code
