"""Hypothesis strategies for the model's values, as far as envelopes carry them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

from hypothesis import strategies as st

from edoc.envelopes import xml
from edoc.model.document import (
    Attachment,
    AttachmentRole,
    BusinessType,
    Code,
    Document,
    Party,
    ReceiverChange,
    Reference,
    Replaced,
    Signer,
    Staff,
    Trace,
    Update,
    Urgency,
)
from edoc.model.evidence import EvidenceEvent
from edoc.model.identifiers import DocumentId, OrganId, Sha256
from edoc.model.message import StatusCode, StatusReport

VIETNAMESE = "Văn phòng Chính phủ đề nghị Ủy ban nhân dân tỉnh Nghệ An, hỏa tốc; ệ ữ ỵ"


def texts(max_size: int = 30) -> st.SearchStrategy[str]:
    """Any text that XML 1.0 can carry, controls of layout and astral characters included."""
    anything = st.text(
        st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff", include_characters="\t\n\r"),
        max_size=max_size,
    )
    return st.one_of(anything, st.text(VIETNAMESE, max_size=max_size), st.just("a ]]> &amp; <b/>"))


def words(max_size: int = 30) -> st.SearchStrategy[str]:
    """Text that is not blank."""
    return texts(max_size).filter(lambda text: bool(text.strip()))


document_ids = st.uuids().map(lambda value: DocumentId(str(value)))
organ_ids = st.from_regex(r"[A-Y][0-9]{2}(\.[A-Z0-9]{1,4}){0,3}", fullmatch=True).map(OrganId)
digests = st.binary(min_size=32, max_size=32).map(lambda value: Sha256(value.hex()))
instants = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)) | st.datetimes(  # noqa: DTZ001 -- hypothesis adds the zone
    datetime(1990, 1, 1),  # noqa: DTZ001 -- the same
    datetime(2100, 1, 1),  # noqa: DTZ001 -- the same
    timezones=st.just(timezone(timedelta(hours=7))),
)
days = st.dates(date(1, 1, 1), date(9999, 12, 31))

parties = st.builds(
    Party,
    organ_id=organ_ids,
    name=texts(),
    in_charge=texts(),
    address=texts(),
    email=texts(),
    telephone=texts(),
    fax=texts(),
    website=texts(),
)
references = st.builds(Reference, organ_id=texts(), code=texts(), document_id=texts(), promulgation_date=texts())
staffs = st.builds(Staff, department=texts(), staff=texts(), email=texts(), mobile=texts())
changes = st.builds(ReceiverChange, organ_id=texts(), kind=texts(3))
updates = st.builds(Update, document=texts(3), receivers=texts(3), changes=st.lists(changes, max_size=2).map(tuple))
replaced = st.builds(Replaced, document_id=texts(), organ_ids=st.lists(texts(), max_size=2).map(tuple))
signers = st.builds(Signer, full_name=words(), competence=texts(), position=texts())
traces = st.builds(Trace, organ_id=texts(), timestamp=texts())


def _unknown(place: str, element: str) -> str:
    wrapped = f'<unknown xmlns="{xml.EDOC}" xmlns:edXML="{xml.EDXML}" in="{place}">{element}</unknown>'
    return xml.canonical(xml.parse(wrapped.encode())).decode()


unknown_in_header = st.sampled_from(
    [
        _unknown("MessageHeader", "<edXML:Confidential>abc</edXML:Confidential>"),
        _unknown("MessageHeader", '<x:E xmlns:x="urn:vendor:2"><x:A b="1"> c </x:A>\n<B xmlns=""/></x:E>'),
        _unknown("MessageHeader", '<plain xmlns="">đ<b/></plain>'),
    ]
)
unknown_in_business = _unknown(
    "Bussiness",
    "<v:Kept xmlns:v='urn:vendor:4'>1</v:Kept>",
)
unknown_in_list = _unknown("MessageHeader/ToPlaces", '<v:Note xmlns:v="urn:vendor:3"/>')


@st.composite
def unknowns(draw: st.DrawFn) -> tuple[str, ...]:
    """Unknown elements in the order in which a reader returns them: by place."""
    business = [unknown_in_business] if draw(st.booleans()) else []
    places = [unknown_in_list] if draw(st.booleans()) else []
    return (*business, *draw(st.lists(unknown_in_header, max_size=2)), *places)


@st.composite
def attachments(draw: st.DrawFn) -> tuple[Attachment, ...]:
    """Attachments numbered from 1."""
    count = draw(st.integers(0, 3))
    return tuple(
        Attachment(
            number=number,
            name=draw(words() | words(8).map(lambda stem: stem + ".pdf")),
            media_type=draw(st.sampled_from(["application/pdf", "application/octet-stream", ""])),
            size=draw(st.integers(0, 2**40)),
            sha256=draw(digests),
            role=draw(st.sampled_from(AttachmentRole)),
            description=draw(texts()),
        )
        for number in range(1, count + 1)
    )


documents = st.builds(
    Document,
    document_id=document_ids,
    sender=parties,
    recipients=st.lists(parties, min_size=1, max_size=3, unique_by=lambda party: party.organ_id).map(tuple),
    code=st.builds(Code, number=words(11), notation=texts(30)),
    subject=words(),
    place=texts(),
    promulgation_date=days,
    type_name=words(),
    type_code=texts(5),
    type_detail=texts(5),
    content=texts(),
    signer=st.none() | signers,
    due_date=st.none() | days,
    urgency=st.sampled_from(Urgency),
    sphere=texts(),
    typer_notation=texts(),
    promulgation_amount=st.none() | st.integers(0, 999_999_999),
    page_amount=st.none() | st.integers(0, 999_999_999),
    direction=texts(),
    appendixes=st.lists(texts(), max_size=2).map(tuple),
    reply_to=st.lists(references, max_size=2).map(tuple),
    steering_type=texts(),
    to_places=st.lists(texts(), max_size=2).map(tuple),
    correlation_id=texts(),
    business_type=st.sampled_from(BusinessType),
    business_reason=texts(),
    business_document_id=texts(),
    update=st.none() | updates,
    replaces=st.lists(replaced, max_size=2).map(tuple),
    paper=st.booleans(),
    staff=st.none() | staffs,
    traces=st.lists(traces, max_size=2).map(tuple),
    sealed_at=st.none() | instants,
    attachments=attachments(),
    unknown=unknowns(),
)
"""Documents as an envelope carries them."""

# A fault is a code of our own catalogue, so plain ASCII.
statuses = st.builds(
    StatusReport,
    status_id=document_ids,
    document_id=document_ids,
    sender=parties,
    recipient=organ_ids,
    code=st.sampled_from(StatusCode),
    event=st.sampled_from(EvidenceEvent),
    timestamp=instants,
    container_sha256=digests,
    signature_digests=st.lists(digests, max_size=3).map(tuple),
    fault=st.from_regex(r"([A-Z][A-Z_]{2,20})?", fullmatch=True),
    description=texts(),
    answers=references,
    staff=st.none() | staffs,
)
"""Status reports as a status message carries them."""
