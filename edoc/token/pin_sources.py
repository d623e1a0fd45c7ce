"""Stored PINs: a systemd credential, or a file with a checked mode.

Rules: a stored PIN is read when it is needed and not kept; a file that others could read or swap is not used, and
saying so is better than using it.  A PIN is one line of UTF-8 without control characters.

Does not decide whether a PIN may be tried: :mod:`edoc.token.pin_guard` does.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from edoc.errors import EdocError
from edoc.errors.token import PIN_FILE_UNSAFE

CREDENTIAL_NAME = "pin"
_MAX_PIN_BYTES = 255


def stored_pin(office: str, credentials: Path | None, pin_file: Path | None) -> str | None:
    """Return the stored PIN of `office`, None when there is none.

    `credentials` is systemd's credential folder ($CREDENTIALS_DIRECTORY); it is asked before `pin_file`.  Raises
    EdocError PIN_FILE_UNSAFE for a file that is not regular, not ours, open to others, or not one line of text.
    """
    if credentials is not None:
        # systemd guards this folder itself: read-only, of our user, on memory that is not swapped.
        pin = _read(office, credentials / CREDENTIAL_NAME, {0o400, 0o440, 0o600}, {0, os.geteuid()})
        if pin is not None:
            return pin
    return None if pin_file is None else _read(office, pin_file, {0o400, 0o600}, {os.geteuid()})


def _read(office: str, path: Path, modes: set[int], owners: set[int]) -> str | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EdocError(PIN_FILE_UNSAFE, office=office, reason="it cannot be opened", cause=str(error)) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise EdocError(PIN_FILE_UNSAFE, office=office, reason="it is not a regular file")
        if status.st_uid not in owners:
            raise EdocError(PIN_FILE_UNSAFE, office=office, reason="it belongs to another user")
        if stat.S_IMODE(status.st_mode) not in modes:
            raise EdocError(PIN_FILE_UNSAFE, office=office, reason="its mode lets others read or write it")
        content = os.read(descriptor, _MAX_PIN_BYTES + 3)
    finally:
        os.close(descriptor)
    return _pin_in(office, content)


def _pin_in(office: str, content: bytes) -> str:
    line = content.removesuffix(b"\n").removesuffix(b"\r")
    try:
        pin = line.decode("utf-8")
    except UnicodeDecodeError:
        # Not chained: the decoder's exception holds the octets of the PIN.
        raise EdocError(PIN_FILE_UNSAFE, office=office, reason="it is not UTF-8") from None
    if not pin or len(line) > _MAX_PIN_BYTES or not pin.isprintable():
        raise EdocError(PIN_FILE_UNSAFE, office=office, reason="it is not one line with a PIN")
    return pin
