"""Staging: containers as they arrive, whole or in chunks, until they are delivered, quarantined or dropped.

    staging/<sha256>                 a whole container, complete and durable: it appears by rename
    staging/<sha256>.parts/body      chunks at their offsets (chunk i at i * CHUNK_BYTES), a sparse file
    staging/<sha256>.parts/have      for each chunk 4 bytes: its length, 0 for not yet
    staging/<sha256>.parts/manifest  the manifest as it came

With an owner every name is ``<sha256>~<owner>``: one sender's bytes never meet another's.

Rules: a chunk's length is written after its bytes are fsynced, so that a length means durable bytes.  Assembly checks
every chunk and the whole, and then renames ``body``: no second copy.  ``have`` and the manifest stay until the
container is dropped.  A chunk that comes again with other bytes takes the old one's place: the digests of the manifest
decide, not who came first.  A container has at most `max_chunks` chunks.

Does not verify anything but digests.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from edoc.adapters.files import (
    blocks_of,
    make_folder,
    opened_file,
    present,
    remove_file,
    remove_tree,
    replace_file,
    single_name,
    sync_folder,
    write_all,
)
from edoc.errors import EdocError
from edoc.errors.exchange import CHUNK_MISMATCH, CHUNK_MISSING
from edoc.model.identifiers import Sha256
from edoc.model.message import CHUNK_BYTES

_LENGTH = 4


class Staging:
    """The staging folder; every method blocks, raises OSError, and may be called from several threads."""

    def __init__(self, folder: Path, max_chunks: int, owner: str = "") -> None:
        self.folder = folder
        self._max_chunks = max_chunks
        self._mark = single_name(f"~{owner}") if owner else ""
        self._writing = threading.Lock()

    def whole(self, sha256: Sha256) -> Path:
        """Return where the complete container is, or will be."""
        return self.folder / f"{sha256}{self._mark}"

    def parts(self, sha256: Sha256) -> Path:
        """Return the folder of its chunks."""
        return self.folder / f"{sha256}{self._mark}.parts"

    def stage(self, sha256: Sha256, body: bytes) -> None:
        """Write a whole container; EdocError CHUNK_MISMATCH when its digest is another."""
        if present(self.whole(sha256)):
            return
        if hashlib.sha256(body).hexdigest() != sha256:
            raise EdocError(CHUNK_MISMATCH, what=sha256)
        replace_file(self.whole(sha256), [body])

    def stage_chunk(self, sha256: Sha256, index: int, body: bytes) -> None:
        """Write one chunk; EdocError CHUNK_MISMATCH for one that no container of ours can have."""
        if not 0 <= index < self._max_chunks or not 0 < len(body) <= CHUNK_BYTES:
            cause = f"{len(body)} bytes, at most {self._max_chunks} chunks of {CHUNK_BYTES}"
            raise EdocError(CHUNK_MISMATCH, cause=cause, what=f"{sha256}[{index}]")
        with self._writing:  # two lanes may bring chunks of one container
            if present(self.whole(sha256)):
                return
            parts = self.parts(sha256)
            make_folder(parts)
            if index in self.lengths(sha256):
                if _piece(parts / "body", index) == body:
                    return
                # While other bytes go over it, the chunk is none: a kill here must not leave half of each.
                _overwrite(parts / "have", index * _LENGTH, bytes(_LENGTH))
            _overwrite(parts / "body", index * CHUNK_BYTES, body)
            _overwrite(parts / "have", index * _LENGTH, len(body).to_bytes(_LENGTH, "little"))
            sync_folder(parts)

    def stage_manifest(self, sha256: Sha256, body: bytes) -> None:
        """Keep the manifest."""
        make_folder(self.parts(sha256))
        replace_file(self.parts(sha256) / "manifest", [body])

    def manifest(self, sha256: Sha256) -> bytes | None:
        """Return the manifest if it is there."""
        return _content(self.parts(sha256) / "manifest")

    def lengths(self, sha256: Sha256) -> dict[int, int]:
        """Return the length of every chunk that is durable."""
        have = _content(self.parts(sha256) / "have") or b""
        read = {at // _LENGTH: int.from_bytes(have[at : at + _LENGTH], "little") for at in range(0, len(have), _LENGTH)}
        return {index: length for index, length in read.items() if length}

    def assemble(self, sha256: Sha256, chunks: Sequence[Sha256]) -> None:
        """Check every chunk and the whole and make the container appear; CHUNK_MISSING, CHUNK_MISMATCH."""
        with self._writing:
            if present(self.whole(sha256)):
                return
            lengths = self.lengths(sha256)
            for index in range(len(chunks)):
                if index not in lengths:
                    raise EdocError(CHUNK_MISSING, index=index, sha256=sha256)
                if lengths[index] != CHUNK_BYTES and index != len(chunks) - 1:
                    raise EdocError(CHUNK_MISMATCH, cause="a short chunk", what=f"{sha256}[{index}]")
            body = self.parts(sha256) / "body"
            size = _check(body, sha256, chunks, lengths)
            os.truncate(body, size)  # a chunk beyond the last is none of this container
            with opened_file(body) as fd:
                os.fsync(fd)
            body.rename(self.whole(sha256))
            sync_folder(body.parent)
            sync_folder(self.folder)

    def drop(self, sha256: Sha256) -> None:
        """Remove the container, its chunks and manifest."""
        with self._writing:
            remove_file(self.whole(sha256))
            remove_tree(self.parts(sha256))


def _overwrite(path: Path, offset: int, content: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.lseek(fd, offset, os.SEEK_SET)
        write_all(fd, content)
        os.fsync(fd)
    finally:
        os.close(fd)


def _piece(path: Path, index: int) -> bytes:
    with opened_file(path) as fd:
        return os.pread(fd, CHUNK_BYTES, index * CHUNK_BYTES)


def _content(path: Path) -> bytes | None:
    try:
        with opened_file(path) as fd:
            return b"".join(blocks_of(fd))
    except FileNotFoundError:
        return None


def _check(body: Path, sha256: Sha256, chunks: Sequence[Sha256], lengths: dict[int, int]) -> int:
    """Compare every chunk and the whole with their digests and return the size of the whole."""
    whole, size = hashlib.sha256(), 0
    with opened_file(body) as fd:
        for index, expected in enumerate(chunks):
            piece = hashlib.sha256()
            for block in blocks_of(fd, lengths[index]):
                piece.update(block)
                whole.update(block)
                size += len(block)
            if piece.hexdigest() != expected:
                raise EdocError(CHUNK_MISMATCH, what=f"{sha256}[{index}]")
    if whole.hexdigest() != sha256:
        raise EdocError(CHUNK_MISMATCH, what=sha256)
    return size
