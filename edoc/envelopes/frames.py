"""Frames between our own processes: four octets of length, big-endian, then the payload.

Rules: a frame is bounded on both sides; what exceeds the bound is refused before it is collected.  A decoder that
has refused is of no further use: the stream has lost its place.

Does not know what a payload means (:mod:`edoc.envelopes.token_frames` does for the token) and does not read or write.
"""

from __future__ import annotations

from edoc.errors import EdocError
from edoc.errors.token import FRAME_INVALID

MAX_FRAME_BYTES = 16 * 1024 * 1024
"""Default bound of one payload, in octets."""

_PREFIX = 4


def encode(payload: bytes, limit: int = MAX_FRAME_BYTES) -> bytes:
    """Return `payload` as one frame; raise EdocError FRAME_INVALID when it is longer than `limit` octets."""
    size = len(payload)
    if size > limit:
        raise EdocError(FRAME_INVALID, reason=f"{size} octets, at most {limit} are allowed")
    return size.to_bytes(_PREFIX, "big") + payload


class Decoder:
    """Collects octets of a stream and gives back whole payloads."""

    __slots__ = ("_limit", "_rest")

    def __init__(self, limit: int = MAX_FRAME_BYTES) -> None:
        self._limit = limit
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Take `data` and return the payloads that are now complete, in order.

        Raises EdocError FRAME_INVALID when a frame announces more than the bound.
        """
        rest = self._rest
        rest += data
        payloads: list[bytes] = []
        start = 0
        while len(rest) - start >= _PREFIX:
            size = int.from_bytes(rest[start : start + _PREFIX], "big")
            if size > self._limit:
                raise EdocError(FRAME_INVALID, reason=f"{size} octets announced, at most {self._limit} are allowed")
            end = start + _PREFIX + size
            if len(rest) < end:
                break
            payloads.append(bytes(rest[start + _PREFIX : end]))
            start = end
        if start:
            del rest[:start]
        return payloads

    @property
    def pending(self) -> int:
        """Return how many octets wait for the rest of their frame; at the end of a stream it must be 0."""
        return len(self._rest)
