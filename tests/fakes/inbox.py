"""An Inbox in memory."""

from __future__ import annotations

import io
from collections.abc import Sequence
from copy import copy

from fakes.faults import Faults
from fakes.store import MemoryFiles, sha256_of

from edoc.envelopes.asic import ENVELOPE, Container
from edoc.envelopes.edxml import write_inline
from edoc.errors import EdocError
from edoc.errors.exchange import CHUNK_MISMATCH, CHUNK_MISSING
from edoc.model.identifiers import DocumentId, FileRef, OrganId, Sha256
from edoc.model.job import InboxFolder
from edoc.model.message import CHUNK_BYTES


class FakeInbox:
    """The Inbox port in memory.

    `delivered` and `quarantined` are what the DMS and the auditor would see, by folder name; a DMS takes a folder with
    ``delivered.pop(document_id)``; `deliveries` counts how often each document appeared.
    """

    def __init__(self, files: MemoryFiles | None = None) -> None:
        self.files = files or MemoryFiles()
        self.faults = Faults()
        self.delivered: dict[str, dict[str, bytes]] = {}
        self.quarantined: dict[str, dict[str, bytes]] = {}
        self.deliveries: dict[str, int] = {}
        self._chunks: dict[Sha256, dict[int, bytes]] = {}
        self._manifests: dict[Sha256, bytes] = {}
        self._mark = ""
        self._by_sender: dict[OrganId, tuple[dict[Sha256, dict[int, bytes]], dict[Sha256, bytes]]] = {}

    def of(self, sender: OrganId) -> FakeInbox:
        """Return the same inbox with another staging."""
        view = copy(self)
        view._mark = f"~{sender}"
        view._chunks, view._manifests = self._by_sender.setdefault(sender, ({}, {}))
        return view

    def _ref(self, sha256: Sha256) -> FileRef:
        return FileRef(f"mem:staging/{sha256}{self._mark}")

    async def stage(self, sha256: Sha256, body: bytes) -> FileRef:
        self.faults.check("stage")
        if sha256_of(body) != sha256:
            raise EdocError(CHUNK_MISMATCH, what=sha256)
        return self.files.put(self._ref(sha256), body).ref

    async def stage_chunk(self, sha256: Sha256, index: int, body: bytes) -> None:
        self.faults.check("stage_chunk")
        if not 0 <= index < 1024 or not 0 < len(body) <= CHUNK_BYTES:
            raise EdocError(CHUNK_MISMATCH, what=f"{sha256}[{index}]")
        if self._ref(sha256) not in self.files.content:
            self._chunks.setdefault(sha256, {})[index] = body

    async def stage_manifest(self, sha256: Sha256, body: bytes) -> None:
        self.faults.check("stage_manifest")
        self._manifests[sha256] = body

    async def chunks(self, sha256: Sha256) -> tuple[bytes | None, frozenset[int]]:
        self.faults.check("chunks")
        return self._manifests.get(sha256), frozenset(self._chunks.get(sha256, {}))

    async def assemble(self, sha256: Sha256, chunks: Sequence[Sha256]) -> FileRef:
        self.faults.check("assemble")
        if self._ref(sha256) not in self.files.content:
            have = self._chunks.get(sha256, {})
            for index, expected in enumerate(chunks):
                if index not in have:
                    raise EdocError(CHUNK_MISSING, index=index, sha256=sha256)
                if sha256_of(have[index]) != expected:
                    raise EdocError(CHUNK_MISMATCH, what=f"{sha256}[{index}]")
            await self.stage(sha256, b"".join(have[index] for index in range(len(chunks))))
        return self._ref(sha256)

    async def deliver(self, folder: InboxFolder) -> None:
        self.faults.check("deliver")
        if folder.container not in self.files.content:
            return
        body = self.files.content[folder.container]
        name = folder.name or folder.document_id
        if name not in self.delivered:
            container = Container.open(io.BytesIO(body))
            found = {name: b"".join(container.stream(entry)) for name, entry in folder.attachments}
            if folder.edxml is not None:
                inline = [found[name] for name, entry in folder.attachments if entry != ENVELOPE]
                found["document.edxml"] = write_inline(folder.edxml, inline)
            self.delivered[name] = {**found, **dict(folder.files), "package.asice": body}
            self.deliveries[name] = self.deliveries.get(name, 0) + 1
        await self.drop(sha256_of(body))

    async def quarantine(self, document_id: DocumentId, sha256: Sha256, files: Sequence[tuple[str, bytes]]) -> None:
        self.faults.check("quarantine")
        name = f"{document_id}-{sha256[:16]}"
        if name not in self.quarantined:
            kept = dict(files)
            if self._ref(sha256) in self.files.content:
                kept["package.asice"] = self.files.content[self._ref(sha256)]
            elif sha256 in self._chunks:
                kept["package.partial"] = b"".join(body for _index, body in sorted(self._chunks[sha256].items()))
            self.quarantined[name] = kept
        await self.drop(sha256)

    async def drop(self, sha256: Sha256) -> None:
        self.faults.check("drop")
        self.files.content.pop(self._ref(sha256), None)
        self._chunks.pop(sha256, None)
        self._manifests.pop(sha256, None)
