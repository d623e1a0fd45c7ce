"""What every Clock does, fake and real."""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, timedelta

from edoc.model.identifiers import parse_document_id
from edoc.ports import Clock


class ClockContract:
    """Subclass it and say which clock."""

    @abstractmethod
    def clock(self) -> Clock:
        """Return a clock whose sleepers wake by themselves."""

    def test_the_time_is_aware_and_in_utc(self) -> None:
        assert self.clock().now().tzinfo is UTC

    def test_every_id_is_a_new_document_id(self) -> None:
        clock = self.clock()
        minted = [clock.mint() for _ in range(100)]
        assert len({parse_document_id(each) for each in minted}) == 100

    async def test_a_sleeper_wakes_when_its_time_has_come(self) -> None:
        clock = self.clock()
        began = clock.now()
        await clock.sleep(timedelta(milliseconds=20))
        assert clock.now() - began >= timedelta(milliseconds=19)  # the time and the wait are two clocks

    async def test_a_sleep_that_is_over_before_it_begins_returns(self) -> None:
        await self.clock().sleep(timedelta(seconds=-1))
