"""A Clock that a test moves."""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from uuid import UUID

from edoc.model.identifiers import DocumentId

START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


class FakeClock:
    """Stands still until a test calls :meth:`advance`; with `auto`, a sleep moves it by itself and returns at once.

    Minted ids count upwards, so that a test can name them: :meth:`id_of`.
    """

    def __init__(self, now: datetime = START, *, auto: bool = False) -> None:
        self._now = now
        self._auto = auto
        self._minted = 0
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    def mint(self) -> DocumentId:
        self._minted += 1
        return self.id_of(self._minted)

    @staticmethod
    def id_of(number: int) -> DocumentId:
        return DocumentId(str(UUID(int=(0xED0C << 112) | (4 << 76) | (8 << 60) | number)))

    async def sleep(self, duration: timedelta) -> None:
        if self._auto or duration <= timedelta(0):
            self._now += max(duration, timedelta(0))
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + duration, len(self._sleepers), future))
        await future

    @property
    def sleepers(self) -> int:
        """How many tasks sleep now."""
        return sum(not future.done() for _due, _number, future in self._sleepers)

    async def advance(self, duration: timedelta) -> None:
        """Move the time, and wake who is due."""
        self._now += duration
        while self._sleepers and self._sleepers[0][0] <= self._now:
            _due, _number, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)
        for _ in range(5):  # let the woken tasks run up to their next wait
            await asyncio.sleep(0)
