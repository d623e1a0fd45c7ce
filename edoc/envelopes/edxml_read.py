"""edXML headers to the model (QCVN 102:2016), tolerant about everything the field varies.

Rules: any order; empty elements; both date forms; Priority 5 is normal; an element this version does not know is
kept in ``Document.unknown``.  A mandatory element that is missing, or a value without meaning, is an error that names
the element.  Texts are kept exactly as they stand; only codes, dates and numbers lose surrounding white space.

Does not read our own sealed part (:mod:`edoc.envelopes.edxml_sealed`) nor file contents.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from operator import attrgetter
from typing import TypeVar

from lxml import etree

from edoc.envelopes import xml
from edoc.envelopes.edxml_block import HOME, Block
from edoc.envelopes.text import shown
from edoc.errors import EdocError
from edoc.errors.package import HEADER_INCOMPLETE, MALFORMED_XML, NOT_EDXML, OLD_DIALECT
from edoc.errors.spool import NOT_A_DOCUMENT
from edoc.model.document import (
    BusinessType,
    Code,
    Document,
    Party,
    ReceiverChange,
    Reference,
    Replaced,
    Signer,
    Staff,
    Trace,
    Update,
    Urgency,
)
from edoc.model.identifiers import DocumentId, OrganId, parse_organ_id

T = TypeVar("T")

_PRIORITY = {str(int(urgency)): urgency for urgency in Urgency} | {"": Urgency.NORMAL, "5": Urgency.NORMAL}
_BUSINESS = {str(int(kind)): kind for kind in BusinessType} | {"": BusinessType.NEW}
_PAPER = {"": False, "0": False, "false": False, "1": True, "true": True}

# How the dialect of 2011–2015 stood in files and on the wire: SOAP with attachments, one MIME part each.
_MIME = re.compile(rb"\s*+(?:--|MIME-Version:|Content-Type:)", re.IGNORECASE)
_FIRST = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestReference:
    """One Reference of edXMLManifest, raw."""

    content_id: str
    content_type: str
    name: str
    description: str


class Levels:
    """The named levels of one edXML message, as blocks; `root` is what ``parse_message`` returned."""

    __slots__ = ("_blocks", "body", "business", "header", "manifest", "message", "root", "traces")

    def __init__(self, root: etree._Element) -> None:
        self._blocks: list[Block] = []
        self.root = Block(root, "edXML", self._blocks)
        self.root.skip("AttachmentEncoded")  # files, not header: read by edxml_inline
        envelope = self.root.level("edXMLEnvelope")
        self.header = envelope.level("edXMLHeader")
        self.header.skip("Signature")  # a placeholder, or a signature over another message
        self.message = self.header.level(HOME)
        self.traces = self.header.level("TraceHeaderList")
        self.business = self.traces.level("Bussiness")
        self.body = envelope.level("edXMLBody")
        self.manifest = self.body.level("edXMLManifest")

    def unknown(self) -> tuple[str, ...]:
        """Return the elements that nobody asked for, by place; call it when all else is read."""
        # By place and not in the order of reading: a job and an envelope are read in different orders.
        return tuple(text for block in sorted(self._blocks, key=attrgetter("path")) for text in block.unknown())


def parse_message(data: bytes, *, limit: int, long_text: bool = False) -> etree._Element:
    """Return the root of the edXML message `data`; `limit` and `long_text` as in ``xml.parse``.

    Raises EdocError MALFORMED_XML, XML_FORBIDDEN, OLD_DIALECT and NOT_EDXML.
    """
    try:
        root = xml.parse(data, limit=limit, long_text=long_text)
    except EdocError as error:
        head = data[: 64 * 1024]
        if error.fault is MALFORMED_XML and _MIME.match(head) and xml.OLD_EDOC.encode() in head:
            raise EdocError(OLD_DIALECT, namespace=xml.OLD_EDOC, cause="MIME") from error
        raise
    require_edxml(root)
    return root


def require_edxml(root: etree._Element) -> None:
    """Raise EdocError OLD_DIALECT or NOT_EDXML unless `root` is the root of an edXML message."""
    if root.tag == f"{{{xml.EDXML}}}edXML":
        return
    # SOAP declares the namespace where its own elements end, two levels below the root.
    if any(xml.OLD_EDOC in {xml.namespace(each), *each.nsmap.values()} for each in islice(root.iter(), _FIRST)):
        raise EdocError(OLD_DIALECT, namespace=xml.OLD_EDOC)
    raise EdocError(NOT_EDXML, root=shown(str(root.tag)))


def is_status(levels: Levels) -> bool:
    """Say whether the message is a status: it has a StatusCode, and no Subject, which every document has."""
    return levels.message.has("StatusCode") and not levels.message.has("Subject")


def _require_document(levels: Levels) -> None:
    if is_status(levels):
        message = levels.message
        answers = message.blocks("ResponseFor")
        raise EdocError(
            NOT_A_DOCUMENT,
            status_code=shown(message.token("StatusCode")) or "–",
            sender=shown(message.block("From").token("OrganId")) or "–",
            about=shown(answers[0].token("Code") or answers[0].token("DocumentId")) if answers else "–",
        )


def read_party(block: Block) -> Party:
    """Return an organisation of the header; EdocError HEADER_INCOMPLETE or BAD_IDENTIFIER for its OrganId."""
    return Party(
        organ_id=parse_organ_id(block.required("OrganId").strip()),
        name=block.text("OrganName"),
        in_charge=block.text("OrganizationInCharge"),
        address=block.text("OrganAdd"),
        email=block.text("Email"),
        telephone=block.text("Telephone"),
        fax=block.text("Fax"),
        website=block.text("Website"),
    )


def read_claimed_sender(levels: Levels) -> str:
    """Return the code that From states in a job, empty when it states none; the rest of From is the office's to say."""
    block = levels.message.block("From")
    block.skip("OrganizationInCharge", "OrganName", "OrganAdd", "Email", "Telephone", "Fax", "Website")
    return block.token("OrganId")


def read_reference(block: Block) -> Reference:
    """Return a ResponseFor, raw."""
    return Reference(
        organ_id=block.text("OrganId"),
        code=block.text("Code"),
        document_id=block.text("DocumentId"),
        promulgation_date=block.text("PromulgationDate"),
    )


def read_staff(parent: Block) -> Staff | None:
    """Return the StaffInfo of `parent`, None when there is none."""
    block = parent.block("StaffInfo")
    if block.element is None:
        return None
    return Staff(
        department=block.text("Department"),
        staff=block.text("Staff"),
        email=block.text("Email"),
        mobile=block.text("Mobile"),
    )


def read_document(levels: Levels, document_id: DocumentId, sender: Party) -> Document:
    """Return the header as a document without attachments; `sender` is who it is from, whatever From says.

    Raises EdocError NOT_A_DOCUMENT, HEADER_INCOMPLETE, HEADER_INVALID and BAD_IDENTIFIER.
    """
    _require_document(levels)
    document, business = _particulars(levels, document_id, sender), levels.business
    return replace(
        document,
        business_type=read_business_type(levels),
        business_reason=business.text("BussinessDocReason"),
        business_document_id=business.text("DocumentId"),
        update=_update(business),
        replaces=_replaced(business),
        paper=_choice(business, "Paper", _PAPER),
        staff=read_staff(business),
        traces=_traces(levels),
    )


def _particulars(levels: Levels, document_id: DocumentId, sender: Party) -> Document:
    """Return what MessageHeader says, without what the message does with it."""
    message, other = levels.message, levels.message.block("OtherInfo")
    code, place, kind = message.block("Code"), message.block("PromulgationInfo"), message.block("DocumentType")
    return Document(
        document_id=document_id,
        sender=sender,
        recipients=_recipients(message),
        code=Code(number=code.required("CodeNumber"), notation=code.present("CodeNotation")),
        subject=message.required("Subject"),
        place=place.present("Place"),
        promulgation_date=place.required_day("PromulgationDate"),
        type_name=kind.required("TypeName"),
        type_code=kind.text("Type"),
        type_detail=kind.text("TypeDetail"),
        content=message.text("Content"),
        signer=_signer(message),
        due_date=message.day("DueDate"),
        urgency=_choice(other, "Priority", _PRIORITY),
        sphere=other.text("SphereOfPromulgation"),
        typer_notation=other.text("TyperNotation"),
        promulgation_amount=other.number("PromulgationAmount"),
        page_amount=other.number("PageAmount"),
        direction=other.text("Direction"),
        appendixes=other.block("Appendixes").texts("Appendix"),
        reply_to=tuple(read_reference(block) for block in message.blocks("ResponseFor")),
        steering_type=message.text("SteeringType"),
        to_places=message.block("ToPlaces").texts("Place"),
        correlation_id=message.text("DocumentId"),
    )


def read_business_type(levels: Levels) -> BusinessType:
    """Return BussinessDocType, NEW when it is absent or empty; EdocError HEADER_INVALID for an unknown one."""
    return _choice(levels.business, "BussinessDocType", _BUSINESS)


def read_manifest(levels: Levels) -> tuple[ManifestReference, ...]:
    """Return the references of edXMLManifest in order."""
    return tuple(
        ManifestReference(
            content_id=block.token("ContentId"),
            content_type=block.text("ContentType"),
            name=block.text("AttachmentName"),
            description=block.text("Description"),
        )
        for block in levels.manifest.blocks("Reference")
    )


def _recipients(message: Block) -> tuple[Party, ...]:
    recipients: dict[OrganId, Party] = {}
    for block in message.blocks("To"):
        party = read_party(block)
        if party.organ_id in recipients:  # one transfer per recipient: which of the two would it be?
            raise block.invalid("OrganId", f"2 × {party.organ_id}")
        recipients[party.organ_id] = party
    if not recipients:
        raise EdocError(HEADER_INCOMPLETE, element=f"{message.path}/To")
    return tuple(recipients.values())


def _signer(message: Block) -> Signer | None:
    block = message.block("SignerInfo")
    signer = Signer(
        full_name=block.text("FullName"), competence=block.text("Competence"), position=block.text("Position")
    )
    return None if signer == Signer(full_name="") else signer


def _update(business: Block) -> Update | None:
    block = business.block("BussinessDocumentInfo")
    if block.element is None:
        return None
    receivers = block.block("ReceiverList").blocks("Receiver")
    return Update(
        document=block.text("DocumentInfo"),
        receivers=block.text("DocumentReceiver"),
        changes=tuple(ReceiverChange(organ_id=one.text("OrganId"), kind=one.text("ReceiverType")) for one in receivers),
    )


def _replaced(business: Block) -> tuple[Replaced, ...]:
    blocks = business.block("ReplacementInfoList").blocks("ReplacementInfo")
    return tuple(
        Replaced(document_id=one.text("DocumentId"), organ_ids=one.block("OrganIdList").texts("OrganId"))
        for one in blocks
    )


def _traces(levels: Levels) -> tuple[Trace, ...]:
    blocks = levels.traces.blocks("TraceHeader")
    return tuple(Trace(organ_id=block.text("OrganId"), timestamp=block.text("Timestamp")) for block in blocks)


def _choice(block: Block, name: str, values: Mapping[str, T]) -> T:
    text = block.token(name).lower()
    if text not in values:
        raise block.invalid(name, text)
    return values[text]
