"""The order in which the token is asked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edoc.envelopes.token_frames import Sign, Unlock
from edoc.errors import EdocError
from edoc.model.trust import SignatureAlgorithm
from edoc.token import signing_queue
from edoc.token.signing_queue import Job, SigningQueue

SHORT = timedelta(milliseconds=10)


def _job(number: int, priority: int) -> Job:
    sign = Sign(number, "H53", "document", "", priority, SignatureAlgorithm.ECDSA_SHA256, b"", 0)
    return Job(request=sign, answer=lambda _: None, wanted=lambda: True, uid=0, expires=0.0)


@given(st.lists(st.integers(0, 2), max_size=30))
async def test_urgent_comes_before_normal_before_refusals_and_age_decides_within(priorities: list[int]) -> None:
    queue = SigningQueue("H53")
    for number, priority in enumerate(priorities):
        queue.put(_job(number, priority))
    found = [job.request for _ in priorities if (job := await queue.get(SHORT)) is not None]
    order = [(request.priority, request.id) for request in found if isinstance(request, Sign)]
    assert order == sorted(order)
    assert len(order) == len(priorities)


async def test_a_person_at_the_terminal_comes_first() -> None:
    queue = SigningQueue("H53")
    queue.put(_job(1, 0))
    queue.put(Job(request=Unlock(2, "1"), answer=lambda _: None, wanted=lambda: True, uid=0, expires=0.0))
    first = await queue.get(SHORT)
    assert first is not None
    assert first.request.id == 2


async def test_an_empty_queue_gives_nothing_after_the_limit() -> None:
    assert await SigningQueue("H53").get(SHORT) is None


async def test_a_full_queue_says_that_the_token_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_queue, "CAPACITY", 2)
    queue = SigningQueue("H53")
    queue.put(_job(1, 1))
    queue.put(_job(2, 1))
    with pytest.raises(EdocError, match="TOKEN_BUSY"):
        queue.put(_job(3, 0))
    assert len(queue) == 2
