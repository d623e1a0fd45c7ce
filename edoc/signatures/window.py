"""A window on a stored entry: the part of an open file that is one entry of a container.

Rules: reads nothing outside its bounds and copies nothing, so that a PDF of any size is looked at where it lies.

Does not close the file under it.
"""

from __future__ import annotations

import io
from typing import BinaryIO


class Window(io.RawIOBase):
    """`size` bytes of `file` from `offset`, as a seekable file of its own."""

    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        super().__init__()
        self._file = file
        self._offset = offset
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be positioned."""
        return True

    def tell(self) -> int:
        """Return the position in the window."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to `offset` from the start, the position or the end."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("negative seek position")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed has Buffer, 3.12 only
        """Read up to the length of `buffer`, never past the end of the window."""
        wanted = min(len(buffer), max(0, self._size - self._position))
        self._file.seek(self._offset + self._position)
        piece = self._file.read(wanted)
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)
