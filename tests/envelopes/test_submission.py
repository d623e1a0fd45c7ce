from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from envelopes.cases import ID, OFFICE
from hypothesis import given
from hypothesis import strategies as st

from edoc.envelopes.edxml import read_envelope, write_envelope
from edoc.envelopes.submission import read_submission, schema
from edoc.errors import EdocError
from edoc.model.document import AttachmentRole, BusinessType, Reference, Signer, Submission, Urgency

SCHEMA = Path(__file__).parents[2] / "schemas" / "submission.schema.json"

LEAST: dict[str, Any] = {
    "number": "0123",
    "notation": "SNV-VP",
    "type": "Công văn",
    "subject": "V/v kiểm tra công tác văn thư",
    "place": "Nghệ An",
    "date": "2026-11-22",
    "recipients": ["H29.12.34"],
    "attachments": [{"file": "Công văn.pdf", "role": "main"}],
}
FULL: dict[str, Any] = LEAST | {
    "type": {"name": "Công văn", "code": "7", "detail": "0"},
    "recipients": ["H29.12.34", {"code": "000.00.00.G22", "name": "Văn phòng Chính phủ"}],
    "attachments": [
        {"file": "Công văn.pdf", "role": "main", "sha256": "ab" * 32},
        {"file": "2.xlsx", "name": "Phụ lục.xlsx", "role": "appendix", "description": "Phụ lục kèm theo"},
    ],
    "signer": {"full_name": "Nguyễn Văn A", "competence": "KT.", "position": "Phó Giám đốc"},
    "urgency": "hỏa tốc",
    "secrecy": "",
    "due_date": "2026-12-01",
    "reply_to": [{"sender": "000.00.00.G22", "code": "7816/VPCP-TTĐT", "date": "2015-09-30"}],
    "dms_id": "vb-2026-0123",
    "sender": "H41.05",
    "content": "Nội dung\nnhiều dòng",
    "to_places": ["Như trên", "Lưu: VT"],
    "business_type": "replacement",
    "business_reason": "Sai thể thức",
    "paper": True,
    "staff": {"department": "Văn thư", "staff": "Nguyễn Văn Thư"},
    "page_amount": 3,
}


def read(fields: dict[str, Any]) -> Submission:
    return read_submission(json.dumps(fields).encode(), ID, OFFICE)


def refused(data: dict[str, Any] | bytes) -> EdocError:
    with pytest.raises(EdocError) as caught:
        read_submission(data if isinstance(data, bytes) else json.dumps(data).encode(), ID, OFFICE)
    assert caught.value.code == "DESCRIPTION_INVALID"
    assert not re.search(r"\{[a-z_]+\}", caught.value.text("vi"))
    return caught.value


def test_the_least_description_is_enough() -> None:
    submission = read(LEAST)
    document = submission.document
    assert document.document_id == ID
    assert document.sender is OFFICE
    assert document.urgency is Urgency.NORMAL
    assert document.correlation_id == "H41.05,2026/11/22,0123/SNV-VP"
    assert submission.files[0].name == "Công văn.pdf"
    assert (submission.dms_id, submission.secrecy, submission.claimed_sender) == ("", "", "")


def test_every_field_reaches_the_model() -> None:
    submission = read(FULL)
    document = submission.document
    assert (document.type_name, document.type_code) == ("Công văn", "7")
    assert document.recipients[1].name == "Văn phòng Chính phủ"
    assert document.signer == Signer(full_name="Nguyễn Văn A", competence="KT.", position="Phó Giám đốc")
    assert document.urgency is Urgency.IMMEDIATE
    assert document.business_type is BusinessType.REPLACEMENT
    assert document.reply_to == (
        Reference(organ_id="000.00.00.G22", code="7816/VPCP-TTĐT", promulgation_date="2015/09/30"),
    )
    assert submission.files[0].sha256 == "ab" * 32
    assert (submission.files[1].name, submission.files[1].role) == ("Phụ lục.xlsx", AttachmentRole.APPENDIX)
    assert (submission.dms_id, submission.claimed_sender) == ("vb-2026-0123", "H41.05")
    assert read_envelope(write_envelope(document)) == document


@pytest.mark.parametrize(
    ("word", "urgency"),
    [
        ("thường", Urgency.NORMAL),
        ("Khẩn", Urgency.URGENT),
        ("THƯỢNG  KHẨN", Urgency.VERY_URGENT),
        ("hoả tốc", Urgency.IMMEDIATE),
        (unicodedata.normalize("NFD", "hỏa tốc hẹn giờ"), Urgency.IMMEDIATE_TIMED),
        ("immediate-timed", Urgency.IMMEDIATE_TIMED),
    ],
)
def test_urgency_is_understood_as_people_write_it(word: str, urgency: Urgency) -> None:
    assert read(LEAST | {"urgency": word}).document.urgency is urgency


@pytest.mark.parametrize(("word", "kept"), [("Mật", "mật"), ("tuyệt mật", "tuyệt mật"), ("không", ""), ("", "")])
def test_secrecy_is_kept_for_the_exchange_to_refuse(word: str, kept: str) -> None:
    assert read(LEAST | {"secrecy": word}).secrecy == kept


def test_a_word_for_secrecy_that_is_not_known_is_never_read_as_none() -> None:
    assert refused(LEAST | {"secrecy": "mat"}).facts["path"] == "$.secrecy"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"number": 123}, "$.number"),
        ({"number": "123456789012"}, "$.number"),
        ({"number": "\u00a0 "}, "$.number"),
        ({"subject": "a\x01b"}, "$.subject"),
        ({"subject": ""}, "$.subject"),
        ({"place": "a\nb"}, "$.place"),
        ({"date": "22/11/2026"}, "$.date"),
        ({"date": "2026-02-30"}, "$.date"),
        ({"type": {}}, "$.type"),
        ({"recipients": []}, "$.recipients"),
        ({"recipients": ["H29", "h29"]}, "$.recipients[1]"),
        ({"recipients": ["H29\n"]}, "$.recipients[0]"),
        ({"recipients": ["H29", {"code": "H29"}]}, "$.recipients[1]"),
        ({"urgency": "gấp"}, "$.urgency"),
        ({"sujbect": "x"}, "$"),
        ({"signer": {"name": "A"}}, "$.signer"),
        ({"attachments": [{"file": "../x", "role": "main"}]}, "$.attachments[0].file"),
        ({"attachments": [{"file": "..", "role": "main"}]}, "$.attachments[0].file"),
        ({"attachments": [{"file": "a\\b", "role": "main"}]}, "$.attachments[0].file"),
        ({"attachments": [{"file": "a", "role": "first"}]}, "$.attachments[0].role"),
        ({"attachments": [{"file": "a", "role": "main", "sha256": "AB" * 32}]}, "$.attachments[0].sha256"),
        ({"attachments": [{"file": "a", "role": "main"}, {"file": "a", "role": "main"}]}, "$.attachments[1].file"),
        ({"sender": "../H41"}, "$.sender"),
        ({"page_amount": -1}, "$.page_amount"),
    ],
)
def test_what_is_wrong_is_refused_with_its_path(change: dict[str, Any], path: str) -> None:
    error = refused(LEAST | change)
    assert error.facts["path"] == path
    assert error.facts["expected"]


def test_a_missing_field_is_named_in_both_languages() -> None:
    error = refused({name: value for name, value in LEAST.items() if name != "subject"})
    assert "`subject`" in error.text("en")
    assert "thiếu trường bắt buộc `subject`" in error.text("vi")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"number":' * 100_000,
        b"null",
        b"{}",
        b'{"number":"\xff"}',
        b'{"\xff":1}',
    ],
)
def test_what_is_no_description_at_all_is_refused(data: bytes) -> None:
    refused(data)


def test_a_byte_order_mark_is_allowed() -> None:
    assert read_submission(b"\xef\xbb\xbf" + json.dumps(LEAST).encode(), ID, OFFICE) == read(LEAST)


def test_the_schema_in_the_repository_is_the_one_the_code_makes() -> None:
    made = json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"
    assert SCHEMA.read_text(encoding="utf-8") == made, "write edoc.envelopes.submission.schema() to schemas/"


def test_the_schema_says_what_every_field_is_for() -> None:
    for name, definition in schema()["$defs"].items():
        for field, rule in definition.get("properties", {}).items():
            assert "description" in rule, f"{name}.{field}"


def test_the_examples_keep_the_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    checker = jsonschema.Draft202012Validator(schema(), format_checker=jsonschema.FormatChecker())
    checker.validate(LEAST)
    checker.validate(FULL)


CHECKER = jsonschema.Draft202012Validator(schema())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "H29", "2026-11-22", "main", "a/b", "khẩn"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["code", "name", "file"]), inner),
    max_leaves=4,
)


@given(st.sampled_from(sorted(FULL)), VALUES)
def test_what_is_read_also_keeps_the_schema(name: str, value: object) -> None:
    fields = FULL | {name: value}
    try:
        read(fields)
    except EdocError:
        return
    CHECKER.validate(fields)
