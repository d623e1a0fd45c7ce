from __future__ import annotations

import io
import zipfile
from base64 import b64encode
from dataclasses import replace

import pytest
from envelopes.cases import DOCUMENT, FIXTURES, ID, OFFICE
from envelopes.strategies import documents
from hypothesis import given
from hypothesis import strategies as st

from edoc.envelopes.edxml import read_inline, write_inline
from edoc.errors import EdocError
from edoc.model.document import AttachmentRole, Document, Submission

FIELD = (FIXTURES / "field-style.edxml").read_bytes()
DOC = b"\xd0\xcf\x11\xe0 a document of another age"


def packed(content: bytes, count: int = 1) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(count):
            archive.writestr(f"32da2890-1a55-4ccd-9fac-9cd0d98559e{index}.doc", content)
    return target.getvalue()


def attachment(content_id: str, name: str, media_type: str, encoded: str) -> str:
    return (
        f"<Attachment><ContentId>{content_id}</ContentId><AttachmentName>{name}</AttachmentName>"
        f"<Description/><ContentType>{media_type}</ContentType>"
        f"<e:ContentTransferEncoded xmlns:e='http://www.mic.gov.vn/TBT/QCVN_102_2016'>{encoded}"
        "</e:ContentTransferEncoded></Attachment>"
    )


def edxml(*attachments: str) -> bytes:
    inline = "<AttachmentEncoded>" + "".join(attachments) + "</AttachmentEncoded></edXML>"
    return FIELD.replace(b"</edXML>", inline.encode())


def text(content: bytes) -> str:
    return b64encode(content).decode()


PDF = attachment("cid:7", "Phụ lục.pdf", "application/pdf", text(b"%PDF-1.7"))


def read(data: bytes) -> tuple[Submission, tuple[tuple[str, bytes], ...]]:
    return read_inline(data, ID, OFFICE)


def refused(data: bytes) -> EdocError:
    with pytest.raises(EdocError) as caught:
        read(data)
    return caught.value


def test_a_file_packed_as_the_field_packs_it_is_unpacked() -> None:
    data = edxml(attachment("209", "Công văn.doc", "application/zip", text(packed(DOC))), PDF)
    submission, files = read(data)
    assert files == (("attachment-1.doc", DOC), ("attachment-2.pdf", b"%PDF-1.7"))
    assert [(each.file, each.name, each.role) for each in submission.files] == [
        ("attachment-1.doc", "Công văn.doc", AttachmentRole.MAIN),
        ("attachment-2.pdf", "Phụ lục.pdf", AttachmentRole.RELATED),
    ]
    assert submission.document.sender is OFFICE


@pytest.mark.parametrize(("name", "entries"), [("Công văn.docx", 2), ("Tệp nén.zip", 1), ("Tệp nén.zip", 2)])
def test_a_zip_that_is_what_its_name_says_stays_a_zip(name: str, entries: int) -> None:
    content = packed(DOC, entries)
    _, files = read(edxml(attachment("cid:209", name, "application/zip", text(content)), PDF))
    assert files[0][1] == content


def test_base64_may_be_broken_into_lines() -> None:
    broken = "\r\n".join(text(DOC)[index : index + 10] for index in range(0, 60, 10))
    _, files = read(edxml(attachment("cid:209", "a.doc", "application/msword", f"\n {broken}\n"), PDF))
    assert files[0][1] == DOC


@pytest.mark.parametrize("encoded", ["AAA", "AA=A", "A*AA", "ệ", "#0"])
def test_damaged_base64_is_refused(encoded: str) -> None:
    error = refused(edxml(attachment("cid:209", "a.doc", "application/msword", encoded), PDF))
    assert (error.code, error.facts["number"]) == ("ATTACHMENT_UNREADABLE", "1")


def test_a_reference_without_content_is_refused() -> None:
    error = refused(edxml(PDF))
    assert (error.code, error.facts["name"]) == ("ATTACHMENT_UNREADABLE", "Công văn.doc")


def test_a_zip_bomb_in_an_attachment_is_refused() -> None:
    bomb = packed(bytes(40_000_000))
    assert refused(edxml(attachment("cid:209", "a.doc", "application/zip", text(bomb)), PDF)).code == (
        "ATTACHMENT_UNREADABLE"
    )


def test_a_damaged_zip_in_an_attachment_is_refused() -> None:
    damaged = packed(DOC).replace(b"32da", b"42da", 1)
    assert refused(edxml(attachment("cid:209", "a.doc", "application/zip", text(damaged)), PDF)).code == (
        "ATTACHMENT_UNREADABLE"
    )


def test_a_file_of_more_than_ten_megabytes_is_read() -> None:
    content = bytes(range(256)) * 45_000
    _, files = read(edxml(attachment("cid:209", "a.doc", "application/msword", text(content)), PDF))
    assert files[0][1] == content


@given(documents, st.binary(max_size=100))
def test_what_we_write_inline_reads_back(document: Document, content: bytes) -> None:
    contents = [content + bytes([each.number]) for each in document.attachments]
    submission, files = read_inline(write_inline(document, contents), document.document_id, document.sender)
    assert [data for _, data in files] == contents
    assert [each.name for each in submission.files] == [each.name for each in document.attachments]
    assert submission.claimed_sender == document.sender.organ_id
    assert submission.document == replace(document, attachments=(), sealed_at=None)


def test_the_inline_form_is_for_todays_systems_and_holds_nothing_of_ours() -> None:
    data = write_inline(DOCUMENT, [b"%PDF-1.7", b""])
    assert b"urn:edoc" not in data
    assert b"<AttachmentEncoded>" in data
    assert b'<edXML:ContentTransferEncoded xmlns:edXML="http://www.mic.gov.vn/TBT/QCVN_102_2016">' in data
