"""A strict reader for ZIP files (APPNOTE 6.3), for files that somebody else wrote.

Two programs that read one ZIP differently see two documents under one seal.  So only files are read that can be
read in one way: local headers, contents and data descriptors, the central directory and its end record cover every
byte exactly once, in one order, and say the same thing.

Rules: names are UTF-8 and a single safe relative path; no two names are equal when case and composition are ignored;
no encryption, no links, no folders, no second disk, no comments, no preamble or trailer; sizes are bounded before
anything is inflated.  Zip64 is absent on purpose: what needs it is beyond every bound of the exchange.

Does not know ASiC: :mod:`edoc.envelopes.asic` does.  Writes nothing.
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from edoc.envelopes.text import shown
from edoc.envelopes.zipnames import check_names, decode_name
from edoc.errors import EdocError
from edoc.errors.package import BAD_CONTAINER

LOCAL = struct.Struct("<4s5H3I2H")
CENTRAL = struct.Struct("<4s6H3I5H2I")
END = struct.Struct("<4s4H2IH")
LOCAL_SIGNATURE, CENTRAL_SIGNATURE, END_SIGNATURE = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
DESCRIPTOR_SIGNATURE = b"PK\x07\x08"
STORED, DEFLATED = 0, 8
FLAG_DESCRIPTOR, FLAG_UTF8 = 0x0008, 0x0800

_FLAGS_ALLOWED = FLAG_DESCRIPTOR | FLAG_UTF8 | 0x0006  # bits 1 and 2: how hard the deflater tried
# Extra fields that change what an entry is: zip64 sizes, Unicode path and comment (a second name), AES.
_EXTRA_FORBIDDEN = frozenset({0x0001, 0x7075, 0x6375, 0x9901, 0x0017})
_PIECE = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one archive: entries, bytes of all contents together, inflated bytes per packed byte."""

    entries: int = 1_000
    total_bytes: int = 1024 * 1024 * 1024
    ratio: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file in the archive; `offset` is where its (packed) content begins."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    has_extra: bool


@dataclass(frozen=True, slots=True)
class _Central:
    """One record of the central directory; `common` is what the local header must repeat."""

    raw_name: bytes
    flags: int
    method: int
    common: tuple[int, ...]  # method, time, date
    crc: int
    packed: int
    size: int
    header: int
    has_extra: bool


def bad_container(detail: str, detail_vi: str, cause: object = "") -> EdocError:
    """Return the error BAD_CONTAINER."""
    return EdocError(BAD_CONTAINER, detail=detail, detail_vi=detail_vi, cause=str(cause))


class Archive:
    """An open archive whose structure holds; contents are checked (length, CRC) while they are read."""

    __slots__ = ("_entries", "_file")

    def __init__(self, file: BinaryIO, entries: tuple[Entry, ...]) -> None:
        self._file = file
        self._entries = {entry.name: entry for entry in entries}

    @classmethod
    def open(cls, file: BinaryIO, limits: Limits) -> Archive:
        """Return the archive in the seekable `file`; EdocError BAD_CONTAINER unless it reads in one way only."""
        end, directory, count = _read_end(file, limits)
        central = _read_directory(_exactly(file, directory, end - directory), count)
        _check_bounds(central, limits)
        names = tuple(decode_name(each.raw_name, bool(each.flags & FLAG_UTF8)) for each in central)
        check_names(names)
        if central[0].header != 0:
            raise bad_container("bytes before the first entry", "có dữ liệu thừa ở đầu tệp")
        # Each entry has to fill the room up to the next one, so together they cover all up to the directory.
        ends = [*(each.header for each in central[1:]), directory]
        entries = (_read_entry(file, *one) for one in zip(names, central, ends, strict=True))
        return cls(file, tuple(entries))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all entries, in the order of the file."""
        return tuple(self._entries)

    def entry(self, name: str) -> Entry:
        """Return the entry `name`; EdocError BAD_CONTAINER when there is none."""
        if name not in self._entries:
            raise bad_container(f"no entry “{shown(name)}”", f"không có mục “{shown(name)}”")
        return self._entries[name]

    def read(self, name: str, limit: int) -> bytes:
        """Return the content of `name`; EdocError BAD_CONTAINER when it is longer than `limit` bytes or damaged."""
        if self.entry(name).size > limit:
            raise bad_container(
                f"“{shown(name)}” is longer than {limit} bytes", f"“{shown(name)}” dài hơn {limit} byte"
            )
        return b"".join(self.stream(name))

    def stream(self, name: str) -> Iterator[bytes]:
        """Yield the content of `name` in pieces; EdocError BAD_CONTAINER at the end when length or CRC are wrong."""
        entry = self.entry(name)
        size = crc = 0
        for piece in self._packed(entry) if entry.method == STORED else self._inflated(entry):
            size += len(piece)
            crc = zlib.crc32(piece, crc)
            if size > entry.size:
                break
            yield piece
        if (size, crc) != (entry.size, entry.crc):
            raise bad_container(f"“{shown(name)}” is damaged", f"mục “{shown(name)}” bị hỏng")

    def _packed(self, entry: Entry) -> Iterator[bytes]:
        position, end = entry.offset, entry.offset + entry.packed
        while position < end:
            # Seek each time: two entries may be read in turns from one file.
            piece = _exactly(self._file, position, min(_PIECE, end - position))
            yield piece
            position += len(piece)

    def _inflated(self, entry: Entry) -> Iterator[bytes]:
        inflater = zlib.decompressobj(-15)
        try:
            for packed in self._packed(entry):
                if inflater.eof:
                    raise bad_container("bytes after deflated data", "có dữ liệu thừa sau phần nén")
                piece = inflater.decompress(packed, _PIECE)
                yield piece
                while inflater.unconsumed_tail:
                    yield inflater.decompress(inflater.unconsumed_tail, _PIECE)
            while not inflater.eof and (piece := inflater.decompress(b"", _PIECE)):
                yield piece
        except zlib.error as error:
            raise bad_container("damaged deflated data", "dữ liệu nén bị hỏng", error) from error
        if not inflater.eof or inflater.unused_data:
            raise bad_container("deflated data does not end where it should", "phần nén không kết thúc đúng chỗ")


def _exactly(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    data = file.read(size)
    if len(data) != size:
        raise bad_container("it is cut off", "tệp bị cắt cụt")
    return data


def _read_end(file: BinaryIO, limits: Limits) -> tuple[int, int, int]:
    """Return the offsets of the end record and of the directory, and the number of entries (APPNOTE 4.3.16)."""
    end = file.seek(0, 2) - END.size
    if end < 0:
        raise bad_container("it is no ZIP", "không phải tệp ZIP")
    record = END.unpack(_exactly(file, end, END.size))
    signature, disk, first_disk, here, count, size, directory, comment = record
    if signature != END_SIGNATURE or comment:
        raise bad_container(
            "no ZIP, or bytes or a comment at its end", "không phải ZIP, hoặc có dữ liệu thừa ở cuối tệp"
        )
    if disk or first_disk or here != count:
        raise bad_container("it spans several disks", "gói chia thành nhiều đĩa")
    if not 0 < count <= limits.entries:
        raise bad_container(
            f"{count} entries; 1 to {limits.entries} allowed", f"{count} mục; cho phép tối đa {limits.entries}"
        )
    # Also refuses zip64: its records stand between the directory and the end record.
    if directory + size != end or not CENTRAL.size <= size // count <= CENTRAL.size + 2048:
        raise bad_container("the directory is not where it should be", "danh mục không nằm đúng vị trí")
    return end, directory, count


def _read_directory(data: bytes, count: int) -> list[_Central]:
    found = []
    position = 0
    for _ in range(count):
        if position + CENTRAL.size > len(data):
            raise bad_container("the directory is cut off", "danh mục bị cắt cụt")
        fields = CENTRAL.unpack_from(data, position)
        (signature, made_by, _, flags, method, time, day, crc, packed, size, *lengths) = fields
        name_length, extra_length, comment_length, disk, _, attributes, header = lengths
        start = position + CENTRAL.size
        middle, position = start + name_length, start + name_length + extra_length
        if signature != CENTRAL_SIGNATURE or position > len(data):
            raise bad_container("the directory is damaged", "danh mục bị hỏng")
        if comment_length or disk:
            raise bad_container("an entry with a comment or on another disk", "có mục kèm ghi chú hoặc nằm ở đĩa khác")
        _check_kind(flags, method, packed, size)
        _check_no_link(made_by, attributes)
        _check_extra(data[middle:position])
        found.append(
            _Central(
                data[start:middle], flags, method, (method, time, day), crc, packed, size, header, bool(extra_length)
            )
        )
    if position != len(data):
        raise bad_container("bytes inside the directory", "có dữ liệu thừa trong danh mục")
    return found


def _check_kind(flags: int, method: int, packed: int, size: int) -> None:
    if flags & ~_FLAGS_ALLOWED:
        raise bad_container("an encrypted or patched entry", "có mục mã hóa hoặc cờ không được phép")
    if method not in {STORED, DEFLATED}:
        raise bad_container(f"packing method {method}", f"phương pháp nén {method} không được phép")
    if method == STORED and packed != size:
        raise bad_container("a stored entry with two sizes", "mục không nén có hai kích thước khác nhau")


def _check_no_link(made_by: int, attributes: int) -> None:
    kind = stat.S_IFMT(attributes >> 16)
    if made_by >> 8 == 3 and kind not in {0, stat.S_IFREG}:
        raise bad_container("an entry that is no regular file", "có mục không phải tệp thường")


def _check_extra(extra: bytes) -> None:
    position = 0
    while position < len(extra):
        if position + 4 > len(extra):
            raise bad_container("a damaged extra field", "trường mở rộng bị hỏng")
        kind, length = struct.unpack_from("<2H", extra, position)
        position += 4 + length
        if kind in _EXTRA_FORBIDDEN or position > len(extra):
            raise bad_container(f"extra field {kind:#06x}", f"trường mở rộng {kind:#06x} không được phép")


def _check_bounds(central: list[_Central], limits: Limits) -> None:
    total = sum(each.size for each in central)
    if total > limits.total_bytes:
        raise bad_container(
            f"{total} bytes unpacked; {limits.total_bytes} allowed",
            f"dung lượng sau giải nén {total} byte vượt giới hạn {limits.total_bytes}",
        )
    for each in central:
        if each.method == DEFLATED and each.size > limits.ratio * max(each.packed, 1) + 1024:
            raise bad_container(f"an entry packed over {limits.ratio}:1", f"có mục nén quá tỷ lệ {limits.ratio}:1")


def _read_entry(file: BinaryIO, name: str, central: _Central, following: int) -> Entry:
    """Compare the local header with the directory and account for every byte up to `following` (APPNOTE 4.3.7)."""
    if central.header + LOCAL.size > following:
        raise bad_container("entries overlap", "các mục chồng lấn nhau")
    fields = LOCAL.unpack(_exactly(file, central.header, LOCAL.size))
    signature, _, flags, method, time, day, crc, packed, size, name_length, extra_length = fields
    offset = central.header + LOCAL.size + name_length + extra_length
    if signature != LOCAL_SIGNATURE or offset > following:
        raise bad_container("no local header where one should be", "thiếu phần đầu của một mục")
    rest = _exactly(file, central.header + LOCAL.size, name_length + extra_length)
    _check_extra(rest[name_length:])
    sizes, known = (crc, packed, size), (central.crc, central.packed, central.size)
    later = bool(central.flags & FLAG_DESCRIPTOR)
    same = rest[:name_length] == central.raw_name and (flags, method, time, day) == (central.flags, *central.common)
    # With a data descriptor the local header may leave the sizes open, all three of them.
    if not same or (sizes != known and not (later and sizes == (0, 0, 0))):
        raise bad_container(
            f"two descriptions of “{shown(name)}” differ", f"hai mô tả của mục “{shown(name)}” khác nhau"
        )
    end = offset + central.packed
    if end > following:
        raise bad_container("entries overlap", "các mục chồng lấn nhau")
    _check_gap(_exactly(file, end, min(following - end, 17)), known if later else None)
    return Entry(
        name=name,
        flags=flags,
        method=method,
        crc=central.crc,
        packed=central.packed,
        size=central.size,
        offset=offset,
        has_extra=central.has_extra or extra_length > 0,
    )


def _check_gap(gap: bytes, known: tuple[int, int, int] | None) -> None:
    """Refuse anything between two entries but the data descriptor that was announced (APPNOTE 4.3.9)."""
    plain = struct.pack("<3I", *known) if known else b""
    if gap != plain and not (known and gap == DESCRIPTOR_SIGNATURE + plain):
        raise bad_container("bytes between entries", "có dữ liệu thừa giữa các mục")
