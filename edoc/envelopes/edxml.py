"""edXML (QCVN 102:2016) to the model and back: the sealed envelope of a container, and a job's header.

``write_envelope`` and ``read_envelope`` are each other's inverse.  The envelope holds the whole header, the manifest
and our own sealed part, and never file contents.  `.edxml` files with contents inline: ``read_inline``,
``write_inline``.

Rules: strict about what is ours, tolerant about what is edXML's.  Does not verify signatures.
"""

from __future__ import annotations

from dataclasses import replace

from edoc.envelopes import xml
from edoc.envelopes.edxml_inline import read_inline, write_inline
from edoc.envelopes.edxml_read import (
    Levels,
    ManifestReference,
    parse_message,
    read_claimed_sender,
    read_document,
    read_manifest,
    read_party,
)
from edoc.envelopes.edxml_sealed import add_package, bad_envelope, read_package
from edoc.envelopes.edxml_write import write_message
from edoc.envelopes.instants import parse_exact
from edoc.envelopes.text import shown
from edoc.errors import EdocError
from edoc.errors.spool import DESCRIPTION_INVALID
from edoc.model.document import AttachmentRole, DeclaredFile, Document, Party, Submission
from edoc.model.identifiers import DocumentId

__all__ = ["read_envelope", "read_header", "read_inline", "write_envelope", "write_inline"]

MAX_ENVELOPE = 8 * 1024 * 1024
"""Bytes; a thousand recipients with every field at its limit take half of it."""


def write_envelope(document: Document) -> bytes:
    """Return envelope.xml of `document`; EdocError TEXT_NOT_XML when XML cannot carry a text of it."""
    root, header = write_message(document)
    add_package(header, document)
    return xml.serialise(root)


def read_envelope(data: bytes) -> Document:
    """Return the document that `data`, a container's envelope.xml, seals.

    Raises EdocError MALFORMED_XML, XML_FORBIDDEN, OLD_DIALECT, NOT_EDXML, HEADER_INCOMPLETE, HEADER_INVALID,
    BAD_IDENTIFIER and BAD_ENVELOPE.
    """
    root = parse_message(data, limit=MAX_ENVELOPE)
    levels = Levels(root)
    if levels.root.has("AttachmentEncoded"):
        # Contents inline would be a second set of files that no digest of ours covers.
        raise bad_envelope("file contents inside the envelope", "phong bì chứa nội dung tệp")
    references = read_manifest(levels)
    document_id, sealed_at, attachments = read_package(root, levels.header.element, references)
    document = read_document(levels, document_id, read_party(levels.message.block("From")))
    return replace(
        document,
        sealed_at=parse_exact(sealed_at) if sealed_at else None,
        attachments=attachments,
        unknown=levels.unknown(),
    )


def read_header(data: bytes, document_id: DocumentId, office: Party) -> Submission:
    """Return what a job's ``document.xml`` asks for; edXMLManifest names the files that lie beside it.

    The sender is `office`; what From says is kept as ``claimed_sender`` for the exchange to compare.  The first file
    is the main one, for edXML has no roles.  Raises as :func:`read_envelope`, and EdocError
    DESCRIPTION_INVALID and NOT_A_DOCUMENT.
    """
    levels = Levels(parse_message(data, limit=MAX_ENVELOPE))
    if levels.root.has("AttachmentEncoded"):
        raise EdocError(
            DESCRIPTION_INVALID,
            path="edXML/AttachmentEncoded",
            expected="files beside document.xml; an .edxml with contents inline is dropped as a file of its own",
            expected_vi="tệp phải nằm cạnh document.xml; tệp .edxml chứa sẵn nội dung thì đặt riêng trong hộp gửi",
        )
    files = _declared(read_manifest(levels))
    document = read_document(levels, document_id, office)
    sender = read_claimed_sender(levels)
    document = replace(document, unknown=levels.unknown())
    return Submission(document=document, files=files, claimed_sender=sender)


def _declared(references: tuple[ManifestReference, ...]) -> tuple[DeclaredFile, ...]:
    seen: set[str] = set()
    for number, reference in enumerate(references, start=1):
        name = reference.name
        if name in {"", ".", ".."} or set(name) & set("/\\\0") or name in seen:
            raise EdocError(
                DESCRIPTION_INVALID,
                path=f"edXMLManifest/Reference[{number}]/AttachmentName",
                expected=f"the name of one file in the job, named once; found “{shown(name)}”",
                expected_vi=f"phải là tên một tệp trong thư mục gửi, mỗi tệp một lần; gặp “{shown(name)}”",
            )
        seen.add(name)
    return tuple(
        DeclaredFile(
            file=reference.name,
            name=reference.name,
            role=AttachmentRole.RELATED if index else AttachmentRole.MAIN,
            description=reference.description,
        )
        for index, reference in enumerate(references)
    )
