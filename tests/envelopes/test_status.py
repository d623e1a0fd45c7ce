from __future__ import annotations

from dataclasses import replace

import pytest
from envelopes.cases import FIXTURES, STATUS
from envelopes.strategies import statuses
from hypothesis import given

from edoc.envelopes import xml
from edoc.envelopes.status import read_status, write_status
from edoc.errors import EdocError
from edoc.model.message import StatusReport

WRITTEN = write_status(STATUS)


def refused(data: bytes) -> str:
    with pytest.raises(EdocError) as caught:
        read_status(data)
    assert "{" not in caught.value.text("vi") + caught.value.text("en")
    return caught.value.code


@given(statuses)
def test_a_status_reads_back_as_the_report_it_was_written_from(report: StatusReport) -> None:
    assert read_status(write_status(report)) == report


def test_the_time_for_people_is_vietnamese_local_time() -> None:
    assert b"<edXML:Timestamp>2026/11/22 01:30:00</edXML:Timestamp>" in WRITTEN
    assert b'timestamp="2026-11-21T18:30:00.123456Z"' in WRITTEN


def test_a_signature_at_the_end_of_the_header_is_skipped() -> None:
    signed = WRITTEN.replace(b"</edXML:edXMLHeader>", f"<Signature xmlns='{xml.DS}'/></edXML:edXMLHeader>".encode())
    assert read_status(signed) == STATUS


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<edXML:MessageHeader>", f"<Signature xmlns='{xml.DS}'/><edXML:MessageHeader>"),
        ("</edXML:edXMLHeader>", "<Signature/></edXML:edXMLHeader>"),
        (
            "</edXML:edXMLHeader>",
            f"<s:Signature xmlns:s='{xml.DS}'/><s:Signature xmlns:s='{xml.DS}'/></edXML:edXMLHeader>",
        ),
        ("</edXML:edXMLHeader>", "</edXML:edXMLHeader><edXML:edXMLBody/>"),
        ("</edXML>", "<AttachmentEncoded/></edXML>"),
        ("</edXML:MessageHeader>", "<edXML:Extra/></edXML:MessageHeader>"),
        ("</edXML:From>", "<x/></edXML:From>"),
        (">01</edXML:StatusCode>", ">99</edXML:StatusCode>"),
        ("01:30:00", "01:30:01"),
        ("30:00.123456Z", "30:00+00:00"),
        ('event="ContentConsignment"', 'event="Nothing"'),
        ('version="1"', 'version="2"'),
        ('fault=""', ""),
        ('fault=""', 'fault="" more=""'),
        ("</edoc:Status>", "<edoc:More/></edoc:Status>"),
        ("<edoc:SignatureDigest>", "<edoc:SignatureDigest a='1'>"),
    ],
)
def test_a_status_is_read_strictly(old: str, new: str) -> None:
    assert WRITTEN.count(old.encode()) == 1
    assert refused(WRITTEN.replace(old.encode(), new.encode())) == "BAD_STATUS"


@pytest.mark.parametrize("old", ["ef" * 32, "01" * 32, STATUS.status_id, STATUS.document_id])
def test_digests_and_ids_of_a_status_have_one_form(old: str) -> None:
    assert refused(WRITTEN.replace(old.encode(), old.upper().encode() + b"A")) == "BAD_IDENTIFIER"


def test_too_many_signature_digests_are_refused() -> None:
    digest = STATUS.signature_digests[0]
    assert refused(write_status(replace(STATUS, signature_digests=(digest,) * 65))) == "BAD_STATUS"


def test_a_document_is_no_status() -> None:
    assert refused((FIXTURES / "field-style.edxml").read_bytes()) == "BAD_STATUS"
    assert refused(b"<a/>") == "NOT_EDXML"
