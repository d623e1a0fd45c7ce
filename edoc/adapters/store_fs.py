"""The Store port on folders: working files and packages that only the daemon sees.

    work/<document_id>/…            scratch, until the document is done with
    packages/<document_id>.asice    the container.  It never changes once its record is PACKED; before that commit
                                    nothing was published, and a repeated stage may put another in its place
    packages/<document_id>.<name>   small files that stay: receipts, signed statuses, sealed manifests

Rules: names on disk are ids and names of ours; a ref is an absolute path and is never made from a message; whole files
are read only where the port hands out bytes.  Package bytes are files, the journal holds their digests.

Does not decide when anything is removed.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from edoc.adapters.files import (
    blocks_of,
    digest_of,
    disk_errors,
    make_folder,
    opened_file,
    remove_tree,
    replace_file,
    single_name,
    sweep,
    sync_folder,
    temporary_beside,
)
from edoc.envelopes.asic import write_container
from edoc.model.identifiers import DocumentId, FileRef, Sha256
from edoc.model.record import StoredFile


class FsStore:
    """The Store port below the folder `state`."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._work = state / "work"
        self._packages = state / "packages"

    def prepare(self) -> None:
        """Make the folders and remove temporary files that a kill left."""
        with disk_errors(self._state):
            make_folder(self._work)
            make_folder(self._packages)
            sweep(self._packages)

    def free(self) -> tuple[int, int]:
        """Return how many bytes and inodes are left for us; a file system without inodes has any number of them."""
        with disk_errors(self._state):
            found = os.statvfs(self._state)
        return found.f_bavail * found.f_frsize, found.f_favail if found.f_files else sys.maxsize

    # --- Scratch -----------------------------------------------------------------------------------------------------

    def scratch(self, document_id: DocumentId, name: str) -> FileRef:
        """Return where a working file of the document goes; its folder is made."""
        folder = self._work / document_id
        with disk_errors(folder):
            make_folder(folder)
        return FileRef(str(folder / single_name(name)))

    async def patch(self, ref: FileRef, offset: int, content: bytes) -> None:
        """Overwrite bytes of a scratch file in place; the file does not grow, and `keep` makes it durable."""
        await asyncio.to_thread(_patch, Path(ref), offset, content)

    async def keep(self, ref: FileRef) -> StoredFile:
        """Make a written scratch file durable and return its size and digest."""
        return await asyncio.to_thread(_keep, Path(ref))

    async def put(self, document_id: DocumentId, name: str, content: bytes) -> StoredFile:
        """Write a small file durably beside the packages: it stays, whatever becomes of the scratch folder."""
        return await asyncio.to_thread(_put, self._packages / f"{document_id}.{single_name(name)}", content)

    async def read(self, ref: FileRef, offset: int = 0, size: int = -1) -> bytes:
        """Return bytes of a file; fewer than `size` only at its end."""
        return await asyncio.to_thread(_read, Path(ref), offset, size)

    async def chunk_digests(self, ref: FileRef, chunk_bytes: int) -> tuple[Sha256, ...]:
        """Return the SHA-256 of each piece of `chunk_bytes` of a file."""
        return await asyncio.to_thread(_chunk_digests, Path(ref), chunk_bytes)

    async def discard(self, document_id: DocumentId) -> None:
        """Remove the document's scratch folder."""
        await asyncio.to_thread(self._discard, document_id)

    def _discard(self, document_id: DocumentId) -> None:
        with disk_errors(self._work / document_id):
            remove_tree(self._work / document_id)

    # --- Packages ----------------------------------------------------------------------------------------------------

    async def seal_package(self, document_id: DocumentId, entries: Sequence[tuple[str, bytes | FileRef]]) -> StoredFile:
        """Write the container of `document_id` durably, entries in order.

        Raises EdocError of :func:`edoc.envelopes.asic.write_container`, DISK_FULL, DISK_FAILING.
        """
        return await asyncio.to_thread(self._seal_package, self._packages / f"{document_id}.asice", entries)

    def _seal_package(self, path: Path, entries: Sequence[tuple[str, bytes | FileRef]]) -> StoredFile:
        temporary = temporary_beside(path)
        try:
            with disk_errors(path), temporary.open("xb") as target, ExitStack() as sources:
                os.fchmod(target.fileno(), 0o600)
                write_container(target, [(name, _source(content, sources)) for name, content in entries])
                target.flush()
                os.fsync(target.fileno())
            with disk_errors(path):
                # The writer goes back to patch sizes, so the digest is taken from the finished file.
                size, digest = digest_of(temporary)
                temporary.rename(path)
                sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)
        return StoredFile(ref=FileRef(str(path)), size=size, sha256=digest)


def _source(content: bytes | str, sources: ExitStack) -> bytes | BinaryIO:
    if isinstance(content, bytes):
        return content
    fd = sources.enter_context(opened_file(Path(content)))
    return sources.enter_context(os.fdopen(fd, "rb", closefd=False))


def _patch(path: Path, offset: int, content: bytes) -> None:
    with disk_errors(path):
        fd = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if offset < 0 or offset + len(content) > os.fstat(fd).st_size:
                raise ValueError(f"patch of {len(content)} bytes at {offset} is outside {path}")
            done = 0
            while done < len(content):
                done += os.pwrite(fd, content[done:], offset + done)
        finally:
            os.close(fd)


def _keep(path: Path) -> StoredFile:
    with disk_errors(path):
        with opened_file(path) as fd:
            os.fsync(fd)
        sync_folder(path.parent)
        size, digest = digest_of(path)
    return StoredFile(ref=FileRef(str(path)), size=size, sha256=digest)


def _put(path: Path, content: bytes) -> StoredFile:
    with disk_errors(path):
        size, digest = replace_file(path, [content])
    return StoredFile(ref=FileRef(str(path)), size=size, sha256=digest)


def _read(path: Path, offset: int, size: int) -> bytes:
    with disk_errors(path), opened_file(path) as fd:
        os.lseek(fd, offset, os.SEEK_SET)
        return b"".join(blocks_of(fd, None if size < 0 else size))


def _chunk_digests(path: Path, chunk_bytes: int) -> tuple[Sha256, ...]:
    with disk_errors(path), opened_file(path) as fd:
        return tuple(_digests(fd, chunk_bytes))


def _digests(fd: int, chunk_bytes: int) -> Iterator[Sha256]:
    while True:
        digest, left = hashlib.sha256(), chunk_bytes
        for block in blocks_of(fd, chunk_bytes):
            digest.update(block)
            left -= len(block)
        if left == chunk_bytes:
            return
        yield Sha256(digest.hexdigest())
        if left:
            return
