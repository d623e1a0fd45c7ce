"""Watch a folder with inotify: a hint that something changed.

Rules: a hint only.  The queue of events may overflow, and a network file system never reports another host's writes;
so every wait has a limit, and the scan is the truth.  Where inotify cannot be had, a wait is just its limit.

Does not say what changed.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_ATTRIB, _CLOSE_WRITE, _MOVED_TO, _CREATE = 0x4, 0x8, 0x80, 0x100
_ONLYDIR = 0x01000000


class FolderWatch:
    """A watch on `folder`; made at the first wait, so that the folder may be created after this object."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fd = -1
        self._tried = False

    async def wait(self, limit: timedelta) -> None:
        """Return when something happened in the folder since the last wait, at the latest after `limit`."""
        if not self._tried:
            # What happened before the first watch cannot be known: the caller scans once more.
            self._tried = True
            self._fd = self._open()
            if self._fd >= 0:
                return
        if self._fd < 0:
            await asyncio.sleep(limit.total_seconds())
            return
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()
        loop.add_reader(self._fd, changed.set)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), limit.total_seconds())
        finally:
            loop.remove_reader(self._fd)
        self._drain()

    def _open(self) -> int:
        fd: int = _LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if fd < 0:
            return -1
        mask = _ATTRIB | _CLOSE_WRITE | _MOVED_TO | _CREATE | _ONLYDIR
        if _LIBC.inotify_add_watch(fd, os.fsencode(self._folder), ctypes.c_uint32(mask)) < 0:
            os.close(fd)
            return -1
        return fd

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            while os.read(self._fd, 65536):
                pass

    def close(self) -> None:
        """End the watch."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._tried = -1, False
