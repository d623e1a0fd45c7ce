"""`edoc status`: what became of documents.

Rules: reads the journal read-only, so it works beside a running daemon and without one.

Does not change anything: `edoc queue` does.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edoc.cli.documents import MOST, code_of, document_named, fault_of, overdue
from edoc.cli.exit_codes import Exit
from edoc.cli.options import ConfigFile, Json, Lang
from edoc.cli.render import Output, moment, output
from edoc.cli.texts import (
    HEAD_ATTEMPTS,
    HEAD_CODE,
    HEAD_CREATED,
    HEAD_DOCUMENT,
    HEAD_FAULT,
    HEAD_JOB,
    HEAD_PEER,
    HEAD_RECEIPT,
    HEAD_RECIPIENT,
    HEAD_SENT,
    HEAD_STATE,
    INCOMING_FROM,
    NEXT,
    NOTHING,
    OUTGOING,
)
from edoc.errors import EdocError, FaultReport
from edoc.errors.configuration import NO_SUCH_DOCUMENT
from edoc.model.record import BusinessStatus, ReceptionBody, Record, SubmissionBody, TransferBody
from edoc.model.state import Kind

if TYPE_CHECKING:  # --help must not wait for them
    from edoc.config import Config
    from edoc.ports import Journal


def status(
    config: ConfigFile,
    document: Annotated[str | None, typer.Argument(help="Document id, job name or the DMS's own id.")] = None,
    *,
    late: Annotated[bool, typer.Option("--overdue", help="Only recipients whose receipt is overdue.")] = False,
    limit: Annotated[int, typer.Option(help="Most documents in the list.")] = 50,
    as_json: Json = False,
    lang: Lang = None,
) -> int:
    """Show all documents, or one with every recipient."""
    out = output(lang, as_json)
    from edoc.config import load  # noqa: PLC0415 -- --help must not wait for it

    return asyncio.run(_status(load(config), config, document, limit=limit, late=late, out=out))


async def _status(office: Config, config: Path, document: str | None, *, limit: int, late: bool, out: Output) -> Exit:
    from edoc.wiring import open_journal  # noqa: PLC0415 -- --help must not wait for it

    async with open_journal(office, readonly=True) as journal:
        if document is not None:
            document_id = await document_named(document, journal, config)
            records = await journal.find(document_id=document_id, limit=MOST)
            if not records:
                raise EdocError(NO_SUCH_DOCUMENT, value=document, config=config)
            for record in sorted(records, key=lambda one: (one.key.kind != Kind.SUBMISSION, one.key)):
                _show(record, out)
        elif late:
            deadline = datetime.now(UTC) - timedelta(hours=office.policy.receipt_deadline_hours)
            _transfers(overdue(await journal.find(kind=Kind.TRANSFER, limit=MOST), deadline), out)
        else:
            await _list(journal, limit, out)
    return Exit.OK


async def _list(journal: Journal, limit: int, out: Output) -> None:
    records = [
        *await journal.find(kind=Kind.SUBMISSION, limit=limit),
        *await journal.find(kind=Kind.RECEPTION, limit=limit),
    ]
    records.sort(key=lambda one: one.created, reverse=True)
    if out.as_json:
        for record in records[:limit]:
            out.object(record_object(record))
        return
    if not records:
        out.say(NOTHING)
        return
    rows = [
        (
            moment(one.created),
            one.document_id,
            code_of(one),
            out.text(OUTGOING) if one.key.kind is Kind.SUBMISSION else out.text(INCOMING_FROM, sender=one.key.peer),
            one.state,
            fault_of(one),
        )
        for one in records[:limit]
    ]
    out.table((HEAD_CREATED, HEAD_DOCUMENT, HEAD_CODE, HEAD_PEER, HEAD_STATE, HEAD_FAULT), rows)


def _transfers(records: list[Record], out: Output) -> None:
    if out.as_json:
        for record in records:
            out.object(record_object(record))
        return
    if not records:
        out.say(NOTHING)
        return
    rows = [
        (one.document_id, one.key.peer, one.state, moment(_sent_at(one)), str(one.attempts), fault_of(one))
        for one in records
    ]
    out.table((HEAD_DOCUMENT, HEAD_RECIPIENT, HEAD_STATE, HEAD_SENT, HEAD_ATTEMPTS, HEAD_FAULT), rows)


def _sent_at(record: Record) -> datetime | None:
    return record.body.sent_at if isinstance(record.body, TransferBody) else None


def _show(record: Record, out: Output) -> None:
    if out.as_json:
        out.object(record_object(record))
        return
    match record.body:
        case SubmissionBody() as body:
            out.line(f"{record.document_id}  {body.code}  {record.state}")
            out.line(f"  {out.text(HEAD_JOB)}: {body.job}")
            out.line(f"  {out.text(HEAD_CREATED)}: {moment(record.created)}")
            for note in body.notes:
                out.line(f"  {note}")
        case TransferBody() as body:
            out.line(f"  → {record.key.peer}  {record.state}")
            out.line(f"    {out.text(HEAD_SENT)}: {moment(body.sent_at)}")
            out.line(f"    {out.text(HEAD_RECEIPT)}: {moment(body.receipt_at)}")
            for one in body.history:
                out.line(f"    {one.code} {moment(one.at)} {one.description}".rstrip())
        case ReceptionBody() as body:
            sender = out.text(INCOMING_FROM, sender=record.key.peer)
            out.line(f"{record.document_id}  {code_of(record)}  {record.state}  {sender}")
            verdict = "—" if body.verdict is None else str(body.verdict.indication)
            out.line(f"  {moment(body.received_at)}  {verdict}")
        case _:
            out.line(f"{record.document_id}  {record.key.kind}  {record.state}  {record.key.peer}")
    if record.fault is not None:
        _show_fault(record.fault, out)


def _show_fault(fault: FaultReport, out: Output) -> None:
    out.line(f"    {fault.code}: {fault.text(out.lang)}")
    out.line(f"    {out.text(NEXT)} {fault.next_step(out.lang)}")


def record_object(record: Record) -> dict[str, object]:
    """Return a record as --json tells it: the same keys for every kind, those without meaning left out."""
    told: dict[str, object] = {
        "kind": record.key.kind,
        "document_id": record.document_id,
        "peer": record.key.peer,
        "state": record.state,
        "created": record.created,
        "next_attempt": record.next_attempt,
        "attempts": record.attempts,
        "fault": None if record.fault is None else record.fault.code,
        "code": code_of(record),
    }
    match record.body:
        case SubmissionBody() as body:
            told |= {"job": body.job, "dms_id": body.dms_id, "recipients": body.recipients}
        case TransferBody() as body:
            history: tuple[BusinessStatus, ...] = body.history
            told |= {"sent_at": body.sent_at, "receipt_at": body.receipt_at, "history": history}
        case ReceptionBody() as body:
            told |= {"received_at": body.received_at, "container_sha256": body.container_sha256}
    return told
