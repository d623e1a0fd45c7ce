"""The clock of the machine, and random identifiers.

Rules: every time is aware and in UTC.  Does not correct the machine's clock.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from edoc.model.identifiers import DocumentId


class SystemClock:
    """The Clock port over the machine's clock."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        return datetime.now(UTC)

    def mint(self) -> DocumentId:
        """Return a new random UUID."""
        return DocumentId(str(uuid4()))

    async def sleep(self, duration: timedelta) -> None:
        """Wait for `duration`; a negative one is over at once."""
        await asyncio.sleep(max(duration.total_seconds(), 0.0))
