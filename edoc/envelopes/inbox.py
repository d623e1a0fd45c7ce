"""What the receiving document-management system reads: ``document.json`` in the inbox, and names of files there.

Rules: field names are those of the job's ``document.json``, so that one program reads both; codes of organisations
are objects, texts are what the sender sealed.  A name on disk is made of a number and the harmless part of the name
in the message; it is one path component on every system.

Does not write files.
"""

from __future__ import annotations

import datetime as dt
import unicodedata

import msgspec

from edoc.envelopes.instants import VIETNAM
from edoc.envelopes.submission_format import BUSINESS_WORDS, URGENCY_WORDS
from edoc.envelopes.text import is_hidden
from edoc.model.document import Attachment, Document, Party, Reference, Update
from edoc.model.identifiers import Sha256

MAX_NAME = 150
"""Bytes of a name on disk; file systems allow 255, encrypted ones 143 to 150."""

_KEPT = frozenset(" ._-(),+")
_URGENCY = {urgency: word for word, urgency in reversed(list(URGENCY_WORDS.items())) if not word.isascii()}
_BUSINESS = {kind: word for word, kind in BUSINESS_WORDS.items()}


class _Kind(msgspec.Struct, frozen=True):
    name: str
    code: str
    detail: str


class _Organisation(msgspec.Struct, frozen=True, omit_defaults=True):
    code: str
    name: str
    in_charge: str = ""
    address: str = ""
    email: str = ""
    telephone: str = ""
    fax: str = ""
    website: str = ""


class _Signer(msgspec.Struct, frozen=True):
    full_name: str
    position: str
    competence: str


class _Reply(msgspec.Struct, frozen=True):
    sender: str
    code: str
    document_id: str
    date: str  # as the sender wrote it, yyyy/MM/dd as a rule


class _Replaced(msgspec.Struct, frozen=True):
    document_id: str
    recipients: tuple[str, ...]


class _Change(msgspec.Struct, frozen=True):
    code: str
    kind: str


class _Update(msgspec.Struct, frozen=True):
    document: str
    recipients: str
    changes: tuple[_Change, ...]


class _Staff(msgspec.Struct, frozen=True):
    department: str
    staff: str
    email: str
    mobile: str


class _File(msgspec.Struct, frozen=True):
    number: int
    file: str  # the name in the inbox folder
    name: str  # the name that the sender gave it
    role: str
    media_type: str
    description: str
    size: int
    sha256: str


class _Received(msgspec.Struct, frozen=True):
    document_id: str
    received_at: dt.datetime
    sealed_at: dt.datetime | None
    container_sha256: str
    sender: _Organisation
    number: str
    notation: str
    type: _Kind
    subject: str
    place: str
    date: dt.date
    recipients: tuple[_Organisation, ...]
    attachments: tuple[_File, ...]
    signer: _Signer | None
    urgency: str
    due_date: dt.date | None
    reply_to: tuple[_Reply, ...]
    content: str
    to_places: tuple[str, ...]
    appendixes: tuple[str, ...]
    sphere: str
    typer_notation: str
    promulgation_amount: int | None
    page_amount: int | None
    direction: str
    steering_type: str
    edxml_document_id: str
    business_type: str
    business_reason: str
    update: _Update | None
    replaces: tuple[_Replaced, ...]
    paper: bool
    staff: _Staff | None


def document_json(document: Document, container_sha256: Sha256, received_at: dt.datetime) -> bytes:
    """Return ``document.json`` for the inbox: indented UTF-8; instants are ISO 8601 with +07:00."""
    staff, signer = document.staff, document.signer
    received = _Received(
        document_id=document.document_id,
        received_at=received_at.astimezone(VIETNAM),
        sealed_at=document.sealed_at.astimezone(VIETNAM) if document.sealed_at else None,
        container_sha256=container_sha256,
        sender=_organisation(document.sender),
        number=document.code.number,
        notation=document.code.notation,
        type=_Kind(document.type_name, document.type_code, document.type_detail),
        subject=document.subject,
        place=document.place,
        date=document.promulgation_date,
        recipients=tuple(_organisation(party) for party in document.recipients),
        attachments=tuple(_file(attachment) for attachment in document.attachments),
        signer=_Signer(signer.full_name, signer.position, signer.competence) if signer else None,
        urgency=_URGENCY[document.urgency],
        due_date=document.due_date,
        reply_to=tuple(_reply(reference) for reference in document.reply_to),
        content=document.content,
        to_places=document.to_places,
        appendixes=document.appendixes,
        sphere=document.sphere,
        typer_notation=document.typer_notation,
        promulgation_amount=document.promulgation_amount,
        page_amount=document.page_amount,
        direction=document.direction,
        steering_type=document.steering_type,
        edxml_document_id=document.correlation_id,
        business_type=_BUSINESS[document.business_type],
        business_reason=document.business_reason,
        update=_update(document.update),
        replaces=tuple(_Replaced(one.document_id, one.organ_ids) for one in document.replaces),
        paper=document.paper,
        staff=_Staff(staff.department, staff.staff, staff.email, staff.mobile) if staff else None,
    )
    return msgspec.json.format(msgspec.json.encode(received), indent=2) + b"\n"


def safe_attachment_name(number: int, name: str) -> str:
    """Return the name on disk of attachment `number`: ``<nn>-<what is harmless of its name>``, at most 150 bytes.

    Letters (Vietnamese ones too, composed), digits, spaces and ``._-(),+`` are kept, all else becomes ``_``; the
    extension is kept.  Different numbers give different names, whatever the names in the message are.
    """
    visible = "".join(each for each in name if not is_hidden(each))
    plain = "".join(_plain(each) for each in unicodedata.normalize("NFC", visible))
    stem, dot, last = plain.rpartition(".")
    suffix = f".{last}" if dot and last.isalnum() and len(last.encode()) <= 16 else ""
    stem = (stem if suffix else plain).strip(" .")
    prefix = f"{number:02}-"
    room = MAX_NAME - len(prefix.encode()) - len(suffix.encode())
    # Cut in bytes, then drop what is left of a character that was cut in two, and what must not end a name.
    short = stem.encode()[:room].decode(errors="ignore").rstrip(" .")
    return f"{prefix}{short or 'file'}{suffix}"


def _plain(character: str) -> str:
    return character if character in _KEPT or unicodedata.category(character)[0] in "LMN" else "_"


def _organisation(party: Party) -> _Organisation:
    return _Organisation(
        code=party.organ_id,
        name=party.name,
        in_charge=party.in_charge,
        address=party.address,
        email=party.email,
        telephone=party.telephone,
        fax=party.fax,
        website=party.website,
    )


def _reply(reference: Reference) -> _Reply:
    return _Reply(reference.organ_id, reference.code, reference.document_id, reference.promulgation_date)


def _update(update: Update | None) -> _Update | None:
    if update is None:
        return None
    changes = tuple(_Change(one.organ_id, one.kind) for one in update.changes)
    return _Update(update.document, update.receivers, changes)


def _file(attachment: Attachment) -> _File:
    return _File(
        number=attachment.number,
        file=safe_attachment_name(attachment.number, attachment.name),
        name=attachment.name,
        role=attachment.role.value,
        media_type=attachment.media_type,
        description=attachment.description,
        size=attachment.size,
        sha256=attachment.sha256,
    )
