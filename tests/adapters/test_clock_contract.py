"""The fake and the real Clock keep one contract."""

from __future__ import annotations

from contracts.clock import ClockContract
from fakes.clock import FakeClock

from edoc.adapters.clock_system import SystemClock
from edoc.ports import Clock


class TestFakeClock(ClockContract):
    def clock(self) -> Clock:
        return FakeClock(auto=True)


class TestSystemClock(ClockContract):
    def clock(self) -> Clock:
        return SystemClock()
