"""A Store in memory, and the files it shares with the other fakes."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence

from fakes.faults import Faults

from edoc.envelopes.asic import write_container
from edoc.errors import EdocError
from edoc.errors.exchange import FILE_MISSING
from edoc.model.identifiers import DocumentId, FileRef, Sha256
from edoc.model.record import StoredFile


class MemoryFiles:
    """Files by ref: what FakeSpool, FakeStore and FakeInbox have between them, as real adapters have a disk."""

    def __init__(self) -> None:
        self.content: dict[FileRef, bytes] = {}

    def put(self, ref: str, content: bytes) -> StoredFile:
        self.content[FileRef(ref)] = content
        return self.stored(FileRef(ref))

    def stored(self, ref: FileRef) -> StoredFile:
        content = self.get(ref)
        return StoredFile(ref=ref, size=len(content), sha256=sha256_of(content))

    def get(self, ref: FileRef) -> bytes:
        if ref not in self.content:
            raise EdocError(FILE_MISSING, what=ref)
        return self.content[ref]

    def remove(self, prefix: str) -> None:
        for ref in [ref for ref in self.content if ref.startswith(prefix)]:
            del self.content[ref]


def sha256_of(content: bytes) -> Sha256:
    """Return the SHA-256 of `content`."""
    return Sha256(hashlib.sha256(content).hexdigest())


class FakeStore:
    """The Store port in memory; `faults.plan("put", error)` makes the next put fail, and so on."""

    def __init__(self, files: MemoryFiles | None = None) -> None:
        self.files = files or MemoryFiles()
        self.faults = Faults()
        self.room = (2**40, 2**20)  # free bytes and inodes

    def free(self) -> tuple[int, int]:
        return self.room

    def scratch(self, document_id: DocumentId, name: str) -> FileRef:
        self.faults.check("scratch")
        return FileRef(f"mem:work/{document_id}/{name}")

    async def patch(self, ref: FileRef, offset: int, content: bytes) -> None:
        self.faults.check("patch")
        found = bytearray(self.files.get(ref))
        found[offset : offset + len(content)] = content
        self.files.put(ref, bytes(found))

    async def keep(self, ref: FileRef) -> StoredFile:
        self.faults.check("keep")
        return self.files.stored(ref)

    async def chunk_digests(self, ref: FileRef, chunk_bytes: int) -> tuple[Sha256, ...]:
        self.faults.check("chunk_digests")
        content = self.files.get(ref)
        return tuple(sha256_of(content[at : at + chunk_bytes]) for at in range(0, len(content), chunk_bytes))

    async def put(self, document_id: DocumentId, name: str, content: bytes) -> StoredFile:
        self.faults.check("put")
        return self.files.put(f"mem:packages/{document_id}.{name}", content)

    async def read(self, ref: FileRef, offset: int = 0, size: int = -1) -> bytes:
        self.faults.check("read")
        content = self.files.get(ref)
        return content[offset:] if size < 0 else content[offset : offset + size]

    async def seal_package(self, document_id: DocumentId, entries: Sequence[tuple[str, bytes | FileRef]]) -> StoredFile:
        self.faults.check("seal_package")
        target = io.BytesIO()
        read = [(name, self.files.get(content) if isinstance(content, str) else content) for name, content in entries]
        write_container(target, read)
        return self.files.put(f"mem:packages/{document_id}.asice", target.getvalue())

    async def discard(self, document_id: DocumentId) -> None:
        self.faults.check("discard")
        self.files.remove(f"mem:work/{document_id}/")
