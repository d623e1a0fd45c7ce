"""Durable file primitives: what every adapter that writes a file is built of.

Rules: a file becomes visible under its name only when it is complete and fsynced (temporary name, write in a loop,
fsync, rename, fsync of the folder); a short write is never taken for a whole one; a failed fsync is final, the bytes
are not trusted again (DISK_FAILING).  Everything is opened beneath a folder that is ours: openat2 with
RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS, and where the kernel lacks it (before 5.6, or a seccomp filter) component by
component with O_NOFOLLOW, which gives the same answer one call later.  Temporary names start with a full stop and end
in ``.tmp``: the spool rules hide them, and :func:`sweep` removes what a kill left.

Does not know what the files mean, and takes no lock.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edoc.errors import EdocError
from edoc.errors.exchange import (
    DISK_FAILING,
    DISK_FULL,
    FILE_DENIED,
    FILE_MISSING,
    FILE_UNUSABLE,
    FOLDERS_SPLIT,
)
from edoc.model.identifiers import Sha256

BLOCK = 1024 * 1024

FOR_DMS_FILE, FOR_DMS_FOLDER = 0o640, 0o770
"""Modes of what the document-management system reads, before the umask.

The group bits are also the mask of a default ACL: with 0750 it could not move a folder away, because moving a folder to
a new parent writes to the folder.
"""

Step = Callable[[str], None]
"""Called with a step's name when that step is done; a test stops the process there."""

_LIBC = ctypes.CDLL(None, use_errno=True)
_OPENAT2 = 437  # the same number on every architecture
_RESOLVE_NO_SYMLINKS = 0x04
_RESOLVE_BENEATH = 0x08
_RENAME_NOREPLACE = 1
_AT_FDCWD = -100

_FAULTS = {
    errno.ENOSPC: DISK_FULL,
    errno.EDQUOT: DISK_FULL,
    errno.EFBIG: DISK_FULL,
    errno.EIO: DISK_FAILING,
    errno.EROFS: DISK_FAILING,  # ext4 remounts read-only after an error
    errno.EACCES: FILE_DENIED,
    errno.EPERM: FILE_DENIED,
    errno.ENOENT: FILE_MISSING,
    errno.EXDEV: FOLDERS_SPLIT,
}


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def no_step(_name: str) -> None:
    """Do nothing between steps: what a running daemon does."""


@contextmanager
def disk_errors(what: object) -> Iterator[None]:
    """Turn an OSError into an EdocError about `what`.

    Raises DISK_FULL, DISK_FAILING, FILE_DENIED, FILE_MISSING, FOLDERS_SPLIT or FILE_UNUSABLE.
    """
    try:
        yield
    except OSError as error:
        fault = _FAULTS.get(error.errno or 0, FILE_UNUSABLE)
        raise EdocError(fault, cause=str(error), what=what) from error


def single_name(name: str) -> str:
    """Return `name` when it names one entry of a folder; EdocError FILE_UNUSABLE for a path or a special name."""
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        raise EdocError(FILE_UNUSABLE, what=repr(name))
    return name


# --- Opening ---------------------------------------------------------------------------------------------------------


def open_beneath(folder: int, path: str, flags: int, mode: int = 0o600) -> int:
    """Open `path` below the open folder `folder` and return the descriptor; never through a symlink or ``..``.

    Raises OSError: ELOOP for a symlink, EXDEV or ELOOP for a way out.
    """
    flags |= os.O_CLOEXEC
    how = _OpenHow(flags, mode if flags & os.O_CREAT else 0, _RESOLVE_BENEATH | _RESOLVE_NO_SYMLINKS)
    fd: int = _LIBC.syscall(_OPENAT2, folder, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how))
    if fd >= 0:
        return fd
    number = ctypes.get_errno()
    # EPERM is what container runtimes' seccomp filters answer to a call they do not know.
    if number in {errno.ENOSYS, errno.EPERM}:
        return open_by_steps(folder, path, flags, mode)
    raise OSError(number, os.strerror(number), path)


def open_by_steps(folder: int, path: str, flags: int, mode: int = 0o600) -> int:
    """Do what :func:`open_beneath` does, one component at a time, for kernels without openat2."""
    *folders, last = path.split("/")
    if path.startswith("/") or ".." in {*folders, last}:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), path)
    here = os.dup(folder)
    try:
        for name in folders:
            deeper = os.open(name, os.O_DIRECTORY | os.O_NOFOLLOW | os.O_RDONLY | os.O_CLOEXEC, dir_fd=here)
            os.close(here)
            here = deeper
        return os.open(last, flags | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=here)
    finally:
        os.close(here)


@contextmanager
def opened_folder(path: Path) -> Iterator[int]:
    """Hold the folder `path` open; it must not be a symlink itself."""
    fd = os.open(path, os.O_DIRECTORY | os.O_NOFOLLOW | os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


# --- Writing ---------------------------------------------------------------------------------------------------------


def write_all(fd: int, content: bytes | memoryview) -> None:
    """Write all of `content`: a full disk shortens a write without an error, the next one reports it."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(fd, rest) :]


def sync_folder(path: Path) -> None:
    """Make the entries of the folder durable; an office's folder may be a symlink that its admin made."""
    fd = os.open(path, os.O_DIRECTORY | os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_new(path: Path, blocks: Iterable[bytes], mode: int = 0o600, *, durable: bool = True) -> tuple[int, Sha256]:
    """Write a file that nobody sees yet, fsync it, return its size and digest.  The folder is not fsynced.

    `mode` is masked by the umask or the folder's default ACL, as for every new file.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        size, digest = 0, hashlib.sha256()
        for block in blocks:
            write_all(fd, block)
            digest.update(block)
            size += len(block)
        if durable:
            os.fsync(fd)
    finally:
        os.close(fd)
    return size, Sha256(digest.hexdigest())


def temporary_beside(path: Path) -> Path:
    """Return a fresh hidden name in the folder of `path`."""
    return path.with_name(f".{secrets.token_hex(8)}.tmp")


def replace_file(path: Path, blocks: Iterable[bytes], mode: int = 0o600, *, durable: bool = True) -> tuple[int, Sha256]:
    """Make `path` hold `blocks`, at one instant and, unless told otherwise, durably; return size and digest."""
    temporary = temporary_beside(path)
    try:
        written = write_new(temporary, blocks, mode, durable=durable)
        temporary.rename(path)
    except OSError:
        temporary.unlink(missing_ok=True)  # a full disk must not stay full of what could not be finished
        raise
    if durable:
        sync_folder(path.parent)
    return written


# --- Reading ---------------------------------------------------------------------------------------------------------


def blocks_of(fd: int, limit: int | None = None) -> Iterator[bytes]:
    """Yield the rest of an open file in blocks, at most `limit` bytes."""
    left = limit
    while left is None or left > 0:
        block = os.read(fd, BLOCK if left is None else min(BLOCK, left))
        if not block:
            return
        left = None if left is None else left - len(block)
        yield block


@contextmanager
def opened_file(path: Path) -> Iterator[int]:
    """Hold a regular file of ours open for reading; a symlink or a device is refused (OSError)."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        yield fd
    finally:
        os.close(fd)


def digest_of(path: Path) -> tuple[int, Sha256]:
    """Return size and SHA-256 of a file, read in blocks."""
    size, digest = 0, hashlib.sha256()
    with opened_file(path) as fd:
        for block in blocks_of(fd):
            digest.update(block)
            size += len(block)
    return size, Sha256(digest.hexdigest())


# --- Names -----------------------------------------------------------------------------------------------------------


def present(path: Path) -> bool:
    """Say whether an entry of this name exists, be it a dangling symlink."""
    return os.path.lexists(path)


def make_folder(path: Path, mode: int = 0o700) -> None:
    """Make a folder and its parents durably; one that exists is left as it is."""
    if path.is_dir():
        return
    make_folder(path.parent, mode)
    path.mkdir(mode=mode, exist_ok=True)
    sync_folder(path.parent)


def rename_new(source: Path, target: Path) -> None:
    """Rename durably to a name that must be free: FileExistsError when it is taken, whatever took it."""
    result: int = _LIBC.renameat2(
        _AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), ctypes.c_uint(_RENAME_NOREPLACE)
    )
    if result != 0:
        number = ctypes.get_errno()
        if number not in {errno.EINVAL, errno.ENOSYS}:
            raise OSError(number, os.strerror(number), str(source), None, str(target))
        # A file system without the flag (some network ones): the target folder is ours alone, so looking first is fair.
        if present(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        source.rename(target)
    sync_folder(target.parent)
    if source.parent != target.parent:
        sync_folder(source.parent)


def remove_tree(path: Path) -> None:
    """Remove a folder with all it holds, durably; one that is not there is fine.  Never follows a symlink."""
    if present(path):
        shutil.rmtree(path)
        sync_folder(path.parent)


def remove_file(path: Path) -> None:
    """Remove a file durably; one that is not there is fine."""
    if present(path):
        path.unlink(missing_ok=True)
        sync_folder(path.parent)


def sweep(folder: Path) -> None:
    """Remove temporary files that a kill left in `folder`.  Call it before anything works there."""
    for entry in folder.iterdir():
        if entry.name.startswith(".") and entry.name.endswith(".tmp") and not entry.is_dir():
            entry.unlink(missing_ok=True)
