"""``document.json``: what a document-management system writes into a job, as types.

The JSON Schema is made of these types, so every field says what it is for.  Limits of length are those of
QCVN 102:2016.

Rules: an unknown field is an error (a misspelt one would be lost in silence); words for choices are written as
people write them.  Does not read: :mod:`edoc.envelopes.submission` does.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from msgspec import Meta, Struct

from edoc.model.document import AttachmentRole, BusinessType, Urgency
from edoc.model.signers import PersonSignature

URGENCY_WORDS: dict[str, Urgency] = {
    "thường": Urgency.NORMAL,
    "khẩn": Urgency.URGENT,
    "thượng khẩn": Urgency.VERY_URGENT,
    "hỏa tốc": Urgency.IMMEDIATE,
    "hoả tốc": Urgency.IMMEDIATE,  # both ways to place the tone mark are in use
    "hỏa tốc hẹn giờ": Urgency.IMMEDIATE_TIMED,
    "hoả tốc hẹn giờ": Urgency.IMMEDIATE_TIMED,
    "normal": Urgency.NORMAL,
    "urgent": Urgency.URGENT,
    "very-urgent": Urgency.VERY_URGENT,
    "immediate": Urgency.IMMEDIATE,
    "immediate-timed": Urgency.IMMEDIATE_TIMED,
}

SECRECY_WORDS: dict[str, str] = {
    "": "",
    "thường": "",
    "không": "",
    "none": "",
    "mật": "mật",
    "tối mật": "tối mật",
    "tuyệt mật": "tuyệt mật",
}
"""Words for secrecy, and what the model keeps: empty, or the class for which the exchange refuses the document."""

BUSINESS_WORDS: dict[str, BusinessType] = {kind.name.lower(): kind for kind in BusinessType}


def _choice(words: dict[str, Any], description: str) -> Meta:
    return Meta(description=description, extra_json_schema={"enum": list(words)})


# “$” alone lets a newline follow, in Python though not in ECMAScript; this end means the same in both.
_END = r"$(?!\n)"
# A text that stands on one line.  Long texts may have lines.
_LINE = rf"^[^\x00-\x1f\x7f]*{_END}"

OrganCode = Annotated[
    str,
    Meta(
        pattern=rf"^[A-Z0-9]+(\.[A-Z0-9]+)*{_END}",
        max_length=35,
        description="Code of an organisation: H29.12.34.",
    ),
]
Count = Annotated[int, Meta(ge=0, le=999_999_999)]
FileName = Annotated[
    str,
    Meta(
        pattern=rf"^[^/\\\x00-\x1f\x7f]+{_END}",
        max_length=255,
        description="Name of the file in the job's folder, without a folder.",
    ),
]


class KindField(Struct, frozen=True, forbid_unknown_fields=True):
    """Kind of the document."""

    name: Annotated[str, Meta(min_length=1, max_length=100, pattern=_LINE, description="Tên loại: “Công văn”.")]
    code: Annotated[str, Meta(max_length=20, pattern=_LINE, description="Vendor's code of the kind.")] = ""
    detail: Annotated[str, Meta(max_length=20, pattern=_LINE, description="Vendor's code of the sub-kind.")] = ""


class SignerField(Struct, frozen=True, forbid_unknown_fields=True):
    """Who signed the document."""

    full_name: Annotated[str, Meta(min_length=1, max_length=50, pattern=_LINE, description="Họ và tên người ký.")]
    position: Annotated[str, Meta(max_length=100, pattern=_LINE, description="Chức vụ.")] = ""
    competence: Annotated[str, Meta(max_length=100, pattern=_LINE, description="Thẩm quyền: TM., Q., KT., TL.")] = ""


class RecipientField(Struct, frozen=True, forbid_unknown_fields=True):
    """An organisation with what the header shows of it."""

    code: OrganCode
    name: Annotated[str, Meta(max_length=200, pattern=_LINE, description="Tên cơ quan.")] = ""
    in_charge: Annotated[str, Meta(max_length=200, pattern=_LINE, description="Cơ quan chủ quản.")] = ""
    address: Annotated[str, Meta(max_length=250, pattern=_LINE, description="Địa chỉ.")] = ""
    email: Annotated[str, Meta(max_length=100, pattern=_LINE, description="Thư điện tử.")] = ""
    telephone: Annotated[str, Meta(max_length=20, pattern=_LINE, description="Điện thoại.")] = ""
    fax: Annotated[str, Meta(max_length=20, pattern=_LINE, description="Fax.")] = ""
    website: Annotated[str, Meta(max_length=100, pattern=_LINE, description="Trang thông tin điện tử.")] = ""


class ReplyField(Struct, frozen=True, forbid_unknown_fields=True):
    """The document that this one answers, or recalls."""

    sender: Annotated[str, Meta(max_length=35, pattern=_LINE, description="Code of the organisation that sent it.")] = (
        ""
    )
    code: Annotated[str, Meta(max_length=60, pattern=_LINE, description="Số và ký hiệu: 7816/VPCP-TTĐT.")] = ""
    document_id: Annotated[str, Meta(max_length=200, pattern=_LINE, description="Its id, as it was received.")] = ""
    date: Annotated[dt.date | None, Meta(description="Its date of issue, YYYY-MM-DD.")] = None


class ReplacedField(Struct, frozen=True, forbid_unknown_fields=True):
    """One document that a replacement replaces."""

    document_id: Annotated[
        str, Meta(min_length=1, max_length=200, pattern=_LINE, description="Its id, as it was sent or received.")
    ]
    recipients: Annotated[
        list[Annotated[str, Meta(max_length=35, pattern=_LINE)]],
        Meta(max_length=1000, description="Codes of those for whom it is replaced; everybody when left out."),
    ] = []


class ReceiverChangeField(Struct, frozen=True, forbid_unknown_fields=True):
    """One recipient that an update changes."""

    code: Annotated[str, Meta(max_length=35, pattern=_LINE, description="Code of the organisation.")]
    kind: Annotated[str, Meta(max_length=10, pattern=_LINE, description="edXML ReceiverType: 0 added, 1 removed.")] = ""


class UpdateField(Struct, frozen=True, forbid_unknown_fields=True):
    """What an update changes."""

    document: Annotated[str, Meta(max_length=10, pattern=_LINE, description="edXML DocumentInfo: 0 or 1.")] = ""
    recipients: Annotated[str, Meta(max_length=10, pattern=_LINE, description="edXML DocumentReceiver: 0 or 1.")] = ""
    changes: Annotated[list[ReceiverChangeField], Meta(max_length=1000, description="The recipients it changes.")] = []


class StaffField(Struct, frozen=True, forbid_unknown_fields=True):
    """Who handles the document."""

    department: Annotated[str, Meta(max_length=200, pattern=_LINE, description="Phòng, ban.")] = ""
    staff: Annotated[str, Meta(max_length=100, pattern=_LINE, description="Họ và tên.")] = ""
    email: Annotated[str, Meta(max_length=100, pattern=_LINE, description="Thư điện tử.")] = ""
    mobile: Annotated[str, Meta(max_length=20, pattern=_LINE, description="Điện thoại di động.")] = ""


class AttachmentField(Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the document."""

    file: FileName
    role: Annotated[
        AttachmentRole,
        Meta(description="main: the document itself; appendix: phụ lục; related: tài liệu kèm theo."),
    ]
    name: Annotated[
        str, Meta(max_length=255, pattern=_LINE, description="Name to show; the file's name when left out.")
    ] = ""
    description: Annotated[str, Meta(max_length=500, description="What the file is.")] = ""
    sha256: Annotated[
        Annotated[str, Meta(pattern=rf"^[0-9a-f]{{64}}{_END}")] | None,
        Meta(description="Lower-case hexadecimal SHA-256; checked when it is given."),
    ] = None
    person_signature: Annotated[
        PersonSignature | None,
        Meta(description="A person's digital signature in the PDF: required, or checked if present; as policy says."),
    ] = None


class DocumentField(Struct, frozen=True, forbid_unknown_fields=True):
    """A document to be sent: document.json in a job's folder."""

    number: Annotated[str, Meta(min_length=1, max_length=11, pattern=_LINE, description="Số; zeros are kept.")]
    notation: Annotated[str, Meta(max_length=30, pattern=_LINE, description="Ký hiệu: VPCP-TTĐT.")]
    type: Annotated[
        Annotated[str, Meta(min_length=1, max_length=100, pattern=_LINE)] | KindField,
        Meta(description="Tên loại văn bản, alone or with the vendor's codes."),
    ]
    subject: Annotated[str, Meta(min_length=1, max_length=500, description="Trích yếu.")]
    place: Annotated[str, Meta(max_length=50, pattern=_LINE, description="Nơi ban hành.")]
    date: Annotated[dt.date, Meta(description="Ngày ban hành, YYYY-MM-DD.")]
    recipients: Annotated[
        list[OrganCode | RecipientField],
        Meta(min_length=1, max_length=1000, description="Nơi nhận: codes, or objects with code and name."),
    ]
    attachments: Annotated[
        list[AttachmentField], Meta(max_length=500, description="The files, in the order in which they are shown.")
    ]
    signer: Annotated[SignerField | None, Meta(description="Người ký.")] = None
    urgency: Annotated[str, _choice(URGENCY_WORDS, "Độ khẩn.")] = "thường"
    secrecy: Annotated[
        str, _choice(SECRECY_WORDS, "Độ mật.  Secret documents are refused: they never travel on this network.")
    ] = ""
    due_date: Annotated[dt.date | None, Meta(description="Hạn trả lời, YYYY-MM-DD.")] = None
    reply_to: Annotated[
        list[ReplyField], Meta(max_length=100, description="What this document answers; in a recall, what it recalls.")
    ] = []
    dms_id: Annotated[
        str,
        Meta(
            max_length=200,
            pattern=_LINE,
            description="Your own id of the document.  The same id with the same content is answered as accepted.",
        ),
    ] = ""
    sender: Annotated[
        OrganCode | None, Meta(description="Code of the sending office; compared with the office of the spool.")
    ] = None
    content: Annotated[str, Meta(max_length=10_000, description="Nội dung, when it says more than the subject.")] = ""
    to_places: Annotated[
        list[Annotated[str, Meta(max_length=500)]],
        Meta(max_length=500, description="“Nơi nhận” as printed on the document, free text."),
    ] = []
    appendixes: Annotated[
        list[Annotated[str, Meta(max_length=500)]], Meta(max_length=500, description="Titles of the appendices.")
    ] = []
    sphere: Annotated[str, Meta(max_length=100, description="Lĩnh vực ban hành.")] = ""
    typer_notation: Annotated[str, Meta(max_length=10, pattern=_LINE, description="Ký hiệu người soạn thảo.")] = ""
    promulgation_amount: Annotated[Count | None, Meta(description="Số lượng bản phát hành.")] = None
    page_amount: Annotated[Count | None, Meta(description="Số trang.")] = None
    direction: Annotated[str, Meta(max_length=20, pattern=_LINE, description="edXML Direction, as it is.")] = ""
    steering_type: Annotated[str, Meta(pattern=rf"^[01]?{_END}", description="edXML SteeringType: 0 or 1.")] = ""
    edxml_document_id: Annotated[
        str,
        Meta(max_length=200, pattern=_LINE, description="edXML DocumentId; made of sender, date and code if left out."),
    ] = ""
    business_type: Annotated[str, _choice(BUSINESS_WORDS, "What this message does with the document.")] = "new"
    business_reason: Annotated[str, Meta(max_length=500, description="Why it is recalled, updated or replaced.")] = ""
    update: Annotated[UpdateField | None, Meta(description="In an update: what it changes.")] = None
    replaces: Annotated[
        list[ReplacedField], Meta(max_length=100, description="In a replacement: the documents that it replaces.")
    ] = []
    paper: Annotated[bool, Meta(description="A paper copy follows.")] = False
    staff: Annotated[StaffField | None, Meta(description="Who handles the document.")] = None
