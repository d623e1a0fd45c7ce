"""What an edXML file is, and status messages of other systems.

Rules: the one entry point for a file of which nobody knows what it is: ``classify`` names it, and for each kind one
reader answers with a value or a fault.  Documents, of whatever business type, are read by ``read_inline``; ours and
foreign statuses by ``read_status`` and ``read_foreign_status``; the rest has a fault that says what to do.

A document says new, recall, update or replacement by its BussinessDocType, new when it says nothing; it travels like
any document, with its type kept.  A foreign status is unsigned: it is read so that it can be named and shown, and
never moves a document's state.  In the outbox it is refused (NOT_A_DOCUMENT).

Unverified bytes meet a parser here: callers run it in the bounded child.  Does not verify, and does not read file
contents.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from edoc.envelopes.edxml_inline import MAX_INLINE
from edoc.envelopes.edxml_read import (
    Levels,
    is_status,
    parse_message,
    read_business_type,
    read_party,
    read_reference,
    read_staff,
)
from edoc.envelopes.instants import parse_local
from edoc.envelopes.status import MAX_STATUS
from edoc.errors import EdocError
from edoc.errors.package import BAD_STATUS, NOT_EDXML, OLD_DIALECT
from edoc.model.document import BusinessType
from edoc.model.message import ForeignStatus, StatusCode


class Kind(StrEnum):
    """What a file with edXML in it is."""

    NEW = "new"
    RECALL = "recall"  # thu hồi
    UPDATE = "update"  # cập nhật
    REPLACEMENT = "replacement"  # thay thế
    STATUS = "status"  # trạng thái, ours or another system's
    OLD_DIALECT = "old-dialect"  # eDoc of 2011–2015
    NOT_EDXML = "not-edxml"  # well-formed XML of something else
    MALFORMED = "malformed"  # not well-formed, forbidden, or neither document nor status


DOCUMENTS = frozenset({Kind.NEW, Kind.RECALL, Kind.UPDATE, Kind.REPLACEMENT})

_BUSINESS = {
    BusinessType.NEW: Kind.NEW,
    BusinessType.RECALL: Kind.RECALL,
    BusinessType.UPDATE: Kind.UPDATE,
    BusinessType.REPLACEMENT: Kind.REPLACEMENT,
}
_BY_FAULT = {OLD_DIALECT: Kind.OLD_DIALECT, NOT_EDXML: Kind.NOT_EDXML}


def classify(data: bytes) -> Kind:
    """Return what `data` is; never an error, whatever the bytes are.

    A kind promises a reader, not that it will like the file: a recall without a code is still a recall.
    """
    try:
        levels = Levels(parse_message(data, limit=MAX_INLINE, long_text=True))
        if is_status(levels):
            return Kind.STATUS
        if levels.message.element is None:
            return Kind.MALFORMED
        return _BUSINESS[read_business_type(levels)]
    except EdocError as error:
        return _BY_FAULT.get(error.fault, Kind.MALFORMED)


def read_foreign_status(data: bytes) -> ForeignStatus:
    """Return what a status message of any system says in the field's own elements, signed or not.

    Raises EdocError MALFORMED_XML, XML_FORBIDDEN, OLD_DIALECT, NOT_EDXML, BAD_STATUS (a document),
    HEADER_INCOMPLETE, HEADER_INVALID and BAD_IDENTIFIER.
    """
    levels = Levels(parse_message(data, limit=MAX_STATUS))
    if not is_status(levels):
        raise EdocError(BAD_STATUS, detail="it has no StatusCode", detail_vi="không có StatusCode")
    message = levels.message
    code = message.required("StatusCode").strip()
    timestamp = message.text("Timestamp")
    status = ForeignStatus(
        sender=read_party(message.block("From")),
        answers=read_reference(message.block("ResponseFor")),
        status_code=code,
        code=_known(code),
        description=message.text("Description"),
        timestamp_text=timestamp,
        timestamp=parse_local(timestamp),
        staff=read_staff(message),
    )
    return replace(status, unknown=levels.unknown())  # what nobody asked for is known when all else is read


def _known(code: str) -> StatusCode | None:
    # Some systems hold the code as a number, so that its zero is lost.
    padded = code.zfill(2)
    return StatusCode(padded) if padded in set(StatusCode) else None
