"""What every Timestamp does, fake and real."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from datetime import timedelta

from edoc.ports import Timestamp
from edoc.signatures.timestamp import read_response, read_token, request

DIGEST = hashlib.sha256("Tân Lập".encode()).digest()
NONCE = 2**62 + 1
LONG = timedelta(seconds=30)


class TimestampContract:
    """Subclass it and say how an authority is made that answers, and one that does not in time."""

    @abstractmethod
    async def answering(self) -> Timestamp:
        """Return an authority that answers."""

    @abstractmethod
    async def silent(self) -> Timestamp:
        """Return an authority that takes a query and does not answer."""

    async def test_the_answer_is_a_token_over_our_digest_and_nonce(self) -> None:
        answer = await (await self.answering()).ask(request(DIGEST, NONCE), LONG)
        assert answer is not None
        assert read_token(read_response(answer, DIGEST, NONCE)).digest == DIGEST

    async def test_no_answer_in_time_is_none_and_no_error(self) -> None:
        assert await (await self.silent()).ask(request(DIGEST, NONCE), timedelta(milliseconds=50)) is None
