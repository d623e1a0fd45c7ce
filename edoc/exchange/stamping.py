"""Time-stamps on our own seals: B-T when the authority answers in time, B-B otherwise.

Rules: a time-stamp is awaited for a short while before the package is closed; a slow or missing authority never stops
traffic, and after one failure it is left alone for a minute, so that a queue does not wait for it again and again.
What comes back is read in the bounded child.

Does not raise archived copies to a higher level.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog

from edoc.errors import EdocError
from edoc.ports import Clock, Sandbox, Timestamp
from edoc.signatures.timestamp import request
from edoc.signatures.xades import timestamp_digest

_LEFT_ALONE = timedelta(minutes=1)


class Stamping:
    """Adds a time-stamp to a finished signature, if one is to be had."""

    def __init__(self, clock: Clock, sandbox: Sandbox, timestamp: Timestamp | None, limit: timedelta) -> None:
        self._clock = clock
        self._sandbox = sandbox
        self._timestamp = timestamp
        self._limit = limit
        self._not_before: datetime | None = None
        self._log = structlog.get_logger("edoc.stamping")

    async def stamp(self, signatures: bytes) -> bytes:
        """Return `signatures` with a SignatureTimeStamp, or as they are."""
        now = self._clock.now()
        if self._timestamp is None or (self._not_before is not None and now < self._not_before):
            return signatures
        nonce = UUID(self._clock.mint()).int >> 65  # positive, and 63 bits are enough to tell answers apart
        digest = timestamp_digest(signatures)
        answer = await self._timestamp.ask(request(digest, nonce), self._limit)
        if answer is None:
            self._leave_alone("no answer in time")
            return signatures
        try:
            return await self._sandbox.add_timestamp(signatures, answer, nonce)
        except EdocError as error:
            self._leave_alone(str(error))
            return signatures

    def _leave_alone(self, cause: str) -> None:
        self._not_before = self._clock.now() + _LEFT_ALONE
        self._log.warning("timestamp_missing", cause=cause)
