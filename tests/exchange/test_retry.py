"""When a failed attempt is tried again."""

from __future__ import annotations

from datetime import timedelta

from fakes.values import NOW
from hypothesis import given
from hypothesis import strategies as st

from edoc.exchange.office import Patience
from edoc.exchange.retry import next_attempt

PATIENCE = Patience(base=timedelta(seconds=2), cap=timedelta(minutes=10))


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_the_next_attempt_is_later_and_never_beyond_the_cap(attempts: int, chance: float) -> None:
    wait = next_attempt(NOW, attempts, PATIENCE, chance) - NOW
    assert timedelta() < wait <= PATIENCE.cap


def test_the_ceiling_doubles_with_every_failure() -> None:
    waits = [next_attempt(NOW, attempts, PATIENCE, 0.5) - NOW for attempts in range(5)]
    assert waits == [timedelta(seconds=seconds) for seconds in (1, 2, 4, 8, 16)]


def test_chance_spreads_the_crowd() -> None:
    assert next_attempt(NOW, 5, PATIENCE, 0.1) < next_attempt(NOW, 5, PATIENCE, 0.9)
