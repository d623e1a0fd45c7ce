"""The store on folders: what the contract does not say."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from fakes.records import document_id

from edoc.adapters.store_fs import FsStore
from edoc.errors import EdocError
from edoc.model.identifiers import FileRef

ONE = document_id(1)


@pytest.fixture
def store(tmp_path: Path) -> FsStore:
    made = FsStore(tmp_path / "state")
    made.prepare()
    return made


async def test_names_on_disk_are_ids(store: FsStore, tmp_path: Path) -> None:
    put = await store.put(ONE, "receipt.xml", b"x")
    package = await store.seal_package(ONE, [("envelope.xml", b"<edXML/>")])
    assert store.scratch(ONE, "1.pdf") == str(tmp_path / "state/work" / ONE / "1.pdf")
    assert put.ref == str(tmp_path / "state/packages" / f"{ONE}.receipt.xml")
    assert package.ref == str(tmp_path / "state/packages" / f"{ONE}.asice")


async def test_what_is_ours_is_ours_alone(store: FsStore, tmp_path: Path) -> None:
    await store.put(ONE, "1.pdf", b"x")
    await store.seal_package(ONE, [("envelope.xml", b"<edXML/>")])
    for path in (tmp_path / "state").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


async def test_a_package_that_cannot_be_written_leaves_nothing(store: FsStore, tmp_path: Path) -> None:
    cases: list[tuple[list[tuple[str, bytes | FileRef]], str]] = [
        ([("envelope.xml", b"<edXML/>"), ("attachments/1.pdf", FileRef(str(tmp_path / "none")))], "FILE_MISSING"),
        ([("envelope.xml", b"<edXML/>"), ("../1.pdf", b"x")], "BAD_CONTAINER"),
    ]
    for entries, code in cases:
        with pytest.raises(EdocError) as caught:
            await store.seal_package(ONE, entries)
        assert caught.value.code == code
        assert list((tmp_path / "state/packages").iterdir()) == []


async def test_a_symlink_is_not_read(store: FsStore) -> None:
    ref = store.scratch(ONE, "1.pdf")
    Path(ref).symlink_to("/etc/passwd")  # noqa: ASYNC240 -- a test may block
    with pytest.raises(EdocError) as caught:
        await store.read(ref)
    assert caught.value.code == "FILE_UNUSABLE"


def test_a_scratch_name_is_no_path(store: FsStore) -> None:
    with pytest.raises(EdocError) as caught:
        store.scratch(ONE, "../x")
    assert caught.value.code == "FILE_UNUSABLE"


def test_the_free_space_counts_bytes_and_inodes(store: FsStore) -> None:
    space, inodes = store.free()
    assert space > 0
    assert inodes > 0


def test_packages_that_a_kill_left_half_written_are_swept_at_the_start(store: FsStore, tmp_path: Path) -> None:
    (tmp_path / "state/packages/.0011223344556677.tmp").write_bytes(b"half")
    store.prepare()
    assert list((tmp_path / "state/packages").iterdir()) == []
