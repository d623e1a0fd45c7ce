from __future__ import annotations

import io
import zipfile

import pytest
from envelopes.containers import ENTRIES, GOOD, PDF, container, opened
from hypothesis import given
from hypothesis import strategies as st

from edoc.envelopes import asic
from edoc.envelopes.asic import check_manifest, open_manifest, write_container
from edoc.errors import EdocError

# --- Writing ---------------------------------------------------------------------------------------------------------


def test_a_container_reads_back_as_it_was_written() -> None:
    held = opened(GOOD)
    assert held.names == (asic.MIMETYPE, *(name for name, _ in ENTRIES))
    for name, content in ENTRIES:
        assert held.read(name, 10_000) == content == b"".join(held.stream(name))
        found = held.slice(name)
        assert found is not None
        offset, size = found
        assert GOOD[offset : offset + size] == content
        assert held.size(name) == size
    check_manifest(held)


def test_the_container_begins_as_the_standard_wants_it() -> None:
    # EN 319 162-1, Annex A.1: “mimetype” at octet 30, its content at octet 38.
    assert GOOD[:4] == b"PK\x03\x04"
    assert GOOD[30:69] == b"mimetypeapplication/vnd.etsi.asic-e+zip"
    assert GOOD[8:10] == b"\0\0"


def test_the_same_entries_give_the_same_bytes_from_memory_and_from_streams() -> None:
    target = io.BytesIO()
    write_container(target, [(name, io.BytesIO(content)) for name, content in ENTRIES])
    assert target.getvalue() == GOOD


def test_another_program_reads_the_container() -> None:
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        assert archive.testzip() is None
        assert archive.read("attachments/1.pdf") == PDF
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


@given(
    st.lists(
        st.tuples(st.integers(1, 999), st.text(max_size=20), st.binary(max_size=2000)),
        max_size=5,
        unique_by=lambda each: each[0],
    )
)
def test_any_contents_survive(files: list[tuple[int, str, bytes]]) -> None:
    entries = [(asic.attachment_entry(number, name), content) for number, name, content in files]
    held = opened(container(entries))
    assert [(name, held.read(name, 2000)) for name in held.names[1:]] == entries


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("Công văn.PDF", "attachments/1.pdf"),
        ("a.tar.gz", "attachments/1.gz"),
        ("no extension", "attachments/1.bin"),
        (".pdf", "attachments/1.bin"),
        ("a.pdf/../../x", "attachments/1.bin"),
        ("a.p df", "attachments/1.bin"),
        ("a.phụlục", "attachments/1.bin"),
        ("a.123456789", "attachments/1.bin"),
        ("a.pdf\n", "attachments/1.bin"),
        ("", "attachments/1.bin"),
    ],
)
def test_an_entry_takes_only_a_harmless_extension_of_the_name(name: str, entry: str) -> None:
    assert asic.attachment_entry(1, name) == entry


def test_names_that_no_reader_would_take_are_not_written() -> None:
    for name in ("../x", "mimetype", "MIMETYPE", "a//b"):
        with pytest.raises(EdocError):
            container([(name, b"")])


# --- The OpenDocument manifest ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "listed",
    [
        [(asic.ENVELOPE, "text/xml")],
        [(asic.ENVELOPE, "text/xml"), ("attachments/1.pdf", "application/pdf"), ("attachments/2.pdf", "")],
        [(asic.ENVELOPE, "text/xml"), ("attachments/1.pdf", ""), ("attachments/1.pdf", "")],
        [(asic.ENVELOPE, "text/xml"), ("Attachments/1.pdf", "")],
    ],
)
def test_a_manifest_that_differs_from_the_entries_is_refused(listed: list[tuple[str, str]]) -> None:
    entries = [(name, content) for name, content in ENTRIES if name != asic.MANIFEST]
    with pytest.raises(EdocError) as caught:
        check_manifest(opened(container([*entries, (asic.MANIFEST, open_manifest(listed))])))
    assert caught.value.code == "BAD_CONTAINER"


@pytest.mark.parametrize("content", [b"<manifest/>", b"<a", b""])
def test_a_manifest_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(EdocError):
        check_manifest(opened(container([(asic.MANIFEST, content)])))


def test_a_container_without_a_manifest_is_refused() -> None:
    with pytest.raises(EdocError):
        check_manifest(opened(container([])))
