"""edXML status messages: what a recipient tells the sender, written and read.

The message is the field's (QCVN 102:2016: From, ResponseFor, StaffInfo, StatusCode, Description, Timestamp), so that
today's systems can read it.  What binds stands in ``edoc:Status`` after MessageHeader: status_id, document_id,
recipient, event, container digest, signature digests, fault and the exact instant.

Rules: strict.  ``edXMLHeader`` holds MessageHeader, edoc:Status and, last, the ds:Signature that the signatures
package inserts and verifies; nothing else.  What the field's part and ours both say must agree.

Does not sign or verify, and does not read unsigned status messages of other systems
(:mod:`edoc.envelopes.edxml_kind` does).
"""

from __future__ import annotations

from datetime import datetime

from lxml import etree

from edoc.envelopes import xml
from edoc.envelopes.edxml_block import HOME, Block
from edoc.envelopes.edxml_read import parse_message, read_party, read_reference, read_staff
from edoc.envelopes.edxml_write import add, add_reference, add_status_sender, add_status_staff, start
from edoc.envelopes.instants import exact_text, local_text, parse_exact
from edoc.envelopes.text import shown
from edoc.errors import EdocError
from edoc.errors.package import BAD_STATUS, TEXT_NOT_XML
from edoc.model.evidence import EvidenceEvent
from edoc.model.identifiers import parse_document_id, parse_organ_id, parse_sha256
from edoc.model.message import StatusCode, StatusReport

VERSION = "1"
MAX_STATUS = 1024 * 1024
MAX_SIGNATURES = 64

_STATUS = f"{{{xml.EDOC}}}Status"
_DIGEST = f"{{{xml.EDOC}}}SignatureDigest"
_FACTS = frozenset(
    {"version", "status_id", "document_id", "recipient", "event", "container_sha256", "timestamp", "fault"}
)


def write_status(report: StatusReport) -> bytes:
    """Return the unsigned status message of `report`; EdocError TEXT_NOT_XML when XML cannot carry a text of it."""
    root, _, header = start()
    message = add(header, HOME)
    add_status_sender(message, report.sender)
    add_reference(message, report.answers)
    add_status_staff(message, report.staff)
    add(message, "StatusCode", report.code.value)
    add(message, "Description", report.description)
    add(message, "Timestamp", local_text(report.timestamp))
    status = etree.SubElement(header, _STATUS, nsmap={"edoc": xml.EDOC})
    status.set("version", VERSION)
    status.set("status_id", report.status_id)
    status.set("document_id", report.document_id)
    status.set("recipient", report.recipient)
    status.set("event", report.event.value)
    status.set("container_sha256", report.container_sha256)
    status.set("timestamp", exact_text(report.timestamp))
    try:
        status.set("fault", report.fault)
    except ValueError as error:
        raise EdocError(TEXT_NOT_XML, element="fault", cause=str(error)) from error
    for digest in report.signature_digests:
        etree.SubElement(status, _DIGEST).text = digest
    etree.indent(root)
    return xml.serialise(root)


def read_status(data: bytes) -> StatusReport:
    """Return what a status message of ours says, signed or not.

    Raises EdocError MALFORMED_XML, XML_FORBIDDEN, OLD_DIALECT, NOT_EDXML, HEADER_INCOMPLETE, HEADER_INVALID,
    BAD_IDENTIFIER and BAD_STATUS.
    """
    header, status = _parts(parse_message(data, limit=MAX_STATUS))
    blocks: list[Block] = []
    message = Block(header, HOME, blocks)
    facts = {str(name): str(value) for name, value in status.attrib.items()}
    if facts.keys() != _FACTS or facts["version"] != VERSION:
        raise _bad("attributes or version of edoc:Status", "thuộc tính hoặc phiên bản của edoc:Status không đúng")
    timestamp = _timestamp(facts["timestamp"])
    if message.token("Timestamp") != local_text(timestamp):
        raise _bad("its two time-stamps differ", "hai mốc thời gian khác nhau")
    digests = _digests(status)
    report = StatusReport(
        status_id=parse_document_id(facts["status_id"]),
        document_id=parse_document_id(facts["document_id"]),
        sender=read_party(message.block("From")),
        recipient=parse_organ_id(facts["recipient"]),
        code=_code(message.required("StatusCode")),
        event=_event(facts["event"]),
        timestamp=timestamp,
        container_sha256=parse_sha256(facts["container_sha256"]),
        signature_digests=tuple(parse_sha256(each.text or "") for each in digests),
        fault=facts["fault"],
        description=message.text("Description"),
        answers=read_reference(message.block("ResponseFor")),
        staff=read_staff(message),
    )
    if any(block.unknown() for block in blocks):
        raise _bad("unknown elements in MessageHeader", "có phần tử lạ trong MessageHeader")
    return report


def _parts(root: etree._Element) -> tuple[etree._Element, etree._Element]:
    """Return MessageHeader and edoc:Status, when the message holds these, its signature and nothing else."""
    envelope = _only(root, "edXMLEnvelope")
    header = _only(envelope, "edXMLHeader")
    tags = [str(child.tag) for child in header]
    if tags and tags[-1] == f"{{{xml.DS}}}Signature":
        tags.pop()
    if tags != [f"{{{xml.EDXML}}}{HOME}", _STATUS]:
        raise _bad(
            "edXMLHeader does not hold MessageHeader, edoc:Status and at most a signature",
            "edXMLHeader phải gồm MessageHeader, edoc:Status và tối đa một chữ ký",
        )
    return header[0], header[1]


def _only(parent: etree._Element, name: str) -> etree._Element:
    if len(parent) != 1 or parent[0].tag != f"{{{xml.EDXML}}}{name}":
        raise _bad(f"{xml.local_name(parent)} holds more or less than {name}", f"cấu trúc {name} không đúng")
    return parent[0]


def _digests(status: etree._Element) -> list[etree._Element]:
    found = list(status)
    if len(found) > MAX_SIGNATURES or any(each.tag != _DIGEST or len(each) or each.attrib for each in found):
        raise _bad("content of edoc:Status", "nội dung của edoc:Status không đúng")
    return found


def _timestamp(text: str) -> datetime:
    try:
        return parse_exact(text)
    except ValueError as error:
        raise _bad(f"time-stamp “{shown(text)}”", f"mốc thời gian “{shown(text)}” không hợp lệ", error) from error


def _code(text: str) -> StatusCode:
    try:
        return StatusCode(text.strip())
    except ValueError as error:
        raise _bad(f"status code “{shown(text)}”", f"mã trạng thái “{shown(text)}” không hợp lệ", error) from error


def _event(text: str) -> EvidenceEvent:
    try:
        return EvidenceEvent(text)
    except ValueError as error:
        raise _bad(f"event “{shown(text)}”", f"sự kiện “{shown(text)}” không hợp lệ", error) from error


def _bad(detail: str, detail_vi: str, cause: object = "") -> EdocError:
    return EdocError(BAD_STATUS, detail=detail, detail_vi=detail_vi, cause=str(cause))
