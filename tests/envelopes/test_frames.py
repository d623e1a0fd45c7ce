"""Frames between our own processes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edoc.envelopes.frames import Decoder, encode
from edoc.errors import EdocError


@given(payloads=st.lists(st.binary(max_size=200)), cuts=st.lists(st.integers(1, 50)))
def test_however_a_stream_is_cut_the_same_payloads_come_out(payloads: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(encode(payload) for payload in payloads)
    decoder, found, at = Decoder(), list[bytes](), 0
    for cut in cuts:
        found += decoder.feed(stream[at : at + cut])
        at += cut
    found += decoder.feed(stream[at:])
    assert found == payloads
    assert decoder.pending == 0


def test_a_frame_is_its_length_in_four_octets_and_the_payload() -> None:
    assert encode(b"abc") == b"\0\0\0\3abc"
    assert encode(b"") == b"\0\0\0\0"


def test_half_a_frame_waits() -> None:
    decoder = Decoder()
    assert decoder.feed(b"\0\0\0\3ab") == []
    assert decoder.pending == 6
    assert decoder.feed(b"c") == [b"abc"]


def test_the_bound_holds_when_writing() -> None:
    assert encode(b"x" * 10, limit=10)
    with pytest.raises(EdocError) as caught:
        encode(b"x" * 11, limit=10)
    assert caught.value.code == "FRAME_INVALID"


def test_the_bound_holds_when_reading_before_anything_is_collected() -> None:
    assert Decoder(limit=10).feed(encode(b"x" * 10)) == [b"x" * 10]
    with pytest.raises(EdocError) as caught:
        Decoder(limit=10).feed(b"\0\0\0\x0b")
    assert caught.value.code == "FRAME_INVALID"


@given(st.binary(max_size=300))
def test_any_octets_are_frames_or_a_named_error(data: bytes) -> None:
    try:
        Decoder(limit=100).feed(data)
    except EdocError as error:
        assert error.code == "FRAME_INVALID"  # noqa: PT017 -- both outcomes are right, other exceptions are not
