"""The Inbox port on folders: staging, the inbox of the document-management system (DMS), and the quarantine.

What a delivery does, and what a kill there leaves.  ``s`` is ``staging/<sha256>``, ``t`` the hidden folder
``inbox/.<document_id>.tmp``, ``c`` is ``inbox/.<document_id>.complete``, ``i`` is ``inbox/<document_id>``.  What is
:meth:`FsInbox.of` a sender has ``~<sender>`` in the names of s, t and c, so that nobody's delivery meets another's.

    step                                   s    t    c    i    the next run
    0 nothing done                         yes  no   no   no   starts
    1 build t, fsync every file and t      yes  yes  no   no   removes t and starts again
    2 rename t to c, fsync inbox           yes  no   yes  no   goes on with step 3
    3 unlink s, fsync staging              no   no   yes  no   goes on with step 4
    4 rename c to i, fsync inbox           no   no   no   yes  is done
    5 remove the chunks' folder            no   no   no   yes  is done
    - the DMS takes i away                 no   no   no   no   is done

So “s or c present ⇔ not yet delivered”, and the rename of step 4 is the one instant at which the document appears.  The
staging file goes *before* that rename, not after: were it the other way round, a kill between the two, with a DMS that
takes the folder before we are back, would deliver the document a second time.  Should i exist while s does (an operator
put bytes back), i stands and s is dropped.

The container is copied into the folder, not linked: a link would keep the daemon's owner and rights, which the inbox's
default ACL could not change, and its second name would break the rule that a file has one.  It is hashed on the way.

Rules: folders and files for the DMS are 0770 and 0640 before the umask (see :mod:`edoc.adapters.spool_fs` for the ACLs
and why); what is quarantined is the daemon's alone.  What is delivered was verified before.

Does not decide what is delivered.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

from edoc.adapters.files import (
    FOR_DMS_FILE,
    FOR_DMS_FOLDER,
    Step,
    blocks_of,
    disk_errors,
    make_folder,
    no_step,
    opened_file,
    present,
    remove_file,
    remove_tree,
    rename_new,
    single_name,
    sweep,
    sync_folder,
    write_new,
)
from edoc.adapters.inbox_staging import Staging
from edoc.envelopes.asic import ENVELOPE, Container
from edoc.envelopes.edxml import write_inline
from edoc.errors import EdocError
from edoc.errors.exchange import DISK_FAILING
from edoc.model.document import Document
from edoc.model.identifiers import DocumentId, FileRef, OrganId, Sha256, parse_sha256
from edoc.model.job import InboxFolder

P = ParamSpec("P")
T = TypeVar("T")

PACKAGE = "package.asice"
EDXML = "document.edxml"
PARTIAL = "package.partial"
"""What is kept in quarantine of a container whose chunks do not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxFolders:
    """The folders of one office; `staging` and `quarantine` are the daemon's alone and on one file system."""

    staging: Path
    inbox: Path
    quarantine: Path


class FsInbox:
    """The Inbox port; a container has at most `max_chunks` chunks, `step` is called after each step of a delivery."""

    def __init__(
        self, folders: InboxFolders, *, max_chunks: int = 1024, step: Step = no_step, sender: OrganId | None = None
    ) -> None:
        self._folders = folders
        self._max_chunks = max_chunks
        self._staging = Staging(folders.staging, max_chunks, sender or "")
        self._step = step
        self._mark = f"~{sender}" if sender else ""
        self._senders: dict[OrganId, FsInbox] = {}

    def of(self, sender: OrganId) -> FsInbox:
        """Return this inbox with a staging of its own for what `sender` brings; the same one each time."""
        if sender not in self._senders:
            self._senders[sender] = FsInbox(self._folders, max_chunks=self._max_chunks, step=self._step, sender=sender)
        return self._senders[sender]

    def prepare(self) -> None:
        """Make the folders that are missing and remove temporary files that a kill left."""
        with disk_errors(self._folders.inbox):
            make_folder(self._folders.staging)
            make_folder(self._folders.quarantine)
            make_folder(self._folders.inbox, FOR_DMS_FOLDER)
            sweep(self._folders.staging)

    async def _run(self, what: object, run: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def guarded() -> T:
            with disk_errors(what):
                return run(*args, **kwargs)

        return await asyncio.to_thread(guarded)

    # --- Staging -----------------------------------------------------------------------------------------------------

    async def stage(self, sha256: Sha256, body: bytes) -> FileRef:
        """Write a whole container to staging; EdocError CHUNK_MISMATCH when its digest is another.  Idempotent."""
        await self._run(sha256, self._staging.stage, sha256, body)
        return FileRef(str(self._staging.whole(sha256)))

    async def stage_chunk(self, sha256: Sha256, index: int, body: bytes) -> None:
        """Write one chunk durably.  EdocError CHUNK_MISMATCH for one beyond the bounds.  Idempotent."""
        await self._run(sha256, self._staging.stage_chunk, sha256, index, body)

    async def stage_manifest(self, sha256: Sha256, body: bytes) -> None:
        """Keep the manifest of a chunked container durably.  Idempotent."""
        await self._run(sha256, self._staging.stage_manifest, sha256, body)

    async def chunks(self, sha256: Sha256) -> tuple[bytes | None, frozenset[int]]:
        """Return the manifest if it is there, and the chunks that are durable."""
        manifest = await self._run(sha256, self._staging.manifest, sha256)
        return manifest, frozenset(await self._run(sha256, self._staging.lengths, sha256))

    async def assemble(self, sha256: Sha256, chunks: Sequence[Sha256]) -> FileRef:
        """Make the staged container of its chunks; EdocError CHUNK_MISSING, CHUNK_MISMATCH.  Idempotent."""
        await self._run(sha256, self._staging.assemble, sha256, chunks)
        return FileRef(str(self._staging.whole(sha256)))

    async def drop(self, sha256: Sha256) -> None:
        """Forget a staged container, its chunks and manifest.  Idempotent."""
        await self._run(sha256, self._staging.drop, sha256)

    # --- Delivery ----------------------------------------------------------------------------------------------------

    async def deliver(self, folder: InboxFolder) -> None:
        """Make ``inbox/<document_id>/`` appear complete, at one instant, and drop the staging file.  Idempotent."""
        await self._run(folder.document_id, self._deliver, folder)

    def _deliver(self, folder: InboxFolder) -> None:
        sha256 = parse_sha256(Path(folder.container).name.removesuffix(self._mark))
        staged = self._staging.whole(sha256)
        hidden = self._hidden(folder.document_id)
        complete = hidden.with_suffix(".complete")
        visible = self._folders.inbox / single_name(folder.name or folder.document_id)
        if present(staged) and not present(complete) and not present(visible):
            self._build(hidden, staged, sha256, folder)
            rename_new(hidden, complete)
            self._step("complete")
        remove_file(staged)
        self._step("staging file removed")
        if present(complete) and not present(visible):
            rename_new(complete, visible)
            self._step("visible")
        remove_tree(hidden)
        self._staging.drop(sha256)
        self._step("cleared")

    def _hidden(self, document_id: DocumentId) -> Path:
        return self._folders.inbox / single_name(f".{document_id}{self._mark}.tmp")

    def _build(self, hidden: Path, staged: Path, sha256: Sha256, folder: InboxFolder) -> None:
        remove_tree(hidden)
        hidden.mkdir(mode=FOR_DMS_FOLDER)
        try:
            self._fill(hidden, staged, sha256, folder)
        except (OSError, EdocError):
            remove_tree(hidden)  # a full disk must not stay full of what could not be finished
            raise
        sync_folder(hidden)

    def _fill(self, hidden: Path, staged: Path, sha256: Sha256, folder: InboxFolder) -> None:
        self._step("hidden folder made")
        with opened_file(staged) as fd, os.fdopen(fd, "rb", closefd=False) as file:
            container = Container.open(file)
            for name, entry in folder.attachments:
                write_new(hidden / single_name(name), container.stream(entry), FOR_DMS_FILE)
                self._step(f"attachment {name}")
            if folder.edxml is not None:
                entries = [entry for _name, entry in folder.attachments if entry != ENVELOPE]
                write_new(hidden / EDXML, [_inline(folder.edxml, container, entries)], FOR_DMS_FILE)
                self._step("edxml")
        for name, content in folder.files:
            write_new(hidden / single_name(name), [content], FOR_DMS_FILE)
            self._step(f"file {name}")
        with opened_file(staged) as fd:
            _size, digest = write_new(hidden / PACKAGE, blocks_of(fd), FOR_DMS_FILE)
        if digest != sha256:
            raise EdocError(DISK_FAILING, cause=f"read back with digest {digest}", what=staged)
        self._step("package")

    # --- Quarantine --------------------------------------------------------------------------------------------------

    async def quarantine(self, document_id: DocumentId, sha256: Sha256, files: Sequence[tuple[str, bytes]]) -> None:
        """Move the staged container to ``quarantine/<document_id>-<sha256[:16]>/`` with the files.  Idempotent.

        Of a container whose chunks do not fit, the chunks are kept as ``package.partial``.
        """
        await self._run(document_id, self._quarantine, document_id, sha256, files)

    def _quarantine(self, document_id: DocumentId, sha256: Sha256, files: Sequence[tuple[str, bytes]]) -> None:
        final = self._folders.quarantine / f"{document_id}-{sha256[:16]}"
        hidden = self._folders.quarantine / f".{final.name}.tmp"
        if not present(final):
            make_folder(hidden)
            for name, content in files:
                write_new(hidden / single_name(name), [content])
            self._step("quarantine files")
            for source, name in (
                (self._staging.whole(sha256), PACKAGE),
                (self._staging.parts(sha256) / "body", PARTIAL),
            ):
                if present(source):
                    source.rename(hidden / name)
                    sync_folder(source.parent)
                    self._step("quarantine bytes")
            sync_folder(hidden)
            rename_new(hidden, final)
            self._step("quarantine visible")
        remove_tree(self._hidden(document_id))  # of a delivery that was given up
        self._staging.drop(sha256)


def _inline(document: Document, container: Container, entries: Sequence[str]) -> bytes:
    return write_inline(document, [b"".join(container.stream(entry)) for entry in entries])
