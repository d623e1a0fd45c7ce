from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
from envelopes.containers import GOOD, container, contents, foreign, opened, refused
from hypothesis import given
from hypothesis import strategies as st

from edoc.envelopes import asic
from edoc.envelopes.asic import Container, Limits
from edoc.errors import EdocError

# --- Reading what others wrote ---------------------------------------------------------------------------------------


def test_a_deflated_container_of_another_program_is_read() -> None:
    content = b"abc" * 100_000
    data = foreign(("attachments/văn bản.xml", content), ("b", b""))
    held = opened(data, Limits(ratio=2000))
    assert held.read("attachments/văn bản.xml", 10**6) == content
    assert held.read("b", 0) == b""
    assert held.slice("attachments/văn bản.xml") is None


class Unseekable(io.RawIOBase):
    """A target that makes zipfile write data descriptors."""

    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        assert isinstance(data, bytes | bytearray | memoryview)
        self.written += data
        return len(data)


def described(method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a container with a data descriptor after its second entry."""
    target = Unseekable()
    with zipfile.ZipFile(target, "w", method) as archive:
        archive.writestr("a", b"content")
    tail = bytes(target.written)
    head = foreign()[: 30 + 8 + 31]
    return joined(head, tail)


def joined(head: bytes, tail: bytes) -> bytes:
    """Put the stored mimetype entry `head` before the archive `tail` and mend the directory."""
    end = tail.rindex(b"PK\x05\x06")
    count, _, start = struct.unpack_from("<HII", tail, end + 10)
    directory = bytearray(tail[start:end])
    position = 0
    while position < len(directory):
        (offset,) = struct.unpack_from("<I", directory, position + 42)
        struct.pack_into("<I", directory, position + 42, offset + len(head))
        lengths = struct.unpack_from("<3H", directory, position + 28)
        position += 46 + sum(lengths)
    own = foreign()
    own_end = own.rindex(b"PK\x05\x06")
    (own_start,) = struct.unpack_from("<I", own, own_end + 16)
    both = own[own_start:own_end] + bytes(directory)
    record = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count + 1, count + 1, len(both), start + len(head), 0)
    return head + tail[:start] + both + record


def test_a_data_descriptor_is_allowed_when_it_is_consistent() -> None:
    data = described()
    assert opened(data).read("a", 100) == b"content"
    at = data.index(b"PK\x07\x08")
    assert opened_after_cut(data, at).read("a", 100) == b"content"
    for index in range(at, at + 16):
        changed = bytearray(data)
        changed[index] ^= 1
        refused(bytes(changed))


def opened_after_cut(data: bytes, at: int) -> Container:
    """Open `data` without the optional signature of the descriptor at `at`."""
    end = data.rindex(b"PK\x05\x06")
    (start,) = struct.unpack_from("<I", data, end + 16)
    cut = bytearray(data[:at] + data[at + 4 :])
    struct.pack_into("<I", cut, end - 4 + 16, start - 4)
    return opened(bytes(cut))


# --- Attacks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a/../../x",
        "/etc/passwd",
        "a\\b",
        "C:x",
        "a//b",
        "a/",
        "./a",
        "a\u202efdp.exe",
        "a\u200bb",
        "a\x1b[2J",
        "a\nb",
        "a.",
        "a ",
        "x" * 256,
    ],
)
def test_an_unsafe_name_is_refused(name: str) -> None:
    assert "name" in refused(foreign((name, b"x"), method=zipfile.ZIP_STORED))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Envelope.xml", "envelope.XML"),
        ("văn.xml", "va\u0306n.xml"),
        ("ß", "SS"),
        ("a", "a/b"),
        ("A/c", "a"),
        ("ﬁle", "file"),
    ],
)
def test_names_that_one_could_take_for_each_other_are_refused(first: str, second: str) -> None:
    refused(foreign((first, b"1"), (second, b"2")))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_name_twice_is_refused() -> None:
    assert "twice" in refused(foreign(("a", b"1"), ("a", b"2")))


def test_a_name_that_is_not_utf8_is_refused() -> None:
    data = foreign(("aaaa", b"1"))
    assert "not UTF-8" in refused(data.replace(b"aaaa", b"a\xff\xfea"))
    flagged = foreign(("văn", b"1"))
    assert "not UTF-8" in refused(flagged.replace("văn".encode(), b"v\xff\xffn"))


def test_mimetype_must_be_first_stored_and_exact() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a", b"1")
        archive.writestr(asic.MIMETYPE, asic.MEDIA_TYPE)
    assert "mimetype" in refused(target.getvalue())
    for content, method in [(asic.MEDIA_TYPE, 8), (asic.MEDIA_TYPE + "\n", 0), ("application/zip", 0)]:
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", method) as archive:
            archive.writestr(asic.MIMETYPE, content)
        assert "mimetype" in refused(target.getvalue())


def test_mimetype_with_an_extra_field_is_refused() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        info = zipfile.ZipInfo(asic.MIMETYPE)
        info.extra = b"UT\x01\x00\x00"
        archive.writestr(info, asic.MEDIA_TYPE)
    assert "mimetype" in refused(target.getvalue())


def test_bytes_before_after_and_between_are_refused() -> None:
    for data in (b"#!/bin/sh\n" + GOOD, GOOD + b"\n", GOOD[:-2] + b"\x01\0c", GOOD[:-1]):
        refused(data)
    # A gap that the directory agrees to: shift everything behind the second entry.
    head = foreign()[: 30 + 8 + 31]
    gapped = joined(head + b"PK!!", _alone("a", b"1"))
    assert "between" in refused(gapped)


def _alone(name: str, content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), content)
    return target.getvalue()


def test_overlapping_entries_are_refused() -> None:
    data = bytearray(foreign(("a", b"1"), ("b", b"1"), method=zipfile.ZIP_STORED))
    second = data.rindex(b"PK\x01\x02")
    first = data.rindex(b"PK\x01\x02", 0, second)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    refused(bytes(data))


def test_every_octet_of_structure_counts() -> None:
    """Whatever single octet outside contents is changed, the container is refused or reads the same."""
    data = foreign(("a", b"12345"), ("b", b"abc"), method=zipfile.ZIP_STORED)
    same = contents(data)
    assert same is not None
    for index in range(len(data)):
        for bit in (1, 8, 128):
            changed = bytearray(data)
            changed[index] ^= bit
            # Versions, attributes of people's taste: then neither names nor contents may have changed.
            assert contents(bytes(changed)) in (None, same)


@pytest.mark.parametrize(
    ("offset_local", "offset_central", "value"),
    [
        (6, 8, 0x0001),  # encrypted
        (6, 8, 0x0040),  # strong encryption
        (6, 8, 0x2000),  # masked headers
        (8, 10, 12),  # bzip2
        (8, 10, 93),  # zstandard
    ],
)
def test_encryption_and_strange_methods_are_refused(offset_local: int, offset_central: int, value: int) -> None:
    data = bytearray(foreign(("a", b"1"), method=zipfile.ZIP_STORED))
    local, central = data.rindex(b"PK\x03\x04"), data.rindex(b"PK\x01\x02")
    struct.pack_into("<H", data, local + offset_local, value)
    struct.pack_into("<H", data, central + offset_central, value)
    refused(bytes(data))


def test_links_folders_comments_and_second_names_are_refused() -> None:
    def link(info: zipfile.ZipInfo) -> None:
        info.create_system, info.external_attr = 3, 0o120777 << 16

    def comment(info: zipfile.ZipInfo) -> None:
        info.comment = b"c"

    def unicode_path(info: zipfile.ZipInfo) -> None:
        info.extra = struct.pack("<2HBI", 0x7075, 6, 1, zlib.crc32(b"a")) + b"b"

    def cut_off(info: zipfile.ZipInfo) -> None:
        info.extra = b"UT\x09\x00\x01"

    for change in (link, comment, unicode_path, cut_off):
        refused(foreign(("a", b"/etc/passwd"), change=change))


def test_zip64_is_refused() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(asic.MIMETYPE, asic.MEDIA_TYPE)
        with archive.open("a", "w", force_zip64=True) as entry:
            entry.write(b"1")
    refused(target.getvalue())


def test_a_zip_bomb_is_refused_before_it_is_inflated() -> None:
    bomb = foreign(("a", bytes(10_000_000)))
    assert "packed over" in refused(bomb)
    assert "bytes unpacked" in refused(bomb, Limits(ratio=10_000, total_bytes=1_000_000))


def test_a_bomb_that_lies_about_its_size_stops_at_the_lie() -> None:
    content = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = content.compress(bytes(50_000_000)) + content.flush()
    data = bytearray(foreign(("a", b"x" * len(packed)), method=zipfile.ZIP_STORED))
    local, central = data.rindex(b"PK\x03\x04"), data.rindex(b"PK\x01\x02")
    for at in (local + 8, central + 10):
        struct.pack_into("<H", data, at, 8)
    data[local + 31 : local + 31 + len(packed)] = packed
    held = opened(bytes(data))
    pieces: list[bytes] = []
    with pytest.raises(EdocError):
        pieces.extend(held.stream("a"))
    assert len(b"".join(pieces)) <= len(packed)


def test_damaged_and_trailing_deflated_data_is_refused() -> None:
    data = foreign(("a", b"some text, some text, some text"))
    local, central = data.rindex(b"PK\x03\x04"), data.rindex(b"PK\x01\x02")
    for index in range(local + 31, central):
        changed = bytearray(data)
        changed[index] ^= 0x55
        assert contents(bytes(changed)) in (None, contents(data))  # the last octet's padding bits mean nothing


@pytest.mark.parametrize("more", [b"\0", b"PK", bytes(300_000)])
def test_bytes_behind_the_end_of_deflated_data_are_refused(more: bytes) -> None:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflater.compress(b"some text") + deflater.flush() + more
    data = bytearray(foreign(("a", packed), method=zipfile.ZIP_STORED))
    local, central = data.rindex(b"PK\x03\x04"), data.rindex(b"PK\x01\x02")
    for at, method in ((local + 14, local + 8), (central + 16, central + 10)):
        struct.pack_into("<H", data, method, 8)
        struct.pack_into("<3I", data, at, zlib.crc32(b"some text"), len(packed), 9)
    assert "deflated" in refused(bytes(data))


def test_too_many_entries_are_refused() -> None:
    many = container([(f"attachments/{number}.bin", b"") for number in range(1_001)])
    assert "entries" in refused(many)
    assert len(opened(many, Limits(entries=2_000)).names) == 1_002


def test_a_content_longer_than_its_reader_wants_is_refused() -> None:
    with pytest.raises(EdocError):
        opened(GOOD).read(asic.ENVELOPE, 5)
    with pytest.raises(EdocError):
        opened(GOOD).size("nothing")


def test_a_changed_content_is_found_by_its_crc() -> None:
    assert "damaged" in refused(GOOD.replace(b"%PDF", b"%pdf"))


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_but_an_edoc_error(data: bytes) -> None:
    for each in (data, GOOD[:200] + data + GOOD[200:], GOOD[: -len(data) or None] + data):
        contents(each)
