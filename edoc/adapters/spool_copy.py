"""Copy a claimed job: from the writer's files, which may still change, to ours, which cannot.

Rules: a job's folder holds plain files side by side, each with one name; symlinks, pipes, sockets, devices, hard links
and folders are refused without being opened.  A file is copied while it is hashed and then looked at again: one that
grew or changed meanwhile is refused (FILE_CHANGED).  Copies are named by number.  ``error.json`` and ``error.txt`` are
what an earlier attempt left in a folder that was dropped again: they are not part of the job.

Does not read what the files say.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edoc.adapters.files import BLOCK, blocks_of, disk_errors, open_beneath, opened_folder, sync_folder, write_new
from edoc.errors import EdocError, Fault
from edoc.errors.spool import (
    BAD_FILE_NAME,
    EMPTY_FILE,
    FILE_CHANGED,
    FILE_NOT_READABLE,
    FILE_TOO_LARGE,
    HARD_LINK,
    NESTED_FOLDER,
    NO_DESCRIPTION,
    NOT_A_REGULAR_FILE,
    TOO_MANY_FILES,
    TWO_DESCRIPTIONS,
)
from edoc.model.identifiers import DocumentId, FileRef
from edoc.model.job import ClaimedJob, JobKind
from edoc.model.record import JobFile, StoredFile

DESCRIPTIONS = {
    "document.json": JobKind.FOLDER_JSON,
    "document.xml": JobKind.FOLDER_XML,
}
ANSWERS = frozenset({"error.json", "error.txt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyLimits:
    """Bounds of a job: bytes per file, files per job."""

    file_bytes: int = 50 * 1024 * 1024
    files: int = 500


def shown(name: str) -> str:
    """Return a name from the disk as text: what is not UTF-8 becomes U+FFFD."""
    return os.fsencode(name).decode("utf-8", "replace")


def copy_job(source: Path, target: Path, name: str, document_id: DocumentId, limits: CopyLimits) -> ClaimedJob:
    """Copy the job at `source`, called `name`, into the new folder `target`.

    A job that cannot be taken as it is comes back with its fault; EdocError only for our own disk.
    """
    files: list[JobFile] = []
    with disk_errors(target):
        target.mkdir(mode=0o700)
    fault: EdocError | None = None
    try:
        for file in _copies(source, target, name, limits):
            files.append(file)  # noqa: PERF402 -- what was copied before a fault is kept
    except _JobError as refused:
        fault = refused.error
    with disk_errors(target):
        sync_folder(target)
        sync_folder(target.parent)
    kind, description, missing = _describe(source, name, files)
    if name != shown(name):
        fault = EdocError(BAD_FILE_NAME, file=shown(name), job=shown(name))
    fault = fault or missing
    return ClaimedJob(
        document_id=document_id,
        name=shown(name),
        kind=kind,
        description=description,
        files=tuple(file for file in files if file.stored is not description),
        fault=None if fault is None else fault.report(),
    )


class _JobError(Exception):
    """The job is at fault, not our disk."""

    def __init__(self, fault: Fault, **facts: object) -> None:
        super().__init__(fault.code)
        self.error = EdocError(fault, cause="", **facts)


def _describe(source: Path, name: str, files: list[JobFile]) -> tuple[JobKind, StoredFile | None, EdocError | None]:
    if not source.is_dir() or source.is_symlink():
        return JobKind.EDXML, files[0].stored if files else None, None
    found = [file for file in files if file.name in DESCRIPTIONS]
    if len(found) == 1:
        return DESCRIPTIONS[found[0].name], found[0].stored, None
    if found:
        names = ", ".join(file.name for file in found)
        return JobKind.UNREADABLE, None, EdocError(TWO_DESCRIPTIONS, job=shown(name), files=names)
    return JobKind.UNREADABLE, None, EdocError(NO_DESCRIPTION, job=shown(name))


def _copies(source: Path, target: Path, job: str, limits: CopyLimits) -> Iterator[JobFile]:
    mode = os.lstat(source).st_mode
    if not stat.S_ISDIR(mode):
        with opened_folder(source.parent) as folder:
            yield _copy(folder, source.name, target / "1", job, job, limits)
        return
    try:
        folder = os.open(source, os.O_DIRECTORY | os.O_NOFOLLOW | os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError as error:
        raise _JobError(FILE_NOT_READABLE, file=shown(job), job=shown(job)) from error
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name not in ANSWERS)
        if len(names) > limits.files:
            raise _JobError(TOO_MANY_FILES, job=shown(job), limit=limits.files)
        # Descriptions first: with one of them at hand, even a job that is refused can be told by its own id.
        names.sort(key=lambda name: name not in DESCRIPTIONS)
        for number, name in enumerate(names, start=1):
            yield _copy(folder, name, target / str(number), name, job, limits)
    finally:
        os.close(folder)


def _copy(folder: int, entry: str, target: Path, name: str, job: str, limits: CopyLimits) -> JobFile:
    facts = {"file": shown(name), "job": shown(job)}
    if name != shown(name):
        raise _JobError(BAD_FILE_NAME, **facts)
    # Looked at before it is opened: opening a device or a pipe may already do something.
    _refuse(os.stat(entry, dir_fd=folder, follow_symlinks=False), facts, limits)
    try:
        fd = open_beneath(folder, entry, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except PermissionError as error:
        raise _JobError(FILE_NOT_READABLE, **facts) from error
    except OSError as error:  # exchanged for something else since it was looked at
        raise _JobError(FILE_CHANGED, **facts) from error
    try:
        before = os.fstat(fd)
        _refuse(before, facts, limits)
        with disk_errors(target):
            size, digest = write_new(target, blocks_of(fd, limits.file_bytes + BLOCK))
        after = os.fstat(fd)
    finally:
        os.close(fd)
    if size != before.st_size or _identity(before) != _identity(after):
        raise _JobError(FILE_CHANGED, **facts)
    return JobFile(name=name, stored=StoredFile(ref=FileRef(str(target)), size=size, sha256=digest))


def _identity(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_nlink


def _refuse(found: os.stat_result, facts: dict[str, str], limits: CopyLimits) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise _JobError(NESTED_FOLDER, **facts)
    if not stat.S_ISREG(found.st_mode):
        raise _JobError(NOT_A_REGULAR_FILE, **facts)
    if found.st_nlink != 1:
        raise _JobError(HARD_LINK, **facts)
    if found.st_size == 0:
        raise _JobError(EMPTY_FILE, **facts)
    if found.st_size > limits.file_bytes:
        raise _JobError(FILE_TOO_LARGE, **facts, size=found.st_size, limit=limits.file_bytes)
