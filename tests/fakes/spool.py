"""A Spool in memory: jobs are dictionaries of files by name."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from fakes.faults import Faults
from fakes.store import MemoryFiles

from edoc.errors import EdocError, FaultReport
from edoc.errors.exchange import FILE_MISSING
from edoc.errors.spool import EMPTY_FILE, NO_DESCRIPTION, TWO_DESCRIPTIONS
from edoc.model.identifiers import DocumentId
from edoc.model.job import ClaimedJob, JobKind
from edoc.model.record import JobFile

KINDS = {"document.json": JobKind.FOLDER_JSON, "document.xml": JobKind.FOLDER_XML}


class FakeSpool:
    """The Spool port in memory.

    `drop` puts a job into the outbox; `sent_jobs`, `failed_jobs`, `status` and `by_job` are what the DMS would see.
    `disk_faults` says, by job name, what is wrong with its files (a symlink, a file that grows).
    """

    def __init__(self, files: MemoryFiles | None = None) -> None:
        self.files = files or MemoryFiles()
        self.faults = Faults()
        self.outbox: dict[str, dict[str, bytes]] = {}
        self.claimed_jobs: dict[DocumentId, tuple[str, dict[str, bytes]]] = {}
        self.sent_jobs: dict[str, dict[str, bytes]] = {}
        self.failed_jobs: dict[str, dict[str, bytes]] = {}
        self.status: dict[str, bytes] = {}
        self.by_job: dict[str, bytes] = {}
        self.disk_faults: dict[str, FaultReport] = {}
        self._changed = asyncio.Event()

    def drop(self, name: str, files: dict[str, bytes]) -> None:
        """Put a job into the outbox; a single file is {name: content}."""
        self.outbox[name] = dict(files)
        self._changed.set()

    async def ready(self) -> Sequence[str]:
        self.faults.check("ready")
        return list(self.outbox)

    async def claim(self, name: str, document_id: DocumentId) -> ClaimedJob | None:
        self.faults.check("claim")
        if name not in self.outbox:
            return None
        self.claimed_jobs[document_id] = (name, self.outbox.pop(name))
        return await self.reopen(document_id)

    async def claimed(self) -> Sequence[tuple[DocumentId, str]]:
        self.faults.check("claimed")
        return [(document_id, name) for document_id, (name, _files) in sorted(self.claimed_jobs.items())]

    async def reopen(self, document_id: DocumentId) -> ClaimedJob:
        self.faults.check("reopen")
        if document_id not in self.claimed_jobs:
            raise EdocError(FILE_MISSING, what=document_id)
        name, content = self.claimed_jobs[document_id]
        names = sorted(set(content) - {"error.json", "error.txt"}, key=lambda file: (file not in KINDS, file))
        kind, described, fault = _kind(name, names)
        files = []
        for number, file in enumerate(names, start=1):
            if not content[file]:
                fault = EdocError(EMPTY_FILE, file=file, job=name)
                break
            stored = self.files.put(f"mem:claimed/{document_id}/{number}", content[file])
            files.append(JobFile(name=file, stored=stored))
        description = next((file.stored for file in files if file.name == described), None)
        return ClaimedJob(
            document_id=document_id,
            name=name,
            kind=kind,
            description=description,
            files=tuple(file for file in files if file.name != described),
            fault=self.disk_faults.get(name) or (None if fault is None else fault.report()),
        )

    async def sent(self, document_id: DocumentId) -> None:
        self.faults.check("sent")
        self._put_away(document_id, self.sent_jobs, {})

    async def failed(self, document_id: DocumentId, error_json: bytes, error_text: str) -> None:
        self.faults.check("failed")
        self._put_away(document_id, self.failed_jobs, {"error.json": error_json, "error.txt": error_text.encode()})

    def _put_away(self, document_id: DocumentId, folder: dict[str, dict[str, bytes]], answer: dict[str, bytes]) -> None:
        if document_id in self.claimed_jobs:
            name, content = self.claimed_jobs.pop(document_id)
            folder[f"{name}~{document_id[:8]}" if name in folder else name] = {**content, **answer}
            self.files.remove(f"mem:claimed/{document_id}/")

    async def report(self, document_id: DocumentId, job: str, status_json: bytes, *, durable: bool) -> None:  # noqa: ARG002 -- memory is lost or kept as a whole
        self.faults.check("report")
        self.status[document_id] = status_json
        self.by_job[job] = status_json

    async def wait(self, limit: timedelta) -> None:
        try:
            await asyncio.wait_for(self._changed.wait(), limit.total_seconds())
        except TimeoutError:
            return
        self._changed.clear()


def _kind(name: str, names: list[str]) -> tuple[JobKind, str, EdocError | None]:
    if name.lower().endswith(".edxml") and names == [name]:
        return JobKind.EDXML, name, None
    kinds = KINDS
    found = [file for file in names if file in kinds]
    if len(found) == 1:
        return kinds[found[0]], found[0], None
    if found:
        return JobKind.UNREADABLE, "", EdocError(TWO_DESCRIPTIONS, job=name, files=", ".join(found))
    return JobKind.UNREADABLE, "", EdocError(NO_DESCRIPTION, job=name)
