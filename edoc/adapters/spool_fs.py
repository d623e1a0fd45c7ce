"""The Spool port on folders: the outbox of a document-management system (DMS), and the folders that answer it.

What a job is
    a folder, or a single file ``NAME.edxml``, that was *renamed* into the outbox: what is there is complete
    names that start with a full stop or end in ``.tmp`` or ``.part`` are being written and are not looked at
    a writer that cannot rename writes ``NAME.part`` and then, last, an empty ``NAME.ready``: this pair is the job NAME
    any other plain file is not a job and stays; a symlink, pipe, socket or device under a job's name is a job that
    fails (the clerk sees it in ``failed/``); nothing is ever followed

What a claim does, and what a kill there leaves (``c`` is ``claimed/<document_id>``)
    step                            on disk                         the next run
    1 write c/name, fsync           c without job                   ``claimed`` removes c; the outbox has the job
    2 rename NAME.ready to c/marker c with marker, NAME.part stays  ``claimed`` finishes step 3
    3 rename the job to c/job       c with job                      ``claimed`` lists it, ``reopen`` copies it
    4 copy to c/files/<n>           c with job, files unfinished    the same
    5 write error.* (a job that is one file moves to the hidden folder ``failed/.<document_id>.tmp`` for that)
                                    c with job or hidden folder     ``claimed`` lists it, the answer is given again
    6 rename the job to ``sent/`` or ``failed/``, remove c
                                    c without job                   ``claimed`` removes c

Rules: ``claimed`` lies on the outbox's file system and belongs to the daemon alone.  Call :meth:`FsSpool.sent` after
the commit of PACKED: it removes our copies too.  Two different users work here: default ACLs (or a shared group with
the setgid bit) let each rename what the other made; for a daemon ``edoc`` and a DMS ``dms``::

    setfacl -m u:edoc:rwx,u:dms:rwx -d -m u:edoc:rwx,u:dms:rwx outbox sent failed status inbox

What we make for the DMS is 0640 and 0770 before the umask.  The group bits are also the ACL's mask: with 0750 the DMS
could read a folder but not move it away, because moving a folder to a new parent writes to the folder.

Does not read what a job says.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from edoc.adapters.files import (
    FOR_DMS_FILE,
    FOR_DMS_FOLDER,
    Step,
    disk_errors,
    make_folder,
    no_step,
    opened_file,
    opened_folder,
    present,
    remove_file,
    remove_tree,
    rename_new,
    replace_file,
    single_name,
    sweep,
    sync_folder,
)
from edoc.adapters.spool_copy import CopyLimits, copy_job, shown
from edoc.adapters.spool_watch import FolderWatch
from edoc.errors import EdocError
from edoc.errors.exchange import FILE_MISSING
from edoc.model.identifiers import DocumentId, parse_document_id
from edoc.model.job import ClaimedJob


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolFolders:
    """The folders of one office; `claimed` is the daemon's alone."""

    outbox: Path
    sent: Path
    failed: Path
    status: Path
    claimed: Path


class FsSpool:
    """The Spool port; `step` is called after each step of a claim and an answer."""

    def __init__(self, folders: SpoolFolders, limits: CopyLimits = CopyLimits(), step: Step = no_step) -> None:  # noqa: B008 -- a frozen value
        self._folders = folders
        self._limits = limits
        self._step = step
        self._watch = FolderWatch(folders.outbox)
        # The renames of a claim and the clean-up of what kills left must not meet.
        self._renaming = threading.Lock()

    def prepare(self) -> None:
        """Make the folders that are missing and remove temporary files that a kill left."""
        folders = self._folders
        with disk_errors(folders.outbox.parent):
            for folder in (folders.outbox, folders.sent, folders.failed, folders.status):
                make_folder(folder, FOR_DMS_FOLDER)
            make_folder(folders.claimed, 0o700)
            sweep(folders.status)
            by_job = folders.status / "by-job"
            if not present(by_job):
                make_folder(by_job, FOR_DMS_FOLDER)
            if by_job.is_dir() and not by_job.is_symlink():  # anything else is the DMS's doing: reports complain of it
                sweep(by_job)

    def close(self) -> None:
        """End the watch on the outbox."""
        self._watch.close()

    async def wait(self, limit: timedelta) -> None:
        """Return when the outbox may have changed, at the latest after `limit`."""
        await self._watch.wait(limit)

    # --- Scanning ----------------------------------------------------------------------------------------------------

    async def ready(self) -> Sequence[str]:
        """Return the names of complete jobs in the outbox, oldest change first."""
        return await asyncio.to_thread(self._ready)

    def _ready(self) -> Sequence[str]:
        with disk_errors(self._folders.outbox), os.scandir(self._folders.outbox) as entries:
            found = sorted(self._jobs(list(entries)))
        return [name for _changed, name in found]

    def _jobs(self, entries: list[os.DirEntry[str]]) -> Iterator[tuple[int, str]]:
        names = {entry.name for entry in entries}
        for entry in entries:
            name = entry.name
            if name.endswith(".ready"):
                name = name.removesuffix(".ready")
                wanted = name + ".part" in names and name not in names and not _unfinished(name)
            else:
                wanted = not _unfinished(name) and (
                    not entry.is_file(follow_symlinks=False) or name.lower().endswith(".edxml")
                )
            if wanted:
                try:
                    yield entry.stat(follow_symlinks=False).st_ctime_ns, name
                except FileNotFoundError:
                    continue  # the writer took it back

    # --- Claiming ----------------------------------------------------------------------------------------------------

    async def claim(self, name: str, document_id: DocumentId) -> ClaimedJob | None:
        """Take a job by rename into a daemon-only folder, then copy and hash it; None when it is gone.

        Raises EdocError FILE_DENIED when ACLs are missing, FOLDERS_SPLIT, DISK_FULL, DISK_FAILING.
        """
        return await asyncio.to_thread(self._claim, single_name(name), document_id)

    def _claim(self, name: str, document_id: DocumentId) -> ClaimedJob | None:
        mine = self._folders.claimed / document_id
        with disk_errors(shown(name)), self._renaming:
            mine.mkdir(mode=0o700)
            replace_file(mine / "name", [os.fsencode(name)])
            sync_folder(self._folders.claimed)
            self._step("named")
            try:
                taken = self._take(name, mine)
            except OSError:
                self._put_back(name, mine)
                raise
            if not taken:
                remove_tree(mine)
                return None
        return self._copy(document_id, name)

    def _put_back(self, name: str, mine: Path) -> None:
        """Undo a claim that the folders' rights did not allow; a job that did move stays claimed."""
        if present(mine / "job"):
            return
        if present(mine / "marker"):
            (mine / "marker").rename(self._folders.outbox / f"{name}.ready")
        remove_tree(mine)

    def _take(self, name: str, mine: Path) -> bool:
        """Rename the job, or its pair NAME.part and NAME.ready, into `mine`."""
        outbox = self._folders.outbox
        plain, part, marker = outbox / name, outbox / f"{name}.part", outbox / f"{name}.ready"
        try:
            as_pair = present(mine / "marker")
            if not as_pair and not present(plain):
                # The marker goes first: one that stayed behind would make the writer's next NAME.part look complete.
                rename_new(marker, mine / "marker")
                as_pair = True
                self._step("marker taken")
            rename_new(part if as_pair else plain, mine / "job")
        except FileNotFoundError:
            return False
        if not present(part):
            remove_file(marker)
        self._step("taken")
        return True

    def _copy(self, document_id: DocumentId, name: str) -> ClaimedJob:
        mine = self._folders.claimed / document_id
        with disk_errors(mine):
            remove_tree(mine / "files")
            source = mine / "job"
            if not present(source):
                raise EdocError(FILE_MISSING, what=source)
            job = copy_job(source, mine / "files", name, document_id, self._limits)
        self._step("copied")
        return job

    async def claimed(self) -> Sequence[tuple[DocumentId, str]]:
        """Return (document_id, job name) of every claimed folder, and finish or remove what a kill left half done."""
        return await asyncio.to_thread(self._claimed)

    def _claimed(self) -> Sequence[tuple[DocumentId, str]]:
        found = []
        with disk_errors(self._folders.claimed), self._renaming:
            for mine in sorted(self._folders.claimed.iterdir()):
                name = _name_in(mine)
                unanswered = present(mine / "job") or present(self._hidden(mine))
                if name is not None and not unanswered and present(mine / "marker"):
                    unanswered = self._take(name, mine)
                if name is None or not unanswered:
                    remove_tree(mine)
                else:
                    found.append((parse_document_id(mine.name), shown(name)))
        return found

    async def reopen(self, document_id: DocumentId) -> ClaimedJob:
        """Return a claimed job again, copied and hashed anew; EdocError FILE_MISSING when it is not claimed."""
        return await asyncio.to_thread(self._reopen, document_id)

    def _reopen(self, document_id: DocumentId) -> ClaimedJob:
        mine = self._folders.claimed / document_id
        with disk_errors(mine):
            name = _name_in(mine)
        if name is None:
            raise EdocError(FILE_MISSING, what=mine / "name")
        return self._copy(document_id, name)

    # --- Answering ---------------------------------------------------------------------------------------------------

    async def sent(self, document_id: DocumentId) -> None:
        """Move the claimed source to ``sent/`` and remove our copies.  Idempotent."""
        await asyncio.to_thread(self._sent, document_id)

    def _sent(self, document_id: DocumentId) -> None:
        mine = self._folders.claimed / document_id
        with disk_errors(mine):
            name = _name_in(mine)
            if name is not None and present(mine / "job"):
                _put_away(mine / "job", self._folders.sent, name, document_id)
                self._step("moved")
            remove_tree(mine)

    async def failed(self, document_id: DocumentId, error_json: bytes, error_text: str) -> None:
        """Move the claimed source to ``failed/NAME/`` with ``error.json`` and ``error.txt``.  Idempotent."""
        await asyncio.to_thread(self._failed, document_id, error_json, error_text.encode())

    def _failed(self, document_id: DocumentId, error_json: bytes, error_text: bytes) -> None:
        mine = self._folders.claimed / document_id
        with disk_errors(mine):
            name = _name_in(mine)
            if name is not None and (present(mine / "job") or present(self._hidden(mine))):
                answer = self._answer(mine, name, document_id, {"error.json": error_json, "error.txt": error_text})
                self._step("answered")
                _put_away(answer, self._folders.failed, name, document_id)
                self._step("moved")
            remove_tree(mine)

    def _hidden(self, mine: Path) -> Path:
        """Return where the failed folder of a job that is one file is built: there it inherits the DMS's rights."""
        return self._folders.failed / f".{mine.name}.tmp"

    def _answer(self, mine: Path, name: str, document_id: DocumentId, errors: dict[str, bytes]) -> Path:
        """Write the errors beside the job's files; a job that is one file gets a folder around it."""
        job, folder = mine / "job", self._hidden(mine)
        if present(job) and stat.S_ISDIR(os.lstat(job).st_mode):
            folder = job
        elif not present(folder):
            folder.mkdir(mode=FOR_DMS_FOLDER)
        for file, content in errors.items():
            if (folder / file).is_dir() and not (folder / file).is_symlink():
                (folder / file).rename(folder / f"{file}~{document_id[:8]}")
            replace_file(folder / file, [content], FOR_DMS_FILE)
        if folder != job and present(job):
            rename_new(job, folder / name)
        return folder

    async def report(self, document_id: DocumentId, job: str, status_json: bytes, *, durable: bool) -> None:
        """Replace ``status/<document_id>.json`` and ``status/by-job/<job>.json``."""
        await asyncio.to_thread(self._report, document_id, job, status_json, durable)

    def _report(self, document_id: DocumentId, job: str, status_json: bytes, durable: bool) -> None:
        status, by_job = self._folders.status, self._folders.status / "by-job"
        name = _fitting(single_name(job), ".json")
        with disk_errors(by_job):
            replace_file(status / f"{document_id}.json", [status_json], FOR_DMS_FILE, durable=durable)
            make_folder(by_job, FOR_DMS_FOLDER)
            # The DMS may write to the folder above: what it puts in the place of this one is never followed.
            with opened_folder(by_job) as fd:
                replace_file(Path(f"/proc/self/fd/{fd}/{name}"), [status_json], FOR_DMS_FILE, durable=durable)


def _unfinished(name: str) -> bool:
    return name.startswith(".") or name.endswith((".tmp", ".part", ".ready"))


def _name_in(mine: Path) -> str | None:
    """Return the job's name as the claim wrote it, None when the claim had not come so far."""
    try:
        with opened_file(mine / "name") as fd:
            return os.fsdecode(os.read(fd, 4096))
    except FileNotFoundError:
        return None


def _put_away(source: Path, folder: Path, name: str, document_id: DocumentId) -> None:
    """Rename `source` into `folder` under its own name, or, when that is taken, with the id's beginning added."""
    try:
        rename_new(source, folder / shown(name))
    except FileExistsError:
        rename_new(source, folder / _fitting(shown(name), f"~{document_id[:8]}"))


def _fitting(name: str, suffix: str) -> str:
    """Return `name` with `suffix`, cut and told apart by its digest when it would exceed 255 bytes."""
    raw = name.encode()
    if len(raw) + len(suffix) <= 255:
        return name + suffix
    mark = "~" + hashlib.sha256(raw).hexdigest()[:8]
    return raw[: 255 - len(mark) - len(suffix)].decode("utf-8", "ignore") + mark + suffix
