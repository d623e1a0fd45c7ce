"""Return values of PKCS#11, in the four classes that decide what happens next.

Rules: the table is the only place that knows what a code means.  A code that is not in it says that the token will
not do what was asked (wrong key type, usage not permitted): the request fails, nothing is restarted.  Codes that
vendors define for themselves say nothing at all, so the module counts as broken.

Does not act: :mod:`edoc.token.keeper` does.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

CKR_OK = 0x00
CKR_USER_ALREADY_LOGGED_IN = 0x100
CKR_VENDOR_DEFINED = 0x80000000

CKF_LOGIN_REQUIRED = 0x00000004
CKF_USER_PIN_FINAL_TRY = 0x00020000
CKF_USER_PIN_LOCKED = 0x00040000


class Reaction(StrEnum):
    """What a code makes the token process do."""

    GONE = "gone"  # wait for the token, the job stays queued
    SESSION_LOST = "session-lost"  # drop every handle, reopen, log in once with the PIN that worked, try once more
    MODULE_BROKEN = "module-broken"  # restart the worker, with backoff
    PIN = "pin"  # stop, persist, never retry
    REFUSED = "refused"  # this request fails


class Row(NamedTuple):
    """One row of the table."""

    name: str
    reaction: Reaction


TABLE: dict[int, Row] = {
    # Not in the list of the specification's "token" codes, but what a module answers when the reader itself went.
    0x03: Row("CKR_SLOT_ID_INVALID", Reaction.GONE),
    0x32: Row("CKR_DEVICE_REMOVED", Reaction.GONE),
    0xE0: Row("CKR_TOKEN_NOT_PRESENT", Reaction.GONE),
    0xE1: Row("CKR_TOKEN_NOT_RECOGNIZED", Reaction.GONE),
    0x60: Row("CKR_KEY_HANDLE_INVALID", Reaction.SESSION_LOST),
    0x82: Row("CKR_OBJECT_HANDLE_INVALID", Reaction.SESSION_LOST),
    0x90: Row("CKR_OPERATION_ACTIVE", Reaction.SESSION_LOST),
    0x91: Row("CKR_OPERATION_NOT_INITIALIZED", Reaction.SESSION_LOST),
    0xB0: Row("CKR_SESSION_CLOSED", Reaction.SESSION_LOST),
    0xB3: Row("CKR_SESSION_HANDLE_INVALID", Reaction.SESSION_LOST),
    0x101: Row("CKR_USER_NOT_LOGGED_IN", Reaction.SESSION_LOST),
    0x02: Row("CKR_HOST_MEMORY", Reaction.MODULE_BROKEN),
    0x05: Row("CKR_GENERAL_ERROR", Reaction.MODULE_BROKEN),
    0x06: Row("CKR_FUNCTION_FAILED", Reaction.MODULE_BROKEN),
    0x30: Row("CKR_DEVICE_ERROR", Reaction.MODULE_BROKEN),
    0x190: Row("CKR_CRYPTOKI_NOT_INITIALIZED", Reaction.MODULE_BROKEN),
    0xA0: Row("CKR_PIN_INCORRECT", Reaction.PIN),
    0xA1: Row("CKR_PIN_INVALID", Reaction.PIN),
    0xA2: Row("CKR_PIN_LEN_RANGE", Reaction.PIN),
    0xA3: Row("CKR_PIN_EXPIRED", Reaction.PIN),
    0xA4: Row("CKR_PIN_LOCKED", Reaction.PIN),
}
"""PKCS#11 v2.40, section 5.1: the codes that call for more than failing the request."""

LOGIN_NOT_TRIED: frozenset[int] = frozenset({0x03, 0x91, 0xB3, 0xE0, 0xE1, 0x190})
"""Codes of C_Login which say that the token never saw the PIN.

Others, 0x32 above all ("removed *during* the call"), leave open whether it counted a try: the mark then stays.
"""


def reaction_to(code: int) -> Reaction:
    """Return what `code` (not CKR_OK) calls for."""
    row = TABLE.get(code)
    if row is not None:
        return row.reaction
    return Reaction.MODULE_BROKEN if code >= CKR_VENDOR_DEFINED or code < 0 else Reaction.REFUSED


def name_of(code: int) -> str:
    """Return the code's name as far as the table knows it, with the number."""
    row = TABLE.get(code)
    return f"{row.name} (0x{code:X})" if row is not None else f"CKR 0x{code:X}"
