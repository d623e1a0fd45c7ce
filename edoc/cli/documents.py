"""Records of the journal as the command line names and finds them.

Rules: a document is found by its id, by its job's name or by the id that the DMS gave it; states stay the journal's
words.  Does not write.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from edoc.errors import EdocError
from edoc.errors.configuration import NO_SUCH_DOCUMENT
from edoc.model.identifiers import DocumentId, parse_document_id
from edoc.model.record import ReceptionBody, Record, SubmissionBody, TransferBody

if TYPE_CHECKING:  # --help must not wait for it
    from edoc.ports import Journal

MOST = 100_000


async def document_named(value: str, journal: Journal, config: Path) -> DocumentId:
    """Return the id of the document that `value` names; EdocError NO_SUCH_DOCUMENT."""
    try:
        return parse_document_id(value)
    except EdocError:
        pass  # not an id: a job's name or the DMS's own id
    found = await journal.find(dms_id=value, limit=1) or [
        one
        for one in await journal.find(limit=MOST)
        if isinstance(one.body, SubmissionBody) and one.body.job in {value, f"{value}.edxml"}
    ]
    if not found:
        raise EdocError(NO_SUCH_DOCUMENT, value=value, config=config)
    return found[0].document_id


def record_name(record: Record) -> str:
    """Return how a record is called: kind, id and the other side."""
    return " ".join(part for part in (record.key.kind, record.document_id, record.key.peer) if part)


def code_of(record: Record) -> str:
    """Return number and notation, as far as the record knows them."""
    match record.body:
        case SubmissionBody(code=code):
            return code
        case ReceptionBody(document=document):
            return "" if document is None else str(document.code)
    return ""


def fault_of(record: Record) -> str:
    """Return the code of the record's fault, or nothing."""
    return "" if record.fault is None else record.fault.code


def overdue(records: Sequence[Record], before: datetime) -> list[Record]:
    """Return transfers without an answer that were sent, or born, before `before`."""
    late = []
    for record in records:
        if isinstance(record.body, TransferBody) and record.state in {"QUEUED", "SENT", "HELD"}:
            since = record.body.sent_at or record.created
            if since < before:
                late.append(record)
    return late
