"""``document.json`` to the model, and its JSON Schema.

Rules: what the schema forbids is refused with the JSON path and what was expected.  Text is kept exactly; only the
words for choices are compared without regard to case, composition (NFC, NFD) and repeated spaces.

Does not touch files: whether a declared file is there is the exchange's question.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from edoc.envelopes.edxml_write import day
from edoc.envelopes.submission_format import (
    BUSINESS_WORDS,
    SECRECY_WORDS,
    URGENCY_WORDS,
    DocumentField,
    KindField,
    RecipientField,
    ReplyField,
)
from edoc.envelopes.text import shown
from edoc.errors import EdocError
from edoc.errors.spool import DESCRIPTION_INVALID
from edoc.model.document import (
    Code,
    DeclaredFile,
    Document,
    Party,
    ReceiverChange,
    Reference,
    Replaced,
    Signer,
    Staff,
    Submission,
    Update,
)
from edoc.model.identifiers import DocumentId, OrganId, Sha256

T = TypeVar("T")

MAX_BYTES = 4 * 1024 * 1024

_DECODER = msgspec.json.Decoder(DocumentField)
_AT = re.compile(r"^(?P<expected>.*?)(?: - at `(?P<path>.*)`)?$", re.DOTALL)
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

# What msgspec says, in Vietnamese; what is not here is shown as it is.
_VIETNAMESE = (
    (re.compile(r"Object missing required field (`.*`)"), r"thiếu trường bắt buộc \1"),
    (re.compile(r"Object contains unknown field (`.*`)"), r"có trường không được định nghĩa \1"),
    (re.compile(r"Expected (`.*`) of length (.*)"), r"cần \1 có độ dài \2"),
    (re.compile(r"Expected (`.*`) matching regex (.*)"), r"cần \1 theo mẫu \2"),
    (re.compile(r"Expected (`.*`), got (`.*`)"), r"cần \1, nhưng gặp \2"),
    (re.compile(r"Expected (`.*`) (.*)"), r"cần \1 \2"),
    (re.compile(r"Invalid enum value (.*)"), r"giá trị \1 không nằm trong danh sách cho phép"),
    (re.compile(r"Invalid RFC3339 encoded date"), "cần ngày theo dạng YYYY-MM-DD"),
)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of document.json (draft 2020-12)."""
    made = msgspec.json.schema(DocumentField)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:edoc:1:submission",
        "title": "document.json of a job",
    }
    return head | made


def read_submission(data: bytes, document_id: DocumentId, office: Party) -> Submission:
    """Return what a job's ``document.json`` asks for, sent by `office`.

    Raises EdocError DESCRIPTION_INVALID (path, expected).
    """
    fields = _decode(data)
    _check_texts(fields, "$")
    return Submission(
        document=_document(fields, document_id, office),
        files=_files(fields),
        dms_id=fields.dms_id,
        secrecy=_word(SECRECY_WORDS, fields.secrecy, "$.secrecy"),
        claimed_sender=fields.sender or "",
    )


def _document(fields: DocumentField, document_id: DocumentId, office: Party) -> Document:
    code = Code(number=fields.number, notation=fields.notation)
    kind = KindField(name=fields.type) if isinstance(fields.type, str) else fields.type
    return Document(
        document_id=document_id,
        sender=office,
        recipients=_recipients(fields),
        code=code,
        subject=fields.subject,
        place=fields.place,
        promulgation_date=fields.date,
        type_name=kind.name,
        type_code=kind.code,
        type_detail=kind.detail,
        content=fields.content,
        signer=_signer(fields),
        due_date=fields.due_date,
        urgency=_word(URGENCY_WORDS, fields.urgency, "$.urgency"),
        sphere=fields.sphere,
        typer_notation=fields.typer_notation,
        promulgation_amount=fields.promulgation_amount,
        page_amount=fields.page_amount,
        direction=fields.direction,
        appendixes=tuple(fields.appendixes),
        reply_to=tuple(_reference(each) for each in fields.reply_to),
        steering_type=fields.steering_type,
        to_places=tuple(fields.to_places),
        # The form that most systems write: organ, date, number/notation.
        correlation_id=fields.edxml_document_id or f"{office.organ_id},{day(fields.date)},{code}",
        business_type=_word(BUSINESS_WORDS, fields.business_type, "$.business_type"),
        business_reason=fields.business_reason,
        update=_update(fields),
        replaces=tuple(
            Replaced(document_id=one.document_id, organ_ids=tuple(one.recipients)) for one in fields.replaces
        ),
        paper=fields.paper,
        staff=_staff(fields),
    )


def _decode(data: bytes) -> DocumentField:
    if len(data) > MAX_BYTES:
        raise _invalid("$", f"at most {MAX_BYTES} bytes", f"tối đa {MAX_BYTES} byte")
    try:
        return _DECODER.decode(data.removeprefix(b"\xef\xbb\xbf"))  # Windows programs write a byte order mark
    except msgspec.ValidationError as error:
        match = _AT.match(str(error))
        expected, path = (match["expected"], match["path"]) if match else (str(error), None)
        raise _invalid(
            shown(path or "$", 200), shown(expected, 200), shown(_translated(expected), 200), error
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:  # the second for octets that are not UTF-8
        raise _invalid("$", "well-formed JSON in UTF-8", "phải là JSON đúng cú pháp, mã UTF-8", error) from error
    except RecursionError as error:
        raise _invalid("$", "JSON that is not nested so deeply", "JSON lồng quá sâu", error) from error


def _translated(expected: str) -> str:
    for pattern, words in _VIETNAMESE:
        if pattern.fullmatch(expected):
            return pattern.sub(words, expected)
    return expected


def _check_texts(value: object, path: str) -> None:
    """Refuse what XML cannot carry, and text that is blank where some is needed."""
    if isinstance(value, str):
        if _NOT_XML.search(value):
            raise _invalid(path, "text without control characters", "văn bản không có ký tự điều khiển")
        if value.isspace():
            raise _invalid(path, "text that is not blank", "không được chỉ gồm khoảng trắng")
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            _check_texts(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            _check_texts(each, f"{path}[{index}]")


def _word(words: Mapping[str, T], text: str, path: str) -> T:
    plain = " ".join(unicodedata.normalize("NFC", text).lower().split())
    if plain not in words:
        allowed = ", ".join(f"“{each}”" for each in words)
        raise _invalid(path, f"one of {allowed}", f"phải là một trong {allowed}")
    return words[plain]


def _recipients(fields: DocumentField) -> tuple[Party, ...]:
    found = tuple(_party(each) for each in fields.recipients)
    seen: set[OrganId] = set()
    for index, party in enumerate(found):
        if party.organ_id in seen:
            raise _invalid(f"$.recipients[{index}]", "each recipient once", "mỗi nơi nhận chỉ ghi một lần")
        seen.add(party.organ_id)
    return found


def _party(each: str | RecipientField) -> Party:
    if isinstance(each, str):
        return Party(organ_id=OrganId(each))  # the pattern of the field is the grammar of parse_organ_id
    return Party(
        organ_id=OrganId(each.code),
        name=each.name,
        in_charge=each.in_charge,
        address=each.address,
        email=each.email,
        telephone=each.telephone,
        fax=each.fax,
        website=each.website,
    )


def _signer(fields: DocumentField) -> Signer | None:
    signer = fields.signer
    if signer is None:
        return None
    return Signer(full_name=signer.full_name, competence=signer.competence, position=signer.position)


def _staff(fields: DocumentField) -> Staff | None:
    staff = fields.staff
    if staff is None:
        return None
    return Staff(department=staff.department, staff=staff.staff, email=staff.email, mobile=staff.mobile)


def _update(fields: DocumentField) -> Update | None:
    update = fields.update
    if update is None:
        return None
    changes = tuple(ReceiverChange(organ_id=one.code, kind=one.kind) for one in update.changes)
    return Update(document=update.document, receivers=update.recipients, changes=changes)


def _reference(each: ReplyField) -> Reference:
    return Reference(
        organ_id=each.sender,
        code=each.code,
        document_id=each.document_id,
        promulgation_date=day(each.date) if each.date else "",
    )


def _files(fields: DocumentField) -> tuple[DeclaredFile, ...]:
    seen: set[str] = set()
    for index, each in enumerate(fields.attachments):
        if each.file in {".", ".."} or each.file in seen:
            raise _invalid(
                f"$.attachments[{index}].file", "the name of one file, named once", "phải là tên một tệp, ghi một lần"
            )
        seen.add(each.file)
    return tuple(
        DeclaredFile(
            file=each.file,
            name=each.name or each.file,
            role=each.role,
            description=each.description,
            sha256=Sha256(each.sha256) if each.sha256 else None,
            person_signature=each.person_signature,
        )
        for each in fields.attachments
    )


def _invalid(path: str, expected: str, expected_vi: str, cause: object = "") -> EdocError:
    return EdocError(DESCRIPTION_INVALID, path=path, expected=expected, expected_vi=expected_vi, cause=str(cause))
