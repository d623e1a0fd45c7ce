"""The package: an ASiC-E container with XAdES (ETSI EN 319 162-1), written and read.

::

    mimetype                     first entry, stored, no extra field
    envelope.xml                 the sealed header and manifest
    attachments/<n>.<ext>        the files; names are ours, the shown name stands in the envelope
    META-INF/manifest.xml        must equal the entry list, is never trusted
    META-INF/signatures001.xml   the seal

Rules: what we write is a function of the contents alone (fixed time-stamps, fixed attributes, everything stored), so
the same entries give the same bytes; PDFs do not shrink, and stored entries can be sliced.  What we read may come
from anybody: the structure is checked by :mod:`edoc.envelopes.ziparchive`.

Does not verify the seal, and does not decide which entries there must be.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from lxml import etree

from edoc.envelopes import xml
from edoc.envelopes.text import shown
from edoc.envelopes.ziparchive import (
    CENTRAL,
    CENTRAL_SIGNATURE,
    END,
    END_SIGNATURE,
    FLAG_DESCRIPTOR,
    FLAG_UTF8,
    LOCAL,
    LOCAL_SIGNATURE,
    STORED,
    Archive,
    Limits,
    bad_container,
)
from edoc.envelopes.zipnames import check_names
from edoc.errors import EdocError
from edoc.errors.package import CONTAINER_TOO_LARGE

__all__ = [
    "ENVELOPE",
    "MANIFEST",
    "MEDIA_TYPE",
    "META_INF",
    "MIMETYPE",
    "SIGNATURES",
    "Container",
    "Limits",
    "attachment_entry",
    "check_manifest",
    "extension",
    "open_manifest",
    "write_container",
]

MIMETYPE = "mimetype"
ENVELOPE = "envelope.xml"
MANIFEST = "META-INF/manifest.xml"
SIGNATURES = "META-INF/signatures001.xml"
META_INF = "META-INF/"
MEDIA_TYPE = "application/vnd.etsi.asic-e+zip"

MAX_BYTES = 0xFFFFFFFE
MAX_MANIFEST = 1024 * 1024

_PIECE = 256 * 1024
_DAY = (1980 - 1980) << 9 | 1 << 5 | 1  # 1 January 1980: the epoch of ZIP, and no clue to anything
_VERSION = 20
_EXTENSION = re.compile(r"[a-z0-9]{1,8}", re.ASCII)


def extension(name: str) -> str:
    """Return the extension of `name` in lower case if it is 1 to 8 characters of [a-z0-9], else ``bin``."""
    stem, _, last = name.rpartition(".")
    found = last.lower()
    return found if stem and _EXTENSION.fullmatch(found) else "bin"


def attachment_entry(number: int, name: str) -> str:
    """Return the entry name of attachment `number`; of its own name only the extension is taken."""
    return f"attachments/{number}.{extension(name)}"


def write_container(target: BinaryIO, entries: Sequence[tuple[str, bytes | BinaryIO]]) -> None:
    """Write a container to `target` (positioned at its start, seekable); ``mimetype`` is added first.

    Streams are read to their end from where they stand.  EdocError CONTAINER_TOO_LARGE above 4 GiB or 65,534 entries,
    BAD_CONTAINER for names that no reader of ours would take.
    """
    check_names([MIMETYPE, *(name for name, _ in entries)])
    if len(entries) > 0xFFFE:
        raise EdocError(CONTAINER_TOO_LARGE, size=len(entries), limit=0xFFFE)
    directory = []
    for name, content in [(MIMETYPE, MEDIA_TYPE.encode()), *entries]:
        directory.append(_write_entry(target, name, content))
    start = target.tell()
    for record in directory:
        target.write(record)
    size = target.tell() - start
    _check_size(start + size)
    count = len(directory)
    target.write(END.pack(END_SIGNATURE, 0, 0, count, count, size, start, 0))


def open_manifest(entries: Sequence[tuple[str, str]]) -> bytes:
    """Return META-INF/manifest.xml for `entries` (name, media type): all outside META-INF but mimetype.

    OpenDocument 1.2 part 3, clause 4; the root entry ``/`` carries the container's media type.
    """
    root = etree.Element(f"{{{xml.MANIFEST_NS}}}manifest", nsmap={"manifest": xml.MANIFEST_NS})
    root.set(f"{{{xml.MANIFEST_NS}}}version", "1.2")
    for name, media_type in [("/", MEDIA_TYPE), *entries]:
        entry = etree.SubElement(root, f"{{{xml.MANIFEST_NS}}}file-entry")
        entry.set(f"{{{xml.MANIFEST_NS}}}full-path", name)
        entry.set(f"{{{xml.MANIFEST_NS}}}media-type", media_type)
    etree.indent(root)
    return xml.serialise(root)


class Container:
    """An open container whose structure holds."""

    __slots__ = ("_archive",)

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    @classmethod
    def open(cls, file: BinaryIO, limits: Limits = Limits()) -> Container:  # noqa: B008 -- a frozen value
        """Return the container in the seekable `file`.

        Raises EdocError BAD_CONTAINER for whatever two readers could understand differently, for what exceeds
        `limits`, and unless ``mimetype`` is as EN 319 162-1 Annex A.1 has it.
        """
        archive = Archive.open(file, limits)
        first = archive.entry(archive.names[0])
        plain = first.method == STORED and not first.has_extra and not first.flags & FLAG_DESCRIPTOR
        if first.name != MIMETYPE or not plain or archive.read(MIMETYPE, 100) != MEDIA_TYPE.encode():
            raise bad_container(
                f"mimetype is not the first entry, stored, with “{MEDIA_TYPE}”",
                f"mục đầu tiên phải là mimetype không nén, có nội dung “{MEDIA_TYPE}”",
            )
        return cls(archive)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all entries, in the order of the file."""
        return self._archive.names

    def size(self, name: str) -> int:
        """Return the size of the content of `name` in bytes; EdocError BAD_CONTAINER when there is no such entry."""
        return self._archive.entry(name).size

    def read(self, name: str, limit: int) -> bytes:
        """Return the content of `name`; EdocError BAD_CONTAINER when it is longer than `limit` bytes or damaged."""
        return self._archive.read(name, limit)

    def stream(self, name: str) -> Iterator[bytes]:
        """Yield the content of `name`; EdocError BAD_CONTAINER, at the latest at its end, when it is damaged."""
        return self._archive.stream(name)

    def slice(self, name: str) -> tuple[int, int] | None:
        """Return (offset, size) of the content of `name` in the file, None when it is deflated.

        Its CRC is not checked: whoever takes the slice compares a digest.
        """
        entry = self._archive.entry(name)
        return (entry.offset, entry.size) if entry.method == STORED else None


def check_manifest(container: Container) -> None:
    """Raise EdocError BAD_CONTAINER unless META-INF/manifest.xml lists the entries exactly.

    It is compared and never trusted: media types in it decide nothing.
    """
    root = xml.parse(container.read(MANIFEST, MAX_MANIFEST), limit=MAX_MANIFEST)
    listed = []
    for element in root:
        path = element.get(f"{{{xml.MANIFEST_NS}}}full-path")
        if element.tag != f"{{{xml.MANIFEST_NS}}}file-entry" or path is None:
            raise bad_container(f"“{shown(str(element.tag))}” in the manifest", "manifest.xml có phần tử lạ")
        listed.append(path)
    held = [name for name in container.names if name != MIMETYPE and not name.startswith(META_INF)]
    if root.tag != f"{{{xml.MANIFEST_NS}}}manifest" or sorted(listed) != sorted(["/", *held]):
        raise bad_container("manifest.xml and the entries differ", "manifest.xml không khớp với các mục trong gói")


def _write_entry(target: BinaryIO, name: str, content: bytes | BinaryIO) -> bytes:
    """Write one stored entry and return its record for the directory."""
    raw = name.encode()
    header = target.tell()
    data = header + LOCAL.size + len(raw)
    if isinstance(content, bytes):
        size, crc = len(content), zlib.crc32(content)
        target.write(_local(raw, crc, size) + raw)
        target.write(content)
    else:
        # Size and CRC are known at the end only: leave room and go back.  A data descriptor would do without, but
        # strict readers (and EN 319 162-1 for mimetype) like entries that say at their head what they are.
        target.write(bytes(LOCAL.size) + raw)
        size = crc = 0
        while piece := content.read(_PIECE):
            target.write(piece)
            size += len(piece)
            crc = zlib.crc32(piece, crc)
            _check_size(data + size)
        target.seek(header)
        target.write(_local(raw, crc, size))
        target.seek(data + size)
    _check_size(data + size)
    fixed = (CENTRAL_SIGNATURE, _VERSION, _VERSION, FLAG_UTF8, STORED, 0, _DAY, crc, size, size)
    return CENTRAL.pack(*fixed, len(raw), 0, 0, 0, 0, 0, header) + raw


def _local(raw: bytes, crc: int, size: int) -> bytes:
    return LOCAL.pack(LOCAL_SIGNATURE, _VERSION, FLAG_UTF8, STORED, 0, _DAY, crc, size, size, len(raw), 0)


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise EdocError(CONTAINER_TOO_LARGE, size=size, limit=MAX_BYTES)
