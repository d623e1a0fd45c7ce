"""The inbox on folders: what a kill leaves, and what the DMS may do with what it gets."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from datetime import date
from itertools import count
from pathlib import Path

import pytest
from fakes.containers import container_of, inbox_folder
from fakes.kills import killed_at
from fakes.records import RECIPIENT, SENDER, document_id
from fakes.store import sha256_of

from edoc.adapters.files import Step, no_step
from edoc.adapters.inbox_fs import FsInbox, InboxFolders
from edoc.errors import EdocError
from edoc.model.document import Attachment, Code, Document, Party
from edoc.model.identifiers import FileRef, Sha256
from edoc.model.job import InboxFolder
from edoc.model.message import CHUNK_BYTES

ONE = document_id(1)
BODY = container_of(b"%PDF-1.7", b"phu luc")
SHA = sha256_of(BODY)
REASON = [("error.json", b"{}")]
NAMES = {"1.pdf", "2.pdf", "document.json", "verification.json", "package.asice"}


def inbox_in(root: Path, step: Step = no_step) -> FsInbox:
    folders = InboxFolders(staging=root / "staging", inbox=root / "inbox", quarantine=root / "quarantine")
    inbox = FsInbox(folders, step=step)
    inbox.prepare()
    return inbox


def staged(root: Path) -> FileRef:
    return asyncio.run(inbox_in(root).stage(SHA, BODY))


def visible(root: Path) -> dict[str, set[str]]:
    """Return what a DMS lists: it does not look at hidden names."""
    return {
        path.name: {file.name for file in path.iterdir()}
        for path in (root / "inbox").iterdir()
        if not path.name.startswith(".")
    }


def test_a_kill_at_any_step_of_a_delivery_leaves_a_complete_folder_or_none_and_the_next_run_delivers_once(
    tmp_path: Path,
) -> None:
    for number in count(1):
        root = tmp_path / str(number)
        folder = inbox_folder(ONE, staged(root), 2)
        killed = killed_at(number, lambda step, at=root, what=folder: inbox_in(at, step).deliver(what))  # type: ignore[misc]  # defaults bind the loop's values
        assert visible(root) in ({}, {ONE: NAMES})
        asyncio.run(inbox_in(root).deliver(folder))
        assert visible(root) == {ONE: NAMES}
        assert (root / "inbox" / ONE / "package.asice").read_bytes() == BODY
        assert sorted(path.name for path in (root / "inbox").iterdir()) == [ONE]
        assert list((root / "staging").iterdir()) == []
        if not killed:
            break
    assert number > 8


def test_a_kill_and_a_dms_that_takes_the_folder_at_once_deliver_once(tmp_path: Path) -> None:
    for number in count(1):
        root = tmp_path / str(number)
        folder = inbox_folder(ONE, staged(root), 2)
        killed = killed_at(number, lambda step, at=root, what=folder: inbox_in(at, step).deliver(what))  # type: ignore[misc]  # defaults bind the loop's values
        taken = len(visible(root))
        shutil.rmtree(root / "inbox" / ONE, ignore_errors=True)
        asyncio.run(inbox_in(root).deliver(folder))
        assert taken + len(visible(root)) == 1
        if not killed:
            break


def test_a_kill_at_any_step_of_a_quarantine_loses_nothing(tmp_path: Path) -> None:
    for number in count(1):
        root = tmp_path / str(number)
        staged(root)
        killed = killed_at(number, lambda step, at=root: inbox_in(at, step).quarantine(ONE, SHA, REASON))  # type: ignore[misc]  # the default binds the loop's value
        asyncio.run(inbox_in(root).quarantine(ONE, SHA, REASON))
        (kept,) = (root / "quarantine").iterdir()
        assert kept.name == f"{ONE}-{SHA[:16]}"
        assert (kept / "package.asice").read_bytes() == BODY
        assert (kept / "error.json").read_bytes() == b"{}"
        assert list((root / "staging").iterdir()) == []
        if not killed:
            break


async def test_a_delivery_that_failed_and_was_then_refused_leaves_nothing_in_the_inbox(tmp_path: Path) -> None:
    inbox = inbox_in(tmp_path)
    ref = await inbox.stage(SHA, BODY)
    wrong = InboxFolder(document_id=ONE, container=ref, attachments=(("1.pdf", "attachments/9.pdf"),), files=())
    with pytest.raises(EdocError) as caught:
        await inbox.deliver(wrong)
    assert caught.value.code == "BAD_CONTAINER"
    assert list((tmp_path / "inbox").iterdir()) == []
    assert (tmp_path / "staging" / SHA).exists()


async def test_no_name_of_a_delivery_is_a_path(tmp_path: Path) -> None:
    inbox = inbox_in(tmp_path)
    ref = await inbox.stage(SHA, BODY)
    for name in ("../1.pdf", "a/b", "..", ""):
        folder = InboxFolder(document_id=ONE, container=ref, attachments=(), files=((name, b"x"),))
        with pytest.raises(EdocError) as caught:
            await inbox.deliver(folder)
        assert caught.value.code == "FILE_UNUSABLE"
    assert visible(tmp_path) == {}


async def test_staged_bytes_that_the_disk_changed_are_not_delivered(tmp_path: Path) -> None:
    inbox = inbox_in(tmp_path)
    ref = await inbox.stage(SHA, BODY)
    (tmp_path / "staging" / SHA).write_bytes(container_of(b"%PDF-1.7", b"phu lux"))
    with pytest.raises(EdocError) as caught:
        await inbox.deliver(inbox_folder(ONE, ref, 2))
    assert caught.value.code == "DISK_FAILING"
    assert visible(tmp_path) == {}


async def test_the_group_reads_what_is_delivered_and_nobody_else_does(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        inbox = inbox_in(tmp_path)
        await inbox.deliver(inbox_folder(ONE, await inbox.stage(SHA, BODY), 2))
    finally:
        os.umask(before)
    folder = tmp_path / "inbox" / ONE
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o640}
    assert {file.stat().st_nlink for file in folder.iterdir()} == {1}
    assert stat.S_IMODE((tmp_path / "staging").stat().st_mode) == 0o700


async def test_an_edxml_file_with_its_attachments_inline_is_written_when_wanted(tmp_path: Path) -> None:
    inbox = inbox_in(tmp_path)
    attachments = tuple(
        Attachment(number=n, name=f"cv {n}.pdf", media_type="application/pdf", size=8, sha256=Sha256("00" * 32))
        for n in (1, 2)
    )
    document = Document(
        document_id=ONE,
        sender=Party(organ_id=SENDER),
        recipients=(Party(organ_id=RECIPIENT),),
        code=Code(number="12", notation="UBND-VP"),
        subject="Về việc họp",
        place="Tây Ninh",
        promulgation_date=date(2026, 11, 22),
        type_name="Công văn",
        attachments=attachments,
    )
    folder = inbox_folder(ONE, await inbox.stage(SHA, BODY), 2)
    await inbox.deliver(
        InboxFolder(
            document_id=ONE,
            container=folder.container,
            attachments=folder.attachments,
            files=folder.files,
            edxml=document,
        )
    )
    written = (tmp_path / "inbox" / ONE / "document.edxml").read_bytes()
    assert b"JVBERi0xLjc=" in written


async def test_a_chunk_counts_only_once_its_length_is_written(tmp_path: Path) -> None:
    inbox = inbox_in(tmp_path)
    await inbox.stage_chunk(SHA, 0, bytes(CHUNK_BYTES))
    await inbox.stage_chunk(SHA, 2, b"end")
    # What a kill between the bytes and the length leaves:
    have = tmp_path / "staging" / f"{SHA}.parts" / "have"
    have.write_bytes(have.read_bytes()[:8])
    assert await inbox.chunks(SHA) == (None, frozenset({0}))


async def test_temporary_files_of_a_kill_are_swept_at_the_start(tmp_path: Path) -> None:
    inbox_in(tmp_path)
    (tmp_path / "staging" / ".0011223344556677.tmp").write_bytes(b"half")
    inbox_in(tmp_path)
    assert list((tmp_path / "staging").iterdir()) == []
