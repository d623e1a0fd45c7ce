"""When to try again: full jitter over an exponential ceiling.

Rules: pure; chance and time are arguments.  The next attempt is stored in the journal, so a restart changes nothing.
Does not give up: that is a decision, never a timer's.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from edoc.exchange.office import Patience


def next_attempt(now: datetime, attempts: int, patience: Patience, chance: float) -> datetime:
    """Return when to try again after `attempts` failures; `chance` in [0, 1) spreads the crowd."""
    ceiling = min(patience.base * (1 << min(attempts, 20)), patience.cap)
    floor = timedelta(milliseconds=100)  # never at once: a fault that costs nothing would spin
    return now + max(floor, ceiling * chance)
