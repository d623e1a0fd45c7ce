"""What the supervisor tells its worker, and what the worker answers.  MessagePack in frames, strictly in turns.

Rules: one request, one answer; the supervisor decides, the worker does.  What PKCS#11 refuses comes back as the
number it gave and the function that gave it, unjudged.

Does not travel further than the pipe between the two.
"""

from __future__ import annotations

import msgspec

from edoc.envelopes.frames import MAX_FRAME_BYTES, encode
from edoc.errors import EdocError
from edoc.errors.token import FRAME_INVALID
from edoc.model.trust import SignatureAlgorithm


class Load(msgspec.Struct, frozen=True, tag="load", array_like=True):
    """Load the module at `module`, which must be one of `allowed`, and initialise it."""

    module: str
    allowed: tuple[str, ...]


class Attach(msgspec.Struct, frozen=True, tag="attach", array_like=True):
    """Drop every handle, find the one token that `key_uri` names and open a session."""

    key_uri: str


class Login(msgspec.Struct, frozen=True, tag="login", array_like=True):
    """Call C_Login once with this PIN."""

    pin: str

    def __repr__(self) -> str:
        return "Login()"


class Bind(msgspec.Struct, frozen=True, tag="bind", array_like=True):
    """Find the key, its certificate and what it can sign; `certificate_sha256` pins the certificate."""

    certificate_sha256: str | None


class Make(msgspec.Struct, frozen=True, tag="make", array_like=True, gc=False):
    """Sign a SHA-256 digest."""

    algorithm: SignatureAlgorithm
    digest: bytes


class Look(msgspec.Struct, frozen=True, tag="look", array_like=True):
    """Say whether the attached token is still there."""


class Survey(msgspec.Struct, frozen=True, tag="survey", array_like=True):
    """List tokens and the certificates on them, without logging in."""


class Done(msgspec.Struct, frozen=True, tag="done", array_like=True):
    """It was done."""


class Attached(msgspec.Struct, frozen=True, tag="attached", array_like=True):
    """The token that was found: label, serial, CKF_* flags."""

    label: str
    serial: str
    flags: int


class Bound(msgspec.Struct, frozen=True, tag="bound", array_like=True):
    """The key that was found: its certificate (DER) and algorithms."""

    certificate: bytes
    algorithms: tuple[SignatureAlgorithm, ...]


class Made(msgspec.Struct, frozen=True, tag="made", array_like=True, gc=False):
    """The signature."""

    signature: bytes


class Present(msgspec.Struct, frozen=True, tag="present", array_like=True):
    """Whether the attached token is there."""

    present: bool


class SeenCertificate(msgspec.Struct, frozen=True, array_like=True):
    """A certificate on a token: CKA_ID, label, DER."""

    id: bytes
    label: str
    der: bytes


class SeenToken(msgspec.Struct, frozen=True, array_like=True):
    """A token: what it says of itself, CKF_* flags, its public certificates."""

    label: str
    serial: str
    manufacturer: str
    model: str
    flags: int
    certificates: tuple[SeenCertificate, ...]


class Seen(msgspec.Struct, frozen=True, tag="seen", array_like=True):
    """All tokens that are plugged in and initialised."""

    tokens: tuple[SeenToken, ...]


class Refused(msgspec.Struct, frozen=True, tag="refused", array_like=True):
    """PKCS#11 answered `code` to `function`."""

    code: int
    function: str


class Fault(msgspec.Struct, frozen=True, tag="fault", array_like=True):
    """What was asked for is not there or not allowed: a fault of the catalogue, without the office."""

    code: str
    facts: dict[str, str]
    cause: str


Order = Load | Attach | Login | Bind | Make | Look | Survey
Reply = Done | Attached | Bound | Made | Present | Seen | Refused | Fault

_ENCODER = msgspec.msgpack.Encoder()
_ORDERS: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_REPLIES: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def frame(message: Order | Reply) -> bytes:
    """Return `message` as one frame; EdocError FRAME_INVALID when it is too long."""
    return encode(_ENCODER.encode(message), MAX_FRAME_BYTES)


def order_of(payload: bytes) -> Order:
    """Return the order in `payload`, else EdocError FRAME_INVALID."""
    try:
        return _ORDERS.decode(payload)
    except msgspec.DecodeError as error:
        raise EdocError(FRAME_INVALID, reason="not an order to a worker", cause=str(error)) from error


def reply_of(payload: bytes) -> Reply:
    """Return the reply in `payload`, else EdocError FRAME_INVALID."""
    try:
        return _REPLIES.decode(payload)
    except msgspec.DecodeError as error:
        raise EdocError(FRAME_INVALID, reason="not a reply of a worker", cause=str(error)) from error
