"""The queue in front of the token: urgent, then normal, then refusals; first come, first served within each.

Rules: it is bounded; what has waited longer than its asker waits, or whose asker is gone, is not signed.

Does not sign and does not answer.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from edoc.envelopes.token_frames import Answer, AskState, Sign, Unlock
from edoc.errors import EdocError
from edoc.errors.token import TOKEN_BUSY

CAPACITY = 4096
OPERATOR = -1
"""Priority of a person at a terminal, before every signature."""


@dataclass(slots=True, kw_only=True)
class Job:
    """One request that waits for the token; `expires` is in the loop's time."""

    request: Sign | AskState | Unlock
    answer: Callable[[Answer], None]
    wanted: Callable[[], bool]
    uid: int
    expires: float


class SigningQueue:
    """Jobs by priority and age."""

    def __init__(self, office: str) -> None:
        self._office = office
        self._heap: list[tuple[int, int, Job]] = []
        self._count = 0
        self._filled = asyncio.Event()

    def put(self, job: Job) -> None:
        """Take a job; EdocError TOKEN_BUSY when the queue is full."""
        if len(self._heap) >= CAPACITY:
            raise EdocError(TOKEN_BUSY, office=self._office)
        self._count += 1
        priority = job.request.priority if isinstance(job.request, Sign) else OPERATOR
        heapq.heappush(self._heap, (priority, self._count, job))
        self._filled.set()

    async def get(self, limit: timedelta) -> Job | None:
        """Return the next job, or None when none came within `limit`."""
        if not self._heap:
            self._filled.clear()
            try:
                async with asyncio.timeout(limit.total_seconds()):
                    await self._filled.wait()
            except TimeoutError:
                return None
        return heapq.heappop(self._heap)[2]

    def __len__(self) -> int:
        return len(self._heap)
