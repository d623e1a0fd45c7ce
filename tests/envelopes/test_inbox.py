from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime

import pytest
from envelopes.cases import DOCUMENT
from envelopes.strategies import documents
from hypothesis import given
from hypothesis import strategies as st

from edoc.envelopes.inbox import document_json, safe_attachment_name
from edoc.envelopes.submission_format import DocumentField
from edoc.envelopes.text import is_hidden, shown
from edoc.model.document import Document
from edoc.model.identifiers import Sha256

CONTAINER = Sha256("ef" * 32)
RECEIVED = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def test_the_receiving_system_reads_the_fields_that_the_sending_one_wrote() -> None:
    received = json.loads(document_json(DOCUMENT, CONTAINER, RECEIVED))
    ours = {"document_id", "received_at", "sealed_at", "container_sha256"}
    assert received.keys() - ours <= set(DocumentField.__struct_fields__)
    assert set(DocumentField.__struct_fields__) - received.keys() == {"dms_id", "secrecy"}
    assert received["received_at"] == "2026-11-22T10:00:00+07:00"
    assert received["sender"] == {"code": "H41.05", "name": "Sở Nội vụ tỉnh Nghệ An"}
    assert received["urgency"] == "thường"
    assert received["attachments"][0] == {
        "number": 1,
        "file": "01-Công văn.pdf",
        "name": "Công văn.pdf",
        "role": "main",
        "media_type": "application/pdf",
        "description": "",
        "size": 3,
        "sha256": "ab" * 32,
    }


@given(documents)
def test_any_document_becomes_json(document: Document) -> None:
    received = json.loads(document_json(document, CONTAINER, RECEIVED))
    assert received["subject"] == document.subject


NASTY = st.text(st.characters() | st.sampled_from("../\\:\0\n\u202e\u200b\u0301ệộ "), max_size=300)


@given(st.integers(1, 2000), NASTY)
def test_a_name_on_disk_is_one_harmless_component(number: int, name: str) -> None:
    safe = safe_attachment_name(number, name)
    assert safe.startswith(f"{number:02}-")
    assert len(safe.encode()) <= 150
    assert unicodedata.is_normalized("NFC", safe)
    assert not any(is_hidden(each) or each in '/\\:*?"<>|\0' for each in safe)
    assert safe == safe.rstrip(" .")


@given(NASTY, NASTY)
def test_different_numbers_give_different_names_even_without_case(first: str, second: str) -> None:
    assert safe_attachment_name(1, first).casefold() != safe_attachment_name(11, second).casefold()


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Công văn số 1.pdf", "01-Công văn số 1.pdf"),
        (unicodedata.normalize("NFD", "Tờ trình.docx"), "01-Tờ trình.docx"),
        ("../../etc/passwd", "01-_.._etc_passwd"),
        ("a\u202efdp.exe", "01-afdp.exe"),
        ("..", "01-file"),
        ("", "01-file"),
        (".pdf", "01-file.pdf"),
        ("C:\\x\\y.doc", "01-C__x_y.doc"),
        ("a.pdf.", "01-a.pdf"),
        ("a.not an extension", "01-a.not an extension"),
    ],
)
def test_names_stay_readable(name: str, safe: str) -> None:
    assert safe_attachment_name(1, name) == safe


def test_a_long_name_keeps_its_extension() -> None:
    safe = safe_attachment_name(7, "ộ" * 200 + ".docx")
    assert safe.endswith("ộ.docx")
    assert 145 <= len(safe.encode()) <= 150


def test_text_for_a_message_shows_what_hides() -> None:
    assert shown("a\u200b\x1b") == "a\\u200b\\u001b"
    assert len(shown("x" * 1000)) == 81
