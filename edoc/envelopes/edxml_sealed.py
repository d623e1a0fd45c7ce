"""Our own part of the sealed envelope: identity and manifest in the namespace ``urn:edoc:1``.

``edXMLHeader`` ends with ``edoc:Package`` (version, document_id, sealed_at), which holds one ``edoc:File`` (number,
entry, role, size, sha256) per attachment.  Names, media types and descriptions stand in edXMLManifest; the
Reference with ContentId ``cid:<n>`` belongs to file n.

Rules: strict.  Nothing is optional but sealed_at, nothing else of our namespace may stand anywhere, numbers run from
1 to n, entries have the one name they can have.  Two manifests that disagree are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lxml import etree

from edoc.envelopes import xml
from edoc.envelopes.asic import attachment_entry
from edoc.envelopes.edxml_read import ManifestReference
from edoc.envelopes.edxml_write import content_id
from edoc.envelopes.instants import exact_text, parse_exact
from edoc.envelopes.text import shown
from edoc.errors import EdocError
from edoc.errors.package import BAD_ENVELOPE
from edoc.model.document import Attachment, AttachmentRole, Document
from edoc.model.identifiers import DocumentId, parse_document_id, parse_sha256

VERSION = "1"

_PACKAGE = f"{{{xml.EDOC}}}Package"
_FILE = f"{{{xml.EDOC}}}File"
_FILE_FACTS = frozenset({"number", "entry", "role", "size", "sha256"})
_COUNT = re.compile(r"0|[1-9]\d{0,14}", re.ASCII)
_ROLES = frozenset(role.value for role in AttachmentRole)


def add_package(header: etree._Element, document: Document) -> None:
    """Append our part to edXMLHeader."""
    package = etree.SubElement(header, _PACKAGE, nsmap={"edoc": xml.EDOC})
    package.set("version", VERSION)
    package.set("document_id", document.document_id)
    if document.sealed_at is not None:
        package.set("sealed_at", exact_text(document.sealed_at))
    for attachment in document.attachments:
        file = etree.SubElement(package, _FILE)
        file.set("number", str(attachment.number))
        file.set("entry", attachment_entry(attachment.number, attachment.name))
        file.set("role", attachment.role.value)
        file.set("size", str(attachment.size))
        file.set("sha256", attachment.sha256)
    etree.indent(package, level=3)
    package.tail = "\n"


def read_package(
    root: etree._Element, header: etree._Element | None, references: Sequence[ManifestReference]
) -> tuple[DocumentId, str, tuple[Attachment, ...]]:
    """Return document_id, sealed_at as written (may be empty) and the attachments.

    Raises EdocError BAD_ENVELOPE.
    """
    package = _package(root, header)
    facts = _facts(package, {"version", "document_id"}, {"sealed_at"})
    if facts["version"] != VERSION:
        raise bad_envelope(f"unknown version {shown(facts['version'])}", "phiên bản không được hỗ trợ")
    document_id = parse_document_id(facts["document_id"])
    sealed_at = facts.get("sealed_at", "")
    if len(package) != len(references):
        raise bad_envelope(
            f"{len(package)} sealed files but {len(references)} in edXMLManifest",
            f"số tệp trong phần niêm phong ({len(package)}) khác edXMLManifest ({len(references)})",
        )
    pairs = zip(package, references, strict=True)
    attachments = tuple(_attachment(file, reference, n) for n, (file, reference) in enumerate(pairs, start=1))
    if sealed_at:
        try:
            parse_exact(sealed_at)
        except ValueError as error:
            raise bad_envelope("sealed_at is not an instant", "sealed_at không phải thời điểm", error) from error
    return document_id, sealed_at, attachments


def bad_envelope(detail: str, detail_vi: str, cause: object = "") -> EdocError:
    """Return the error BAD_ENVELOPE."""
    return EdocError(BAD_ENVELOPE, detail=detail, detail_vi=detail_vi, cause=str(cause))


def _package(root: etree._Element, header: etree._Element | None) -> etree._Element:
    ours = list(root.iter(f"{{{xml.EDOC}}}*"))
    packages = [element for element in ours if element.tag == _PACKAGE]
    if len(packages) != 1 or packages[0].getparent() is not header:
        raise bad_envelope("edXMLHeader needs exactly one edoc:Package", "edXMLHeader phải có đúng một edoc:Package")
    files = len([file for file in packages[0] if file.tag == _FILE and len(file) == 0])
    if files != len(packages[0]) or len(ours) != files + 1:
        raise bad_envelope(
            "unknown elements in the namespace urn:edoc:1", "có phần tử lạ trong không gian tên urn:edoc:1"
        )
    return packages[0]


def _attachment(file: etree._Element, reference: ManifestReference, number: int) -> Attachment:
    facts = _facts(file, _FILE_FACTS, set())
    if facts["number"] != str(number):
        raise bad_envelope(f"file {number} has another number", f"tệp thứ {number} mang số khác")
    if not _COUNT.fullmatch(facts["size"]) or facts["role"] not in _ROLES:
        raise bad_envelope(f"size or role of file {number}", f"kích thước hoặc vai trò của tệp {number} không hợp lệ")
    attachment = Attachment(
        number=number,
        name=reference.name,
        media_type=reference.content_type,
        size=int(facts["size"]),
        sha256=parse_sha256(facts["sha256"]),
        role=AttachmentRole(facts["role"]),
        description=reference.description,
    )
    if reference.content_id != content_id(attachment):
        raise bad_envelope(
            f"Reference {number} does not belong to file {number}", f"Reference {number} không ứng với tệp {number}"
        )
    if facts["entry"] != attachment_entry(number, attachment.name):
        raise bad_envelope(f"entry name of file {number}", f"tên mục của tệp {number} trong gói không đúng")
    return attachment


def _facts(element: etree._Element, needed: set[str] | frozenset[str], optional: set[str]) -> Mapping[str, str]:
    facts = {str(name): str(value) for name, value in element.attrib.items()}
    if not needed <= facts.keys() <= needed | optional:
        name = xml.local_name(element)
        raise bad_envelope(f"attributes of edoc:{name}", f"thuộc tính của edoc:{name} không đúng")
    return facts
