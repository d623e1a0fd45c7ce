"""The model to edXML headers, in the field's order and spelling (QCVN 102:2016).

Rules: the root carries the default namespace, everything below the prefix ``edXML:`` of the same URI, as today's
systems write it.  An optional element without a value is left out, a mandatory one is written empty.  Unknown
elements go back to the place they were read from.

Does not write our own sealed part (:mod:`edoc.envelopes.edxml_sealed`) nor file contents.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from lxml import etree

from edoc.envelopes import xml
from edoc.envelopes.edxml_block import HOME, ORDER, UNKNOWN, rank
from edoc.errors import EdocError
from edoc.errors.package import TEXT_NOT_XML
from edoc.model.document import Attachment, Document, Party, Reference, Replaced, Staff, Update

_STEP = re.compile(r"(\w+)(?:\[(\d+)\])?")


def tag(name: str) -> str:
    """Return `name` in the edXML namespace."""
    return f"{{{xml.EDXML}}}{name}"


def start() -> tuple[etree._Element, etree._Element, etree._Element]:
    """Return the root, the envelope and the header of an empty message."""
    spaces = {None: xml.EDXML}
    root = etree.Element(tag("edXML"), nsmap=spaces)  # type: ignore[arg-type]  # the stubs know no default namespace
    envelope = etree.SubElement(root, tag("edXMLEnvelope"), nsmap={"edXML": xml.EDXML})
    return root, envelope, etree.SubElement(envelope, tag("edXMLHeader"))


def add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    """Append an element to `parent`; EdocError TEXT_NOT_XML when XML cannot carry its text."""
    element = etree.SubElement(parent, tag(name))
    if text:
        try:
            element.text = text
        except ValueError as error:
            raise EdocError(TEXT_NOT_XML, element=name, cause=str(error)) from error
    return element


def _add_some(parent: etree._Element, *fields: tuple[str, str]) -> None:
    for name, text in fields:
        if text:
            add(parent, name, text)


def add_party(parent: etree._Element, name: str, party: Party) -> None:
    """Append From or To of a document."""
    block = add(parent, name)
    add(block, "OrganId", party.organ_id)
    _add_some(block, ("OrganizationInCharge", party.in_charge), ("OrganName", party.name), *_contact(party))


def add_status_sender(parent: etree._Element, party: Party) -> None:
    """Append From of a status message: there the field writes the organisation's own name first."""
    block = add(parent, "From")
    add(block, "OrganId", party.organ_id)
    _add_some(block, ("OrganName", party.name), ("OrganizationInCharge", party.in_charge), *_contact(party))


def _contact(party: Party) -> tuple[tuple[str, str], ...]:
    return (
        ("OrganAdd", party.address),
        ("Email", party.email),
        ("Telephone", party.telephone),
        ("Fax", party.fax),
        ("Website", party.website),
    )


def add_reference(parent: etree._Element, reference: Reference) -> None:
    """Append a ResponseFor."""
    _add_some(
        add(parent, "ResponseFor"),
        ("OrganId", reference.organ_id),
        ("Code", reference.code),
        ("PromulgationDate", reference.promulgation_date),
        ("DocumentId", reference.document_id),
    )


def add_staff(parent: etree._Element, staff: Staff | None) -> None:
    """Append StaffInfo of a document, when there is somebody."""
    if staff is not None:
        _add_some(
            add(parent, "StaffInfo"),
            ("Department", staff.department),
            ("Staff", staff.staff),
            ("Email", staff.email),
            ("Mobile", staff.mobile),
        )


def add_status_staff(parent: etree._Element, staff: Staff | None) -> None:
    """Append StaffInfo of a status message, when there is somebody: there the field writes Mobile before Email."""
    if staff is not None:
        _add_some(
            add(parent, "StaffInfo"),
            ("Department", staff.department),
            ("Staff", staff.staff),
            ("Mobile", staff.mobile),
            ("Email", staff.email),
        )


def write_message(document: Document) -> tuple[etree._Element, etree._Element]:
    """Return root and header of `document`: edXMLHeader and edXMLBody, complete but for what is ours.

    Raises EdocError TEXT_NOT_XML.
    """
    root, envelope, header = start()
    message = add(header, HOME)
    _write_identity(message, document)
    _write_particulars(message, document)
    _write_traces(header, document)
    manifest = add(add(envelope, "edXMLBody"), "edXMLManifest")
    manifest.set("version", "1.0")
    for attachment in document.attachments:
        _write_reference(manifest, attachment)
    # People read these files.  Indenting comes first: inside unknown elements white space may mean something.
    etree.indent(root)
    for text in document.unknown:
        _put_back(root, text)
    return root, header


def content_id(attachment: Attachment) -> str:
    """Return the ContentId that joins a manifest's Reference with its file."""
    return f"cid:{attachment.number}"


def day(value: date) -> str:
    """Return a date in the field's spelling, yyyy/MM/dd."""
    return f"{value.year:04}/{value.month:02}/{value.day:02}"


def _write_identity(message: etree._Element, document: Document) -> None:
    add_party(message, "From", document.sender)
    for recipient in document.recipients:
        add_party(message, "To", recipient)
    add(message, "DocumentId", document.correlation_id)
    code = add(message, "Code")
    add(code, "CodeNumber", document.code.number)
    add(code, "CodeNotation", document.code.notation)
    promulgation = add(message, "PromulgationInfo")
    add(promulgation, "Place", document.place)
    add(promulgation, "PromulgationDate", day(document.promulgation_date))
    kind = add(message, "DocumentType")
    add(kind, "Type", document.type_code)
    _add_some(kind, ("TypeDetail", document.type_detail))
    add(kind, "TypeName", document.type_name)
    add(message, "Subject", document.subject)
    _add_some(message, ("Content", document.content))


def _write_particulars(message: etree._Element, document: Document) -> None:
    if document.signer is not None:
        signer = add(message, "SignerInfo")
        _add_some(signer, ("Competence", document.signer.competence), ("Position", document.signer.position))
        add(signer, "FullName", document.signer.full_name)
    if document.due_date is not None:
        add(message, "DueDate", day(document.due_date))
    other = add(message, "OtherInfo")
    add(other, "Priority", str(int(document.urgency)))
    _add_some(
        other,
        ("SphereOfPromulgation", document.sphere),
        ("TyperNotation", document.typer_notation),
        ("PromulgationAmount", _count(document.promulgation_amount)),
        ("PageAmount", _count(document.page_amount)),
        ("Direction", document.direction),
    )
    _add_list(other, "Appendixes", "Appendix", document.appendixes)
    for reference in document.reply_to:
        add_reference(message, reference)
    _add_some(message, ("SteeringType", document.steering_type))
    _add_list(message, "ToPlaces", "Place", document.to_places)


def _write_traces(header: etree._Element, document: Document) -> None:
    traces = add(header, "TraceHeaderList")
    for trace in document.traces:
        _add_some(add(traces, "TraceHeader"), ("OrganId", trace.organ_id), ("Timestamp", trace.timestamp))
    business = add(traces, "Bussiness")
    _add_some(business, ("DocumentId", document.business_document_id))
    add(business, "BussinessDocType", str(int(document.business_type)))
    _add_some(business, ("BussinessDocReason", document.business_reason))
    add(business, "Paper", "1" if document.paper else "0")
    _write_update(business, document.update)
    _write_replaced(business, document.replaces)
    add_staff(business, document.staff)


def _write_update(business: etree._Element, update: Update | None) -> None:
    if update is None:
        return
    info = add(business, "BussinessDocumentInfo")
    _add_some(info, ("DocumentInfo", update.document), ("DocumentReceiver", update.receivers))
    receivers = add(info, "ReceiverList") if update.changes else info
    for change in update.changes:
        receiver = add(receivers, "Receiver")
        add(receiver, "OrganId", change.organ_id)
        _add_some(receiver, ("ReceiverType", change.kind))


def _write_replaced(business: etree._Element, replaces: Sequence[Replaced]) -> None:
    replaced = add(business, "ReplacementInfoList") if replaces else business
    for one in replaces:
        info = add(replaced, "ReplacementInfo")
        add(info, "DocumentId", one.document_id)
        _add_list(info, "OrganIdList", "OrganId", one.organ_ids)


def _write_reference(manifest: etree._Element, attachment: Attachment) -> None:
    reference = add(manifest, "Reference")
    add(reference, "ContentId", content_id(attachment))
    add(reference, "ContentType", attachment.media_type)
    _add_some(reference, ("Description", attachment.description))
    add(reference, "AttachmentName", attachment.name)


def _count(number: int | None) -> str:
    return "" if number is None else str(number)


def _add_list(parent: etree._Element, name: str, item: str, texts: Sequence[str]) -> None:
    if texts:
        block = add(parent, name)
        for text in texts:
            add(block, item, text)


def _put_back(root: etree._Element, text: str) -> None:
    """Append an unknown element at the place it was read from."""
    wrapper = xml.parse(text.encode())
    if wrapper.tag != UNKNOWN or len(wrapper) != 1 or xml.namespace(wrapper[0]) == xml.EDOC:
        raise ValueError("Document.unknown holds what no reader put there")
    parent = _place(root, wrapper.get("in", HOME))
    element = wrapper[0]
    element.tail = "\n"
    _insert(parent, element)


def _insert(parent: etree._Element, element: etree._Element) -> None:
    order = ORDER.get(xml.local_name(parent), ())
    parent.insert(sum(1 for child in parent if rank(order, child) <= rank(order, element)), element)


def _place(root: etree._Element, path: str) -> etree._Element:
    """Return the element at `path`; a block that is missing on the way (an empty ToPlaces, say) is made.

    A repeated block is never made, for it would stand for a recipient or a file: its parent takes the element.
    """
    first, *rest = path.split("/")
    found = root if first == "edXML" else next(root.iter(tag(first)), root)
    for step in rest:
        match = _STEP.fullmatch(step)
        if match is None:
            raise ValueError(f"no place: {path}")
        same = found.findall(tag(match[1]))
        index = int(match[2] or 1) - 1
        if match[2] and index >= len(same):
            break
        if not same:
            same = [etree.Element(tag(match[1]))]
            _insert(found, same[0])
        found = same[index]
    return found
