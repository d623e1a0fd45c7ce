"""The state table: what the pipeline can and cannot do."""

from __future__ import annotations

import pytest

from edoc.model.state import INITIAL, MOVES, RUNNABLE, Kind, State, allowed, final


def reachable(kind: Kind) -> set[State]:
    found = set(INITIAL[kind])
    while more := {now for was in found for now in MOVES[kind].get(was, ())} - found:
        found |= more
    return found


@pytest.mark.parametrize("kind", Kind)
def test_every_state_that_the_table_names_can_be_reached(kind: Kind) -> None:
    named = set(MOVES[kind]) | {now for targets in MOVES[kind].values() for now in targets} | RUNNABLE[kind]
    assert named <= reachable(kind)


@pytest.mark.parametrize("kind", Kind)
def test_every_runnable_state_has_a_way_out(kind: Kind) -> None:
    assert all(MOVES[kind].get(state) for state in RUNNABLE[kind])


def test_a_verified_receipt_is_the_end_of_a_transfer() -> None:
    assert final(Kind.TRANSFER, State.DELIVERED)
    assert final(Kind.TRANSFER, State.REFUSED)


def test_a_receipt_may_overtake_our_own_commit_of_sent() -> None:
    assert allowed(Kind.TRANSFER, State.QUEUED, State.DELIVERED)


def test_a_packed_document_never_changes() -> None:
    assert final(Kind.SUBMISSION, State.PACKED)


def test_a_delivered_document_is_never_taken_back_by_the_exchange() -> None:
    assert final(Kind.RECEPTION, State.DELIVERED)


def test_a_status_is_signed_once_and_may_be_published_again() -> None:
    assert allowed(Kind.STATUS, State.SENT, State.SIGNED)
    assert not allowed(Kind.STATUS, State.SIGNED, State.INTENDED)


@pytest.mark.parametrize("kind", Kind)
def test_a_record_may_be_committed_again_where_it_is(kind: Kind) -> None:
    assert all(allowed(kind, state, state) for state in reachable(kind))
