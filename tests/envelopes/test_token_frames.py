"""The token protocol."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edoc.envelopes.frames import Decoder
from edoc.envelopes.token_frames import (
    Answer,
    Failed,
    Request,
    Unlock,
    answer_of,
    failure,
    frame,
    request_of,
)
from edoc.errors import EdocError
from edoc.errors.token import KEY_NOT_ALLOWED

# MessagePack has integers of 64 bits.
st.register_type_strategy(int, st.integers(-(2**63), 2**64 - 1))
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@given(st.one_of([st.from_type(kind) for kind in get_args(Request)]))
def test_a_request_reads_back_the_same(message: Request) -> None:
    (payload,) = Decoder().feed(frame(message))
    assert request_of(payload) == message


@given(st.one_of([st.from_type(kind) for kind in get_args(Answer)]))
def test_an_answer_reads_back_the_same(message: Answer) -> None:
    (payload,) = Decoder().feed(frame(message))
    assert answer_of(payload) == message


@given(st.binary(max_size=100))
def test_any_octets_are_a_message_or_a_named_error(payload: bytes) -> None:
    for read in (request_of, answer_of):
        try:
            read(payload)
        except EdocError as error:
            assert error.code == "FRAME_INVALID"  # noqa: PT017 -- both outcomes are right, other exceptions are not


def test_a_pin_is_not_shown() -> None:
    assert "1234" not in repr(Unlock(1, "1234")) + str(Unlock(1, "1234"))


def test_an_error_arrives_with_its_facts_and_cause() -> None:
    sent = failure(7, EdocError(KEY_NOT_ALLOWED, office="H53", asked="H99", cause="why"))
    (payload,) = Decoder().feed(frame(sent))
    answer = answer_of(payload)
    assert isinstance(answer, Failed)
    error = answer.report().error()
    assert (error.code, error.cause, dict(error.facts)) == ("KEY_NOT_ALLOWED", "why", {"office": "H53", "asked": "H99"})


def test_too_long_a_message_is_refused() -> None:
    with pytest.raises(EdocError, match="FRAME_INVALID"):
        frame(Unlock(1, "1" * 70_000))
