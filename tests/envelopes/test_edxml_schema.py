"""What we write keeps to schemas/edxml.xsd, reads back equal, and stands in the field's order and spelling."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from envelopes.cases import DOCUMENT, FIXTURES, ID, OFFICE, STATUS
from envelopes.strategies import documents, statuses
from hypothesis import given
from lxml import etree

from edoc.envelopes import xml
from edoc.envelopes.edxml import read_envelope, read_header, read_inline, write_envelope, write_inline
from edoc.envelopes.edxml_kind import read_foreign_status
from edoc.envelopes.edxml_read import Levels, read_party
from edoc.envelopes.status import read_status, write_status
from edoc.model.document import BusinessType, Document, Urgency
from edoc.model.message import StatusCode, StatusReport

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = etree.XMLSchema(file=str(ROOT / "schemas" / "edxml.xsd"))
FIELD = (FIXTURES / "field-style.edxml").read_bytes()
SAMPLES = os.environ.get("EDOC_SAMPLES", "")
WITH_SAMPLES = pytest.mark.skipif(not SAMPLES, reason="EDOC_SAMPLES names no folder with messages of real systems")

# Elements of edXML that the model has no field for and the schema knows all the same.
KNOWN = {"BussinessDocumentInfo", "ReplacementInfoList", "DocumentId", "PromulgationAmount", "PageAmount"}


def valid(data: bytes) -> bytes:
    SCHEMA.assertValid(xml.parse(data))
    return data


def describable(document: Document) -> Document:
    """Leave out elements in edXML's own namespace that no schema knows: XSD 1.0 has no way to allow them."""
    kept = [text for text in document.unknown if not invented(xml.parse(text.encode())[0])]
    return replace(document, unknown=tuple(kept))


def invented(element: etree._Element) -> bool:
    return xml.namespace(element) == xml.EDXML and xml.local_name(element) not in KNOWN


@given(documents)
def test_every_envelope_keeps_to_the_schema_and_reads_back_equal(document: Document) -> None:
    document = describable(document)
    assert read_envelope(valid(write_envelope(document))) == document


@given(documents)
def test_every_edxml_file_with_contents_inline_keeps_to_the_schema(document: Document) -> None:
    document = describable(document)
    files = [b"%PDF-1.7 " * each.number for each in document.attachments]
    submission, read = read_inline(valid(write_inline(document, files)), document.document_id, document.sender)
    assert submission.document == replace(document, attachments=(), sealed_at=None)
    assert [content for _, content in read] == files


@given(statuses)
def test_every_status_keeps_to_the_schema_and_reads_back_equal(report: StatusReport) -> None:
    assert read_status(valid(write_status(report))) == report


@given(statuses)
def test_what_others_read_in_our_status_is_what_we_said(report: StatusReport) -> None:
    read = read_foreign_status(write_status(report))
    assert (read.sender, read.answers, read.staff) == (report.sender, report.answers, report.staff)
    assert (read.code, read.description, read.unknown) == (report.code, report.description, ())
    assert read.timestamp == report.timestamp.replace(microsecond=0)


def test_a_header_of_the_field_is_written_in_order_whatever_its_own_order_was() -> None:
    document = describable(read_header(FIELD, ID, OFFICE).document)
    written = valid(write_envelope(document))
    other = xml.parse(written).find(f".//{{{xml.EDXML}}}OtherInfo")
    assert other is not None
    assert [xml.local_name(each) for each in other] == ["Priority", "PromulgationAmount", "PageAmount"]


@pytest.mark.parametrize("urgency", Urgency)
@pytest.mark.parametrize("kind", BusinessType)
def test_every_priority_and_business_type_is_described(urgency: Urgency, kind: BusinessType) -> None:
    valid(write_envelope(replace(DOCUMENT, urgency=urgency, business_type=kind)))


@pytest.mark.parametrize("code", StatusCode)
def test_every_status_code_is_described(code: StatusCode) -> None:
    valid(write_status(replace(STATUS, code=code)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2026/11/22", "22/11/2026"),
        ("<edXML:Priority>0", "<edXML:Priority>5"),
        ("<edXML:Subject>V/v", "<edXML:Code/><edXML:Subject>V/v"),
        ("Bussiness>", "Business>"),
        ("cid:2", "2"),
        ('version="1.0"', ""),
        ('role="main"', 'role="other"'),
        ("<edoc:File", "<edoc:Datei"),
        (ID, ID.upper()),
    ],
)
def test_the_schema_is_strict_about_what_we_never_write(old: str, new: str) -> None:
    data = write_envelope(DOCUMENT)
    assert old.encode() in data
    assert not SCHEMA.validate(xml.parse(data.replace(old.encode(), new.encode())))


def test_the_schema_is_no_part_of_the_product() -> None:
    for path in sorted((ROOT / "edoc").rglob("*.py")):
        assert "XMLSchema" not in path.read_text(encoding="utf-8"), path
        assert ".xsd" not in path.read_text(encoding="utf-8"), path


def spelt(element: etree._Element) -> list[str]:
    """Return the names of all elements in order, with the prefix that each has on the wire; no signature, no seal."""
    if xml.local_name(element) in {"", "Signature"} or xml.namespace(element) == xml.EDOC:
        return []
    name = f"{element.prefix or ''}:{xml.local_name(element)}"
    return [name, *(each for child in element for each in spelt(child))]


def sample(name: str) -> bytes:
    return (Path(SAMPLES) / name).read_bytes()


@WITH_SAMPLES
@pytest.mark.parametrize("name", ["document-new.edxml", "document-update.edxml"])
def test_a_document_of_a_real_system_is_written_in_the_very_order_and_spelling(name: str) -> None:
    data = sample(name)
    submission, files = read_inline(data, ID, OFFICE)
    sender = read_party(Levels(xml.parse(data)).message.block("From"))
    attachment = replace(DOCUMENT.attachments[0], description="Bản chính")
    document = replace(submission.document, sender=sender, attachments=(attachment,))
    wanted = spelt(xml.parse(data))
    assert spelt(xml.parse(valid(write_inline(document, [files[0][1]])))) == wanted
    assert spelt(xml.parse(valid(write_envelope(document)))) == wanted[: wanted.index(":AttachmentEncoded")]


@WITH_SAMPLES
@pytest.mark.parametrize("name", ["status-01.edxml", "status-03.edxml", "status-05.edxml"])
def test_a_status_of_a_real_system_is_written_in_the_very_order_and_spelling(name: str) -> None:
    read = read_foreign_status(sample(name))
    assert read.code is not None
    report = replace(STATUS, sender=read.sender, answers=read.answers, staff=read.staff, code=read.code)
    assert spelt(xml.parse(valid(write_status(report)))) == spelt(xml.parse(sample(name)))
