"""`.edxml` files: an edXML message with its files inline, as today's systems write and read it.

Rules: ``ContentId`` is compared without ``cid:``; base64 may be broken into lines; a single-entry ZIP under the name
of another type (ContentType application/zip, AttachmentName “x.doc”) is what the field does to most files, and is
unpacked within a bound.  What we write is never packed that way: a reader that unpacks application/zip takes the
rest as it is.

Does not seal anything: the header of such a file is a job's description.
"""

from __future__ import annotations

import binascii
import io
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lxml import etree

from edoc.envelopes import xml
from edoc.envelopes.asic import Limits, extension
from edoc.envelopes.edxml_block import Block
from edoc.envelopes.edxml_read import Levels, parse_message, read_claimed_sender, read_document, read_manifest
from edoc.envelopes.edxml_write import add, content_id, tag, write_message
from edoc.envelopes.text import shown
from edoc.envelopes.ziparchive import Archive
from edoc.errors import EdocError
from edoc.errors.package import ATTACHMENT_UNREADABLE, BAD_CONTAINER
from edoc.model.document import AttachmentRole, DeclaredFile, Document, Party, Submission
from edoc.model.identifiers import DocumentId

MAX_INLINE = 256 * 1024 * 1024
"""Bytes of an `.edxml` file: about 190 MB of files."""

UNPACKED = Limits(entries=2, total_bytes=256 * 1024 * 1024, ratio=1000)
"""Bounds of what is packed in one file, together; spreadsheets of zeros do reach high ratios."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inline:
    content_id: str
    name: str
    description: str
    media_type: str
    encoded: str


def read_inline(
    data: bytes, document_id: DocumentId, office: Party
) -> tuple[Submission, tuple[tuple[str, bytes], ...]]:
    """Return the job that an `.edxml` file is, and its files as (DeclaredFile.file, content).

    ``DeclaredFile.file`` is a name of ours (``attachment-<n>.<ext>``), because names in a message may collide.  Sender
    and errors as in ``read_header``, and EdocError ATTACHMENT_UNREADABLE.
    """
    root = parse_message(data, limit=MAX_INLINE, long_text=True)
    levels = Levels(root)
    document = read_document(levels, document_id, office)
    sender = read_claimed_sender(levels)
    inline = _attachments(root)
    present = {each.content_id for each in inline}
    for number, reference in enumerate(read_manifest(levels), start=1):
        if _bare(reference.content_id) not in present:
            raise _unreadable(number, reference.name, "its content is not in the file", "không có nội dung trong tệp")
    document = replace(document, unknown=levels.unknown())
    files: list[DeclaredFile] = []
    contents: list[tuple[str, bytes]] = []
    room = UNPACKED
    for number, each in enumerate(inline, start=1):
        name = f"attachment-{number}.{extension(each.name)}"
        role = AttachmentRole.RELATED if files else AttachmentRole.MAIN
        files.append(DeclaredFile(file=name, name=each.name, role=role, description=each.description))
        content = _content(number, each, room)
        room = replace(room, total_bytes=max(room.total_bytes - len(content), 0))
        contents.append((name, content))
    return Submission(document=document, files=tuple(files), claimed_sender=sender), tuple(contents)


def write_inline(document: Document, files: Sequence[bytes]) -> bytes:
    """Return `document` as an `.edxml` file with `files`, the contents of its attachments in order.

    Our own sealed part is left out: nothing seals this form.  Raises EdocError TEXT_NOT_XML.
    """
    root, _ = write_message(document)
    encoded = etree.SubElement(root, tag("AttachmentEncoded")) if files else root
    for attachment, content in zip(document.attachments, files, strict=True):
        block = add(encoded, "Attachment")
        add(block, "ContentId", content_id(attachment))
        add(block, "AttachmentName", attachment.name)
        add(block, "Description", attachment.description)
        add(block, "ContentType", attachment.media_type)
        element = etree.SubElement(block, tag("ContentTransferEncoded"), nsmap={"edXML": xml.EDXML})
        element.text = b64encode(content).decode()
    return xml.serialise(root)


def _attachments(root: etree._Element) -> list[_Inline]:
    # A register of its own: what else stands beside the contents is about this encoding and not of the header.
    outer = Block(root, "edXML", [])
    return [
        _Inline(
            content_id=_bare(block.token("ContentId")),
            name=block.required("AttachmentName"),
            description=block.text("Description"),
            media_type=block.token("ContentType").lower(),
            encoded=block.present("ContentTransferEncoded"),
        )
        for block in outer.block("AttachmentEncoded").blocks("Attachment")
    ]


def _bare(text: str) -> str:
    return text[4:] if text[:4].lower() == "cid:" else text


def _content(number: int, inline: _Inline, room: Limits) -> bytes:
    try:
        content = binascii.a2b_base64("".join(inline.encoded.split()), strict_mode=True)
    except ValueError as error:  # binascii.Error, or a character outside ASCII
        raise _unreadable(number, inline.name, "its base64 is damaged", "mã base64 bị hỏng", error) from error
    if inline.media_type == "application/zip" and extension(inline.name) != "zip" and content[:4] == b"PK\x03\x04":
        return _unpacked(number, inline.name, content, room)
    return content


def _unpacked(number: int, name: str, content: bytes, room: Limits) -> bytes:
    if not _single(content):
        return content  # a .docx that was sent as the ZIP it is
    try:
        archive = Archive.open(io.BytesIO(content), room)
        return archive.read(archive.names[0], room.total_bytes)
    except EdocError as error:
        if error.fault is not BAD_CONTAINER:
            raise
        raise _unreadable(number, name, "its ZIP is damaged", "tệp ZIP bị hỏng", error) from error


def _single(content: bytes) -> bool:
    # "PK\5\6", two disk numbers, entries on this disk, entries in all: the end record says how many there are.
    end = content.rfind(b"PK\x05\x06")
    return end >= 0 and content[end + 8 : end + 12] == b"\x01\x00\x01\x00"


def _unreadable(number: int, name: str, detail: str, detail_vi: str, cause: object = "") -> EdocError:
    return EdocError(
        ATTACHMENT_UNREADABLE, number=number, name=shown(name), detail=detail, detail_vi=detail_vi, cause=str(cause)
    )
