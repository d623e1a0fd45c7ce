"""Durable file primitives."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.store import sha256_of

from edoc.adapters import files
from edoc.adapters.files import (
    disk_errors,
    make_folder,
    open_beneath,
    open_by_steps,
    opened_folder,
    remove_tree,
    rename_new,
    replace_file,
    single_name,
    sweep,
    write_all,
    write_new,
)
from edoc.errors import EdocError

Open = Callable[[int, str, int], int]
BOTH = pytest.mark.parametrize("open_file", [open_beneath, open_by_steps])


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "room/closet").mkdir(parents=True)
    (tmp_path / "room/closet/file").write_bytes(b"inside")
    (tmp_path / "outside").write_bytes(b"outside")
    (tmp_path / "room/link").symlink_to("../outside")
    (tmp_path / "room/door").symlink_to("closet")
    return tmp_path


@BOTH
def test_a_file_below_the_folder_is_opened(house: Path, open_file: Open) -> None:
    with opened_folder(house / "room") as folder:
        fd = open_file(folder, "closet/file", os.O_RDONLY)
        assert os.read(fd, 10) == b"inside"
        os.close(fd)


@BOTH
@pytest.mark.parametrize("path", ["link", "door/file", "../outside", "closet/../../outside", "/etc/passwd"])
def test_no_way_leads_out_of_the_folder_or_through_a_symlink(house: Path, open_file: Open, path: str) -> None:
    with opened_folder(house / "room") as folder, pytest.raises(OSError, match="Errno") as caught:
        open_file(folder, path, os.O_RDONLY)
    assert caught.value.errno in {errno.ELOOP, errno.EXDEV, errno.ENOTDIR}


@BOTH
def test_opening_leaves_no_descriptor_behind(house: Path, open_file: Open) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with opened_folder(house / "room") as folder:
        os.close(open_file(folder, "closet/file", os.O_RDONLY))
        with pytest.raises(FileNotFoundError):
            open_file(folder, "closet/none", os.O_RDONLY)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/a", "a\0b"])
def test_a_single_name_is_no_path(name: str) -> None:
    with pytest.raises(EdocError) as caught:
        single_name(name)
    assert caught.value.code == "FILE_UNUSABLE"


def test_a_short_write_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, content: write(fd, bytes(content)[:3]))
    with (tmp_path / "file").open("wb") as file:
        write_all(file.fileno(), b"0123456789")
    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_a_file_is_replaced_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "file"
    replace_file(target, [b"one"])
    size, digest = replace_file(target, [b"two", b"three"])
    assert target.read_bytes() == b"twothree"
    assert (size, digest) == (8, sha256_of(b"twothree"))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_replacement_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    def failing() -> Iterator[bytes]:
        yield b"half"
        raise OSError(errno.ENOSPC, "full")

    replace_file(tmp_path / "file", [b"old"])
    with pytest.raises(EdocError) as caught, disk_errors("file"):
        replace_file(tmp_path / "file", failing())
    assert caught.value.code == "DISK_FULL"
    assert (tmp_path / "file").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("flagged", [True, False])
def test_a_rename_never_replaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flagged: bool) -> None:
    if not flagged:  # a file system that does not know RENAME_NOREPLACE
        monkeypatch.setattr(files, "_RENAME_NOREPLACE", 0x40000000)
    for name in ("source", "taken", "folder/inside"):
        make_folder((tmp_path / name).parent)
        write_new(tmp_path / name, [name.encode()])
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileExistsError):
        rename_new(tmp_path / "source", tmp_path / "taken")
    with pytest.raises(FileExistsError):
        rename_new(tmp_path / "folder", tmp_path / "empty")
    rename_new(tmp_path / "source", tmp_path / "free")
    assert (tmp_path / "taken").read_bytes() == b"taken"
    assert (tmp_path / "free").read_bytes() == b"source"


def test_removing_a_tree_does_not_follow_a_symlink(house: Path) -> None:
    (house / "room/closet/out").symlink_to(house)
    remove_tree(house / "room")
    remove_tree(house / "room")
    assert [path.name for path in house.iterdir()] == ["outside"]


def test_sweeping_removes_what_a_kill_left_and_nothing_else(tmp_path: Path) -> None:
    for name in (".0011.tmp", "job.tmp", ".keep"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / ".folder.tmp").mkdir()
    sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"job.tmp", ".keep", ".folder.tmp"}


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "DISK_FULL"),
        (errno.EDQUOT, "DISK_FULL"),
        (errno.EIO, "DISK_FAILING"),
        (errno.EROFS, "DISK_FAILING"),
        (errno.EACCES, "FILE_DENIED"),
        (errno.EXDEV, "FOLDERS_SPLIT"),
        (errno.ENOENT, "FILE_MISSING"),
        (errno.ELOOP, "FILE_UNUSABLE"),
    ],
)
def test_an_error_of_the_disk_is_a_fault_with_its_cause(number: int, code: str) -> None:
    with pytest.raises(EdocError) as caught, disk_errors("gói tài liệu"):
        raise OSError(number, os.strerror(number))
    assert caught.value.code == code
    assert "gói tài liệu" in caught.value.text("vi") or code == "FILE_UNUSABLE"
    assert os.strerror(number) in caught.value.cause


def test_a_failed_fsync_is_a_failing_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_fd: int) -> None:
        raise OSError(errno.EIO, "I/O error")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(EdocError) as caught, disk_errors("file"):
        replace_file(tmp_path / "file", [b"x"])
    assert caught.value.code == "DISK_FAILING"
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_reported_and_not_left_full(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = os.getuid() == 0 and _mount(disk)
    try:
        with pytest.raises(EdocError) as caught, _bounded(mounted), disk_errors("package"):
            replace_file(disk / "file", [b"x" * 65536] * 100)
        assert caught.value.code == "DISK_FULL"
        assert list(disk.iterdir()) == []
    finally:
        if mounted:
            subprocess.run(["umount", disk], check=True)


def _mount(folder: Path) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


class _bounded:  # noqa: N801 -- reads like the context managers beside it
    """Bound the size of files where no small file system can be mounted: EFBIG stands for ENOSPC."""

    def __init__(self, mounted: bool) -> None:
        self._mounted = mounted
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)
        self._handler = signal.getsignal(signal.SIGXFSZ)

    def __enter__(self) -> None:
        if not self._mounted:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * 1024, self._before[1]))

    def __exit__(self, *_error: object) -> None:
        if not self._mounted:
            resource.setrlimit(resource.RLIMIT_FSIZE, self._before)
            signal.signal(signal.SIGXFSZ, self._handler)
