"""The Revocation port over a folder of revocation lists: every ``*.crl`` in it, PEM or DER.

Rules: the folder is looked at on every call, a file is read again only when it changed; one bad file raises an alarm
(once) and does not take the good ones away.  An absent folder is an empty one: missing revocation data degrades
verdicts, it never stops traffic.

Does not fetch anything and does not verify a list: a list's signature and age are judged with every verdict.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from edoc.directory.der import der_objects
from edoc.errors import EdocError
from edoc.errors.trust import CRL_UNREADABLE
from edoc.ports import Alarm

_MOST_BYTES = 128 * 1024 * 1024


class _Stamp(NamedTuple):
    modified_ns: int
    size: int
    inode: int


def read_crls(path: Path) -> tuple[bytes, ...]:
    """Return the revocation lists in `path` as DER; EdocError CRL_UNREADABLE."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise EdocError(CRL_UNREADABLE, path=path, detail=f"larger than {_MOST_BYTES} bytes")
        return der_objects(content, "X509 CRL")
    except OSError as error:
        raise EdocError(CRL_UNREADABLE, path=path, detail=error.strerror or "", cause=str(error)) from error
    except ValueError as error:
        raise EdocError(CRL_UNREADABLE, path=path, detail=error) from error


class RevocationFiles:
    """Revocation lists from a folder."""

    def __init__(self, folder: Path, *, alarm: Alarm | None = None) -> None:
        self._folder = folder
        self._alarm = alarm
        self._read: dict[Path, tuple[_Stamp, tuple[bytes, ...]]] = {}
        self._one_at_a_time = asyncio.Lock()

    async def crls(self) -> Sequence[bytes]:
        """Return the lists at hand, DER, in the order of their file names."""
        async with self._one_at_a_time:
            found, faults = await asyncio.to_thread(self._look)
            self._read = found
        for fault in faults:
            if self._alarm is not None:
                self._alarm(fault.report(), None)
        return tuple(crl for _, lists in found.values() for crl in lists)

    def _look(self) -> tuple[dict[Path, tuple[_Stamp, tuple[bytes, ...]]], list[EdocError]]:
        found: dict[Path, tuple[_Stamp, tuple[bytes, ...]]] = {}
        faults: list[EdocError] = []
        for path in sorted(self._folder.glob("*.crl")):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue  # replaced or removed while we looked: the next call sees what came of it
            stamp = _Stamp(status.st_mtime_ns, status.st_size, status.st_ino)
            known = self._read.get(path)
            if known is not None and known[0] == stamp:
                found[path] = known
                continue
            try:
                found[path] = (stamp, read_crls(path))
            except EdocError as error:
                # Remembered as empty, so that the alarm is raised once per change and not with every verdict.
                found[path] = (stamp, ())
                faults.append(error)
        return found, faults
