"""The image of the office's seal: one PNG file, read when the daemon starts.

Rules: it is looked at no further than its first octets and its size; the sandbox decodes it.
Does not follow changes: a new image takes a restart.
"""

from __future__ import annotations

from pathlib import Path

from edoc.errors import EdocError
from edoc.errors.sealing import SEAL_IMAGE_UNFIT

MAX_BYTES = 4 * 1024 * 1024
_PNG = b"\x89PNG\r\n\x1a\n"


def read_image(path: Path) -> bytes:
    """Return the octets of the PNG file at `path`; EdocError SEAL_IMAGE_UNFIT."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        detail = f"{path}: {error.strerror or ''}"
        raise EdocError(SEAL_IMAGE_UNFIT, detail=detail, cause=str(error)) from error
    if not content.startswith(_PNG):
        raise EdocError(SEAL_IMAGE_UNFIT, detail=f"{path} is not a PNG image")
    if len(content) > MAX_BYTES:
        raise EdocError(SEAL_IMAGE_UNFIT, detail=f"{path} is larger than {MAX_BYTES // 1024 // 1024} MiB")
    return content
