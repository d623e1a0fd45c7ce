"""The spool on folders: what may not be in a job, what a kill leaves, and two users at work."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from types import MappingProxyType

import pytest
from fakes.kills import as_user, killed_at
from fakes.records import document_id

from edoc.adapters.files import Step, no_step
from edoc.adapters.spool_copy import CopyLimits
from edoc.adapters.spool_fs import FsSpool, SpoolFolders
from edoc.errors import EdocError
from edoc.model.identifiers import DocumentId
from edoc.model.job import ClaimedJob, JobKind

ONE, TWO = document_id(1), document_id(2)
LIMITS = CopyLimits()


def spool_in(root: Path, step: Step = no_step, limits: CopyLimits = LIMITS) -> FsSpool:
    folders = {name: root / name for name in ("outbox", "sent", "failed", "status")}
    spool = FsSpool(SpoolFolders(**folders, claimed=root / "claimed"), limits, step)
    spool.prepare()
    return spool


def drop(root: Path, name: str = "job", files: Mapping[str, bytes] = MappingProxyType({})) -> Path:
    job = root / "outbox" / name
    job.mkdir(parents=True)
    for file, content in {"document.json": b"{}", "a.pdf": b"%PDF", **files}.items():
        (job / file).write_bytes(content)
    return job


async def claimed(root: Path, limits: CopyLimits = LIMITS, name: str = "job") -> ClaimedJob:
    job = await spool_in(root, limits=limits).claim(name, ONE)
    assert job is not None
    return job


def fault_of(job: ClaimedJob) -> tuple[str, str]:
    assert job.fault is not None
    return job.fault.code, job.fault.facts.get("file", "")


# --- What is a job ---------------------------------------------------------------------------------------------------


async def test_what_is_being_written_is_not_looked_at(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    for name in (".hidden", "job.tmp", "job.part"):
        drop(tmp_path, name)
    (tmp_path / "outbox/.cv.edxml").write_bytes(b"x")
    (tmp_path / "outbox/cv.edxml.tmp").write_bytes(b"x")
    (tmp_path / "outbox/ghi chú.txt").write_bytes(b"a plain file is no job")
    (tmp_path / "outbox/stale.ready").write_bytes(b"")
    assert list(await spool.ready()) == []


async def test_jobs_come_oldest_first(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    for name in ("c", "a", "b"):
        drop(tmp_path, f".{name}")
    for name in ("b", "c", "a"):  # the rename is what completes a job
        (tmp_path / "outbox" / f".{name}").rename(tmp_path / "outbox" / name)
        stamp = (tmp_path / "outbox" / name).stat().st_ctime_ns
        while _now_on_disk(tmp_path) <= stamp:  # the disk's clock ticks in milliseconds
            pass
    assert list(await spool.ready()) == ["b", "c", "a"]


def _now_on_disk(root: Path) -> int:
    (root / "tick").write_bytes(b"")
    return (root / "tick").stat().st_ctime_ns


async def test_a_part_with_its_ready_marker_is_a_job_and_leaves_no_marker(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    drop(tmp_path, "CV 12.part")
    assert list(await spool.ready()) == []
    (tmp_path / "outbox/CV 12.ready").write_bytes(b"")
    assert list(await spool.ready()) == ["CV 12"]
    job = await spool.claim("CV 12", ONE)
    assert job is not None
    assert (job.name, job.kind, job.fault) == ("CV 12", JobKind.FOLDER_JSON, None)
    assert list((tmp_path / "outbox").iterdir()) == []
    await spool.sent(ONE)
    assert [path.name for path in (tmp_path / "sent").iterdir()] == ["CV 12"]


async def test_a_marker_that_stayed_behind_does_not_complete_the_next_part(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    drop(tmp_path, "CV 12")
    (tmp_path / "outbox/CV 12.ready").write_bytes(b"")
    await spool.claim("CV 12", ONE)
    drop(tmp_path, "CV 12.part")
    assert list(await spool.ready()) == []


async def test_a_symlink_in_the_outbox_fails_and_is_not_followed(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "document.json").write_bytes(b"{}")
    (tmp_path / "outbox/job").symlink_to(secret)
    assert list(await spool.ready()) == ["job"]
    job = await spool.claim("job", ONE)
    assert job is not None
    assert fault_of(job) == ("NOT_A_REGULAR_FILE", "job")
    assert job.files == ()
    await spool.failed(ONE, b"{}", "")
    assert (tmp_path / "failed/job/job").is_symlink()
    assert [path.name for path in secret.iterdir()] == ["document.json"]


async def test_a_name_that_is_a_path_is_refused(tmp_path: Path) -> None:
    for name in ("../outbox/job", "..", ".", "", "a/b"):
        with pytest.raises(EdocError) as caught:
            await spool_in(tmp_path).claim(name, ONE)
        assert caught.value.code == "FILE_UNUSABLE"


# --- What may not be in a job ----------------------------------------------------------------------------------------


def _symlink(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def _hard_link(path: Path) -> None:
    (path.parent.parent.parent / "elsewhere").write_bytes(b"secret")
    path.hardlink_to(path.parent.parent.parent / "elsewhere")


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (_symlink, "NOT_A_REGULAR_FILE"),
        (os.mkfifo, "NOT_A_REGULAR_FILE"),
        (_socket, "NOT_A_REGULAR_FILE"),
        (_hard_link, "HARD_LINK"),
        (Path.mkdir, "NESTED_FOLDER"),
        (_empty, "EMPTY_FILE"),
    ],
)
async def test_only_plain_files_are_taken(tmp_path: Path, make: Callable[[Path], None], fault: str) -> None:
    make(drop(tmp_path) / "b.pdf")
    job = await claimed(tmp_path)
    assert fault_of(job) == (fault, "b.pdf")
    assert job.kind is JobKind.FOLDER_JSON
    assert job.description is not None


async def test_a_description_that_is_a_symlink_is_not_read(tmp_path: Path) -> None:
    job = drop(tmp_path)
    (job / "document.json").unlink()
    (job / "document.json").symlink_to("/etc/passwd")
    taken = await claimed(tmp_path)
    assert fault_of(taken) == ("NOT_A_REGULAR_FILE", "document.json")
    assert taken.description is None


async def test_a_device_is_refused_without_being_opened(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can make a device")
    os.mknod(drop(tmp_path) / "b.pdf", 0o20666, os.makedev(1, 5))  # /dev/zero: reading it would never end
    assert fault_of(await claimed(tmp_path)) == ("NOT_A_REGULAR_FILE", "b.pdf")


async def test_a_file_above_the_limit_is_refused(tmp_path: Path) -> None:
    drop(tmp_path, files={"b.pdf": b"12345"})
    assert fault_of(await claimed(tmp_path, CopyLimits(file_bytes=4))) == ("FILE_TOO_LARGE", "b.pdf")


async def test_more_files_than_the_limit_are_refused(tmp_path: Path) -> None:
    drop(tmp_path, files={"b.pdf": b"1"})
    job = await claimed(tmp_path, CopyLimits(files=2))
    assert fault_of(job)[0] == "TOO_MANY_FILES"


async def test_names_that_are_not_text_are_refused_and_shown_as_text(tmp_path: Path) -> None:
    job = drop(tmp_path, os.fsdecode(b"job \xff"))
    (job / os.fsdecode(b"b\xe1.pdf")).write_bytes(b"1")
    spool = spool_in(tmp_path)
    (name,) = await spool.ready()
    taken = await spool.claim(name, ONE)
    assert taken is not None
    assert fault_of(taken) == ("BAD_FILE_NAME", "job �")
    assert taken.name == "job �"
    await spool.failed(ONE, b"{}", "")
    assert [path.name for path in (tmp_path / "failed").iterdir()] == ["job �"]


async def test_nfc_and_nfd_names_are_kept_as_they_are(tmp_path: Path) -> None:
    drop(tmp_path, files={"cv\u1ea3.pdf": b"1", "cva\u0309.pdf": b"2"})
    job = await claimed(tmp_path)
    assert {file.name for file in job.files} == {"a.pdf", "cv\u1ea3.pdf", "cva\u0309.pdf"}


async def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = (drop(tmp_path) / "b.pdf").open("ab")  # the writer still holds it open after the claim
    held.write(b"12345")
    held.flush()
    read = os.read

    def growing(fd: int, size: int) -> bytes:
        block = read(fd, size)
        if block == b"12345":
            held.write(b"6")
            held.flush()
        return block

    monkeypatch.setattr(os, "read", growing)
    try:
        assert fault_of(await claimed(tmp_path)) == ("FILE_CHANGED", "b.pdf")
    finally:
        held.close()


async def test_what_the_writer_does_after_the_claim_does_not_reach_our_copy(tmp_path: Path) -> None:
    held = (drop(tmp_path) / "a.pdf").open("rb+")
    job = await claimed(tmp_path)
    held.write(b"EVIL")
    held.close()
    (copy,) = (file.stored.ref for file in job.files)
    with open(copy, "rb") as ours:  # noqa: ASYNC230, PTH123 -- a test may block
        assert ours.read() == b"%PDF"


async def test_a_very_long_job_name_still_gets_its_answers(tmp_path: Path) -> None:
    name = "v" * 255
    spool = spool_in(tmp_path)
    for document in (ONE, TWO):
        drop(tmp_path, name)
        await spool.claim(name, document)
        await spool.failed(document, b"{}", "")
    await spool.report(ONE, name, b"{}", durable=True)
    assert len(list((tmp_path / "failed").iterdir())) == 2
    assert len(list((tmp_path / "status/by-job").iterdir())) == 1


# --- Kills -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pair", [False, True])
def test_a_kill_at_any_step_of_a_claim_loses_no_job_and_doubles_none(tmp_path: Path, pair: bool) -> None:
    for number in count(1):
        root = tmp_path / str(number)
        drop(root, "job.part" if pair else "job")
        if pair:
            (root / "outbox/job.ready").write_bytes(b"")
        killed = killed_at(number, lambda step, at=root: spool_in(at, step).claim("job", ONE))  # type: ignore[misc]  # the default binds the loop's value
        asyncio.run(_finish(root))
        assert _tree(root / "sent") == {"job", "job/document.json", "job/a.pdf"}
        assert _tree(root / "claimed") == set()
        assert _tree(root / "outbox") == set()
        if not killed:
            break
    assert number > 3


async def _finish(root: Path) -> None:
    """Do what the next run does: finish what is claimed, then look into the outbox."""
    spool = spool_in(root)
    for document, _name in await spool.claimed():
        job = await spool.reopen(document)
        assert job.fault is None
        await spool.sent(document)
    for name in await spool.ready():
        await spool.claim(name, TWO)
        await spool.sent(TWO)


@pytest.mark.parametrize("single", [False, True])
def test_a_kill_at_any_step_of_a_failure_answers_once(tmp_path: Path, single: bool) -> None:
    for number in count(1):
        root = tmp_path / str(number)
        spool = spool_in(root)
        name = "cv.edxml" if single else "job"
        if single:
            (root / "outbox/cv.edxml").write_bytes(b"<edXML/>")
        else:
            drop(root)
        asyncio.run(_claimed(spool, name))
        killed = killed_at(number, lambda step, at=root: spool_in(at, step).failed(ONE, b"{}", "sai"))  # type: ignore[misc]  # the default binds the loop's value
        for document, _name in asyncio.run(_claimed_list(spool_in(root))):
            asyncio.run(spool_in(root).failed(document, b"{}", "sai"))
        own = {"cv.edxml"} if single else {"document.json", "a.pdf"}
        assert _tree(root / "failed") == {name, *(f"{name}/{file}" for file in {*own, "error.json", "error.txt"})}
        assert _tree(root / "claimed") == set()
        if not killed:
            break
    assert number > 2


async def _claimed(spool: FsSpool, name: str) -> None:
    await spool.claim(name, ONE)


async def _claimed_list(spool: FsSpool) -> Sequence[tuple[DocumentId, str]]:
    return await spool.claimed()


def _tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


# --- Two users -------------------------------------------------------------------------------------------------------

DMS, DAEMON = 64001, 64002


@pytest.fixture
def shared() -> Iterator[Path]:
    """Give folders with the default ACLs of the manual, for two unprivileged users."""
    if os.getuid() != 0:
        pytest.skip("only root can become two users")
    if shutil.which("setfacl") is None:
        pytest.skip("setfacl is not installed")
    root = Path(tempfile.mkdtemp())
    root.chmod(0o755)
    rights = f"u:{DMS}:rwx,u:{DAEMON}:rwx"
    for name in ("outbox", "sent", "failed", "status", "status/by-job", "inbox"):
        (root / name).mkdir(mode=0o750)
        done = subprocess.run(["setfacl", "-m", rights, "-d", "-m", rights, root / name], check=False)
        if done.returncode != 0:
            shutil.rmtree(root)
            pytest.skip("the file system has no ACLs")
    (root / "claimed").mkdir(mode=0o700)
    os.chown(root / "claimed", DAEMON, DAEMON)
    yield root
    shutil.rmtree(root)


def test_a_daemon_and_a_dms_of_two_users_pass_jobs_both_ways(shared: Path) -> None:
    def dms_drops() -> None:
        os.umask(0o077)
        drop(shared, ".a.tmp").rename(shared / "outbox/a")
        drop(shared, ".b.tmp").rename(shared / "outbox/b")
        (shared / "outbox/.c.tmp").write_bytes(b"<edXML/>")
        (shared / "outbox/.c.tmp").rename(shared / "outbox/c.edxml")

    def daemon_works() -> None:
        os.umask(0o077)
        asyncio.run(_work_as_daemon(shared))

    def dms_reads_and_takes() -> None:
        for path in (
            shared / "sent/a/a.pdf",
            shared / "failed/b/error.json",
            shared / "failed/c.edxml/c.edxml",
            shared / "failed/c.edxml/error.txt",
            shared / f"status/{ONE}.json",
            shared / "status/by-job/a.json",
        ):
            assert path.read_bytes()
        (shared / "failed/c.edxml").rename(shared / "outbox/.again.tmp")
        (shared / "failed/b").rename(shared / "outbox/b")
        shutil.rmtree(shared / "sent/a")

    def dms_may_not() -> None:
        for path in (shared / "claimed", shared / "claimed" / ONE):
            with pytest.raises(PermissionError):
                os.listdir(path)  # noqa: PTH208 -- the plain call is what is tested

    for uid, act in ((DMS, dms_drops), (DAEMON, daemon_works), (DMS, dms_may_not), (DMS, dms_reads_and_takes)):
        as_user(uid, act)


async def _work_as_daemon(root: Path) -> None:
    spool = spool_in(root)
    three = document_id(3)
    for name, document in (("a", ONE), ("b", TWO), ("c.edxml", three)):
        job = await spool.claim(name, document)
        assert job is not None
        assert job.fault is None
    await spool.sent(ONE)
    await spool.failed(TWO, b"{}", "sai")
    await spool.failed(three, b"{}", "sai")
    await spool.report(ONE, "a", b"{}", durable=True)


async def _ready(root: Path) -> Sequence[str]:
    return await spool_in(root).ready()


def test_without_the_acl_the_daemon_says_what_is_missing(shared: Path) -> None:
    def dms_drops() -> None:
        drop(shared, ".a.tmp").rename(shared / "outbox/a")

    def daemon_works() -> None:
        with pytest.raises(EdocError) as caught:
            asyncio.run(_work_as_daemon(shared))
        assert caught.value.code == "FILE_DENIED"
        assert list((shared / "claimed").iterdir()) == []
        assert list(asyncio.run(_ready(shared))) == ["a"]

    as_user(DMS, dms_drops)
    subprocess.run(["setfacl", "-b", shared / "outbox/a"], check=True)
    as_user(DAEMON, daemon_works)
