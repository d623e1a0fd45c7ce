"""The token protocol: what the daemon asks the token process, and what it answers.  MessagePack in frames.

Rules: every request has an id that its answer repeats, so that a client may send many before the first answer
comes; answers come in any order.  Digests travel, documents never.  A PIN travels in one message only and is shown
by none.

Does not check what a value means (the token process does) and does not know sockets.
"""

from __future__ import annotations

import msgspec

from edoc.envelopes.frames import encode
from edoc.errors import EdocError, FaultReport
from edoc.errors.token import FRAME_INVALID
from edoc.model.trust import SignatureAlgorithm

TOKEN_FRAME_BYTES = 64 * 1024
"""Bound of one message of the token protocol: a certificate is the largest thing in it."""


class Sign(msgspec.Struct, frozen=True, tag="sign", array_like=True, gc=False):
    """Ask for one signature over a SHA-256 `digest`; `wait_ms` is how long it may wait for its turn."""

    id: int
    office: str
    purpose: str
    document_id: str
    priority: int
    algorithm: SignatureAlgorithm
    digest: bytes
    wait_ms: int


class AskState(msgspec.Struct, frozen=True, tag="state", array_like=True, gc=False):
    """Ask what state the token is in."""

    id: int


class Unlock(msgspec.Struct, frozen=True, tag="unlock", array_like=True, gc=False):
    """Try this PIN once, because a person typed it; None says that the stored PIN was replaced and may be tried."""

    id: int
    pin: str | None

    def __repr__(self) -> str:
        return f"Unlock(id={self.id})"


class Signed(msgspec.Struct, frozen=True, tag="signed", array_like=True, gc=False):
    """The signature: RSA as the raw octets, ECDSA as r‖s."""

    id: int
    signature: bytes


class StateIs(msgspec.Struct, frozen=True, tag="state", array_like=True, gc=False):
    """State of the token: a TokenPresence, label, serial, certificate (DER), algorithms, a detail for people."""

    id: int
    presence: str
    label: str
    serial: str
    certificate: bytes
    algorithms: tuple[SignatureAlgorithm, ...]
    detail: str


class Failed(msgspec.Struct, frozen=True, tag="failed", array_like=True, gc=False):
    """The request failed with a fault of the catalogue."""

    id: int
    code: str
    facts: dict[str, str]
    cause: str

    def report(self) -> FaultReport:
        """Return the fault as plain data."""
        return FaultReport(code=self.code, facts=self.facts, cause=self.cause)


Request = Sign | AskState | Unlock
Answer = Signed | StateIs | Failed

_ENCODER = msgspec.msgpack.Encoder()
_REQUESTS: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_ANSWERS: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def frame(message: Request | Answer) -> bytes:
    """Return `message` as one frame; EdocError FRAME_INVALID when it is too long."""
    return encode(_ENCODER.encode(message), TOKEN_FRAME_BYTES)


def request_of(payload: bytes) -> Request:
    """Return the request in `payload`, else EdocError FRAME_INVALID."""
    try:
        return _REQUESTS.decode(payload)
    except msgspec.DecodeError as error:
        raise EdocError(FRAME_INVALID, reason="not a request of the token protocol", cause=str(error)) from error


def answer_of(payload: bytes) -> Answer:
    """Return the answer in `payload`, else EdocError FRAME_INVALID."""
    try:
        return _ANSWERS.decode(payload)
    except msgspec.DecodeError as error:
        raise EdocError(FRAME_INVALID, reason="not an answer of the token protocol", cause=str(error)) from error


def failure(request_id: int, error: EdocError) -> Failed:
    """Return `error` as the answer to a request."""
    return Failed(id=request_id, code=error.code, facts=dict(error.facts), cause=error.cause)
