from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from envelopes.cases import DOCUMENT, FIXTURES, ID, OFFICE
from envelopes.strategies import documents
from hypothesis import given

from edoc.envelopes import xml
from edoc.envelopes.edxml import read_envelope, read_header, read_inline, write_envelope
from edoc.errors import EdocError
from edoc.model.document import AttachmentRole, BusinessType, Document, Staff, Urgency
from edoc.model.identifiers import OrganId

FIELD = (FIXTURES / "field-style.edxml").read_bytes()


@given(documents)
def test_an_envelope_reads_back_as_the_document_it_was_written_from(document: Document) -> None:
    assert read_envelope(write_envelope(document)) == document


@given(documents)
def test_the_same_document_is_always_the_same_octets(document: Document) -> None:
    assert write_envelope(document) == write_envelope(replace(document))


def test_the_envelope_is_spelt_as_the_field_spells_it() -> None:
    text = write_envelope(DOCUMENT).decode()
    assert text.startswith(
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        '<edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016">\n'
        '  <edXML:edXMLEnvelope xmlns:edXML="http://www.mic.gov.vn/TBT/QCVN_102_2016">\n'
        "    <edXML:edXMLHeader>\n"
        "      <edXML:MessageHeader>\n"
        "        <edXML:From>\n"
        "          <edXML:OrganId>H41.05</edXML:OrganId>\n"
    )
    names = [xml.local_name(each) for each in xml.parse(text.encode())[0][0][0]]
    assert names == [
        "From",
        "To",
        "DocumentId",
        "Code",
        "PromulgationInfo",
        "DocumentType",
        "Subject",
        "SignerInfo",
        "OtherInfo",
    ]
    assert "<edXML:PromulgationDate>2026/11/22</edXML:PromulgationDate>" in text
    assert "<edXML:BussinessDocType>0</edXML:BussinessDocType>" in text
    assert '<edXML:edXMLManifest version="1.0">' in text
    assert 'entry="attachments/2.bin"' in text


def test_a_header_of_the_field_is_read_whatever_its_order_and_spelling() -> None:
    submission = read_header(FIELD, ID, OFFICE)
    document = submission.document
    assert document.sender is OFFICE
    assert submission.claimed_sender == "H41.05"
    assert [party.organ_id for party in document.recipients] == ["H29.12.34", "000.00.00.G22"]
    assert document.subject == "V/v kiểm tra công tác văn thư"
    assert str(document.code) == "0123/SNV-VP"
    assert document.promulgation_date.isoformat() == "2026-11-22"
    assert document.urgency is Urgency.NORMAL
    assert document.due_date is None
    assert document.signer is None
    assert (document.promulgation_amount, document.page_amount) == (None, 3)
    assert document.business_type is BusinessType.UPDATE
    assert document.paper
    assert document.staff == Staff(staff="Nguyễn Văn Thư")
    assert document.reply_to[0].code == "7816/VPCP-TTĐT"
    assert document.attachments == ()
    assert [(file.file, file.role) for file in submission.files] == [
        ("Công văn.doc", AttachmentRole.MAIN),
        ("Phụ lục.pdf", AttachmentRole.RELATED),
    ]


def test_unknown_elements_are_kept_and_written_back_to_their_place() -> None:
    document = read_header(FIELD, ID, OFFICE).document
    root = xml.parse(write_envelope(document))
    header = root[0][0]
    assert [xml.local_name(each) for each in header[1][1]] == [
        "DocumentId",
        "BussinessDocType",
        "BussinessDocReason",
        "Paper",
        "BussinessDocumentInfo",
        "StaffInfo",
    ]
    assert header[0][-1].get("kind") == "a"
    assert header[0][-1].text == "giữ lại"
    amount = header[0].find(f"{{{xml.EDXML}}}OtherInfo/{{{xml.EDXML}}}PromulgationAmount")
    assert amount is not None
    assert amount.text == "2 bản"
    assert read_envelope(write_envelope(document)) == document


MESSAGE_BLOCKS = ["From", "To", "PromulgationInfo", "DocumentType", "SignerInfo", "OtherInfo", "ResponseFor"]
OUTER_BLOCKS = ["MessageHeader", "TraceHeader", "Bussiness", "StaffInfo", "TraceHeaderList", "edXMLHeader", "edXMLBody"]


@pytest.mark.parametrize("block", [*MESSAGE_BLOCKS, *OUTER_BLOCKS])
def test_an_unknown_element_survives_at_every_level(block: str) -> None:
    end = f"</e:{block}>".encode()
    data = FIELD.replace(end, b"<v:new xmlns:v='urn:vendor:9' a='1'>x</v:new>" + end)
    document = read_header(data, ID, OFFICE).document
    written = write_envelope(document)
    found = [each.getparent() for each in xml.parse(written).iter("{urn:vendor:9}new")]
    assert len(found) == FIELD.count(end)
    assert {xml.local_name(parent) for parent in found if parent is not None} == {block}
    assert read_envelope(written) == document


def test_a_signature_of_another_message_is_not_taken_over() -> None:
    assert b"SignatureValue" not in write_envelope(read_header(FIELD, ID, OFFICE).document)


def test_our_own_part_is_never_taken_from_a_job() -> None:
    forwarded = write_envelope(DOCUMENT)
    nested = FIELD.replace(b"</e:VendorField>", b"<x xmlns='urn:edoc:1'/></e:VendorField>")
    for data in (forwarded, nested):
        assert not any("Package" in text or "<x" in text for text in read_header(data, ID, OFFICE).document.unknown)
        document = read_header(data, ID, OFFICE).document
        assert read_envelope(write_envelope(document)) == document


def test_unknown_text_that_no_reader_made_is_a_mistake_of_the_caller() -> None:
    for text in ("<x/>", f'<unknown xmlns="{xml.EDOC}" in="MessageHeader"><Package/></unknown>'):
        with pytest.raises(ValueError, match=r"Document\.unknown"):
            write_envelope(replace(DOCUMENT, unknown=(text,)))


def test_an_element_without_a_namespace_stays_without_one() -> None:
    data = FIELD.replace(b"</e:MessageHeader>", b"<p xmlns=''><q/></p></e:MessageHeader>")
    document = read_header(data, ID, OFFICE).document
    added = xml.parse(write_envelope(document))[0][0][0][-1]
    assert (added.tag, added[0].tag) == ("p", "q")


def code_of(data: bytes) -> EdocError:
    with pytest.raises(EdocError) as caught:
        read_header(data, ID, OFFICE)
    return caught.value


@pytest.mark.parametrize(
    ("element", "named"),
    [
        (b"<e:Subject>V/v ki", "MessageHeader/Subject"),
        (b"<e:CodeNumber>0123</e:CodeNumber>", "MessageHeader/Code/CodeNumber"),
        (b"<e:CodeNotation>SNV-VP</e:CodeNotation>", "MessageHeader/Code/CodeNotation"),
        (b"<e:OrganId> H29.12.34 </e:OrganId>", "MessageHeader/To[1]/OrganId"),
        (b"<e:PromulgationDate>22/11/2026</e:PromulgationDate>", "MessageHeader/PromulgationInfo/PromulgationDate"),
        ("<e:TypeName>Công văn</e:TypeName>".encode(), "MessageHeader/DocumentType/TypeName"),
    ],
)
def test_a_missing_mandatory_element_is_named(element: bytes, named: str) -> None:
    assert element in FIELD
    data = FIELD.replace(element, b"") if not element.endswith(b"ki") else FIELD.replace(b"e:Subject", b"e:Subjekt")
    error = code_of(data)
    assert error.code == "HEADER_INCOMPLETE"
    assert error.facts["element"] == named
    assert named in error.text("vi")


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (b"22/11/2026", b"2014/02/30", "PromulgationDate"),
        (b"22/11/2026", b"tomorrow", "PromulgationDate"),
        (b"<e:DueDate>", b"<e:DueDate>99/99/9999", "DueDate"),
        (b"Priority>5<", b"Priority>9<", "Priority"),
        (b"DocType>2<", b"DocType>7<", "BussinessDocType"),
        (b"000.00.00.G22</e:OrganId></e:To>", b"H29.12.34</e:OrganId></e:To>", "To[2]/OrganId"),
        (b"<e:DocumentId/>", b"<e:DocumentId/><e:DocumentId>x</e:DocumentId>", "DocumentId"),
        (b"0123</e:CodeNumber>", b"0123<e:b/></e:CodeNumber>", "CodeNumber"),
        (b"0123</e:CodeNumber>", b"01<?x y?>23</e:CodeNumber>", "CodeNumber"),
    ],
)
def test_a_value_that_cannot_be_understood_is_named(old: bytes, new: bytes, named: str) -> None:
    assert old in FIELD
    error = code_of(FIELD.replace(old, new))
    assert error.code == "HEADER_INVALID"
    assert error.facts["element"].endswith(named)


def test_a_wrong_code_of_an_organisation_is_refused() -> None:
    assert code_of(FIELD.replace(b"000.00.00.G22", b"../etc")).code == "BAD_IDENTIFIER"


def test_the_old_dialect_is_recognised_by_name() -> None:
    old = b"<Envelope xmlns='http://schemas.xmlsoap.org/soap/envelope/'><b xmlns='http://www.e-doc.vn/Schema/'/></Envelope>"
    for data in (
        old,
        b"<edXML xmlns='http://www.e-doc.vn/Schema/'/>",
        b"<s:e xmlns:s='u' xmlns:e='http://www.e-doc.vn/Schema/'/>",
    ):
        assert code_of(data).code == "OLD_DIALECT"


def test_another_root_is_not_edxml() -> None:
    error = code_of(b"<html/>")
    assert (error.code, error.facts["root"]) == ("NOT_EDXML", "html")
    assert code_of(b"<edXML/>").code == "NOT_EDXML"


@pytest.mark.parametrize("name", [b"../x.doc", b"a/b.doc", b"a\\b.doc", b"..", b"", "Phụ lục.pdf".encode()])
def test_a_manifest_names_files_of_the_job_and_each_once(name: bytes) -> None:
    error = code_of(FIELD.replace("Công văn.doc".encode(), name))
    assert error.code == "DESCRIPTION_INVALID"
    assert "Reference[" in error.facts["path"]


def test_contents_inline_are_refused_in_a_folder_job() -> None:
    data = FIELD.replace(b"</edXML>", b"<AttachmentEncoded/></edXML>")
    assert code_of(data).code == "DESCRIPTION_INVALID"


SEALED = write_envelope(DOCUMENT)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'version="1" document_id', b'version="2" document_id'),
        (b'sealed_at="', b'sealed_at="x'),
        (b'sealed_at="', b'sealed_on="'),
        (b'number="1"', b'number="2"'),
        (b' number="1"', b""),
        (b'size="3"', b'size="-3"'),
        (b'size="3"', b'size="03"'),
        (b'role="main"', b'role="other"'),
        (b"attachments/1.pdf", b"attachments/../1.pdf"),
        (b"attachments/1.pdf", b"attachments/1.exe"),
        (b"<edXML:ContentId>cid:2<", b"<edXML:ContentId>cid:1<"),
        (b"</edoc:Package>", b"<edoc:More/></edoc:Package>"),
        (b"</edoc:Package>", b"</edoc:Package><p:Package xmlns:p='urn:edoc:1'/>"),
        (b"<edXML:TraceHeaderList>", b"<edXML:TraceHeaderList><edoc:Package xmlns:edoc='urn:edoc:1'/>"),
        (b"</edXML>", b"<AttachmentEncoded/></edXML>"),
        (b"</edXML:edXMLManifest>", b"<edXML:Reference/></edXML:edXMLManifest>"),
    ],
)
def test_our_own_part_is_read_strictly(old: bytes, new: bytes) -> None:
    assert SEALED.count(old) == 1
    with pytest.raises(EdocError) as caught:
        read_envelope(SEALED.replace(old, new))
    assert caught.value.code == "BAD_ENVELOPE"
    assert "{" not in caught.value.text("vi") + caught.value.text("en")


@pytest.mark.parametrize(("old", "new"), [(b"ab" * 32, b"AB" * 32), (ID.encode(), ID.upper().encode())])
def test_digests_and_ids_are_read_in_their_one_form(old: bytes, new: bytes) -> None:
    with pytest.raises(EdocError) as caught:
        read_envelope(SEALED.replace(old, new))
    assert caught.value.code == "BAD_IDENTIFIER"


def test_an_envelope_without_our_part_is_refused() -> None:
    with pytest.raises(EdocError) as caught:
        read_envelope(FIELD)
    assert caught.value.code == "BAD_ENVELOPE"


def test_text_that_xml_cannot_carry_is_refused_by_name() -> None:
    with pytest.raises(EdocError) as caught:
        write_envelope(replace(DOCUMENT, subject="a\x01b"))
    assert (caught.value.code, caught.value.facts["element"]) == ("TEXT_NOT_XML", "Subject")


def test_hidden_characters_of_a_message_do_not_reach_an_error_text() -> None:
    error = code_of(FIELD.replace(b"22/11/2026", "\u202e2026\u200b".encode()))
    assert error.facts["value"] == "\\u202e2026\\u200b"


SAMPLES = os.environ.get("EDOC_SAMPLES", "")


@pytest.mark.skipif(not SAMPLES, reason="EDOC_SAMPLES names no folder with messages of real systems")
def test_messages_of_real_systems_are_read_and_sealed() -> None:
    found = sorted(Path(SAMPLES).glob("document-*.edxml"))
    assert found
    for path in found:
        submission, files = read_inline(path.read_bytes(), ID, replace(OFFICE, organ_id=OrganId("H41")))
        assert files
        assert all(content for _, content in files)
        document = submission.document
        assert read_envelope(write_envelope(document)) == document
