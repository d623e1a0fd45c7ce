"""The PIN guard: a stored PIN is tried once, whatever crashes, reboots or restarts.

A token locks itself after 3 to 15 wrong PINs, and a locked token is an outage of weeks.  So before every C_Login a
*mark* for the token's serial is made durable; only success clears it.  A mark that is found again means that a PIN
was refused, or that nobody knows how its trial ended: in both cases no stored PIN is tried until a person unlocks
the token or confirms that the stored PIN was replaced.

Rules: nothing that derives from a PIN is written.  The flags of the token (final try, locked) stop a stored PIN
too, but flags lie: the mark is the guard.

Does not hold or read PINs and does not log in.
"""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import msgspec


class Mark(StrEnum):
    """What is known of the last PIN that did not open the token."""

    TRYING = "trying"  # durable before C_Login; found later, it means an unfinished trial
    REFUSED = "refused"


class _MarkFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    serial: str
    mark: Mark
    at: str


class PinGuard:
    """Marks of the tokens that were ever tried, one small file per serial in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def mark(self, serial: str) -> Mark | None:
        """Return the mark of `serial`, None when a stored PIN may be tried."""
        try:
            content = self._file(serial).read_bytes()
        except FileNotFoundError:
            return None
        try:
            return msgspec.json.decode(content, type=_MarkFile).mark
        except msgspec.DecodeError:
            # A torn mark is a mark: the crash that tore it came before or during a trial.
            return Mark.TRYING

    def begin(self, serial: str) -> None:
        """Make the mark TRYING durable; C_Login may be called after this returns."""
        self._write(serial, Mark.TRYING)

    def refuse(self, serial: str) -> None:
        """Make the mark REFUSED durable."""
        self._write(serial, Mark.REFUSED)

    def clear(self, serial: str) -> None:
        """Forget the mark: the PIN was accepted, never seen by the token, or replaced by a person's word."""
        self._file(serial).unlink(missing_ok=True)
        self._sync_folder()

    def _file(self, serial: str) -> Path:
        # The serial is what the token says it is, so it does not become a file name as it stands.
        return self._folder / f"pin-{hashlib.sha256(serial.encode()).hexdigest()[:32]}.json"

    def _write(self, serial: str, mark: Mark) -> None:
        content = msgspec.json.encode(_MarkFile(serial, mark, datetime.now(UTC).isoformat(timespec="seconds")))
        target = self._file(serial)
        temporary = target.with_suffix(".tmp")
        with open(temporary, "wb", opener=_private) as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.rename(target)
        self._sync_folder()

    def _sync_folder(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
