"""The floor under the disk: below it nothing new is taken.

Rules: what is under way goes on, because ending it frees room; nothing is claimed from the spool and nothing more is
taken from the broker.  The alarm is raised once, when the floor is reached.

Does not free anything.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from edoc.errors import EdocError
from edoc.errors.exchange import DISK_LOW
from edoc.ports import Alarm, Clock, Store

LOOK_EVERY = timedelta(seconds=2)
_LEAST_INODES = 1000


class Room:
    """Says whether there is room for something new."""

    def __init__(self, clock: Clock, store: Store, least_bytes: int, alarm: Alarm) -> None:
        self._clock = clock
        self._store = store
        self._least_bytes = least_bytes
        self._alarm = alarm
        self._enough = True
        self._looked: datetime | None = None

    def enough(self) -> bool:
        """Say whether free bytes and inodes are above the floor, as of the last two seconds."""
        now = self._clock.now()
        if self._looked is None or now - self._looked >= LOOK_EVERY:
            self._looked = now
            free, inodes = self._store.free()
            enough = free >= self._least_bytes and inodes >= _LEAST_INODES
            if self._enough and not enough:
                fault = EdocError(DISK_LOW, free=free // 2**20, least=self._least_bytes // 2**20, inodes=inodes)
                self._alarm(fault.report(), None)
            self._enough = enough
        return self._enough
