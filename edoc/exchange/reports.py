"""What the office's folders say: status files, error files, verification and evidence files.

Rules: states are the journal's words; every fault is told with code, text and next step in both languages.
Pure: values in, bytes out.
Does not write files.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from edoc.errors import FaultReport
from edoc.model.document import Document
from edoc.model.evidence import Evidence
from edoc.model.identifiers import OrganId
from edoc.model.record import BusinessStatus, ReceptionBody, Record, SubmissionBody, TransferBody
from edoc.model.state import Kind, State, final
from edoc.model.verdict import Check, SignatureReport, Verdict


class ErrorFile(msgspec.Struct, frozen=True):
    """A fault as a document-management system reads it."""

    code: str
    disposition: str
    text_vi: str
    text_en: str
    next_vi: str
    next_en: str


class RecipientStatus(msgspec.Struct, frozen=True):
    """Where the document is for one recipient."""

    organ_id: OrganId
    state: State
    attempts: int
    error: ErrorFile | None
    sent_at: datetime | None
    receipt_at: datetime | None
    history: tuple[BusinessStatus, ...]


class StatusFile(msgspec.Struct, frozen=True):
    """``status/<document_id>.json``."""

    document_id: str
    job: str
    dms_id: str
    code: str
    state: State
    error: ErrorFile | None
    notes: tuple[str, ...]
    package_sha256: str
    recipients: tuple[RecipientStatus, ...]


class SignatureLine(msgspec.Struct, frozen=True):
    """One signature as ``edoc verify --json`` and ``verification.json`` tell it."""

    path: str
    scope: str
    format: str
    level: str
    indication: str
    sub_indication: str | None
    crypto_intact: bool
    signer: str
    organisation: str | None
    signing_time: datetime | None
    checks: tuple[Check, ...]


class VerificationFile(msgspec.Struct, frozen=True):
    """One file's verdict: an object of ``edoc verify --json``, and ``verification.json``."""

    file: str
    indication: str | None
    sub_indication: str | None
    signatures: tuple[SignatureLine, ...]


class EvidenceFile(msgspec.Struct, frozen=True):
    """``evidence.json``."""

    document_id: str
    container_sha256: str
    attested_sender: str
    received_at: datetime
    admission: ErrorFile | None
    events: tuple[Evidence, ...]


def _pretty(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def error_file(fault: FaultReport) -> ErrorFile:
    """Return `fault` in both languages."""
    return ErrorFile(
        code=fault.code,
        disposition=fault.disposition,
        text_vi=fault.text("vi"),
        text_en=fault.text("en"),
        next_vi=fault.next_step("vi"),
        next_en=fault.next_step("en"),
    )


def error_json(fault: FaultReport) -> bytes:
    """Return ``error.json``."""
    return _pretty(error_file(fault))


def error_text(fault: FaultReport) -> str:
    """Return ``error.txt``: what, and what to do, in Vietnamese and English."""
    told = (
        f"{fault.text('vi')}\n→ {fault.next_step('vi')}",
        f"{fault.text('en')}\n→ {fault.next_step('en')}",
        f"{fault.code}\n",
    )
    return "\n\n".join(told)


def status_of(records: Sequence[Record]) -> tuple[str, bytes, bool] | None:
    """Return job name, status file and whether it is the last word, from a document's records; None for another's.

    A document that came in has no status file.
    """
    submission = next((record for record in records if record.key.kind is Kind.SUBMISSION), None)
    if submission is None or not isinstance(submission.body, SubmissionBody):
        return None
    transfers = [record for record in records if record.key.kind is Kind.TRANSFER]
    ended = submission.state is State.FAILED or (
        submission.state is State.PACKED and all(final(Kind.TRANSFER, one.state) for one in transfers)
    )
    return submission.body.job, status_json(submission, transfers), ended


def status_json(submission: Record, transfers: Sequence[Record]) -> bytes:
    """Return ``status/<document_id>.json`` from the journal's records of one document."""
    body = submission.body
    if not isinstance(body, SubmissionBody):
        raise TypeError(body)
    return _pretty(
        StatusFile(
            document_id=submission.document_id,
            job=body.job,
            dms_id=body.dms_id,
            code=body.code,
            state=submission.state,
            error=error_file(submission.fault) if submission.fault else None,
            notes=body.notes,
            package_sha256=body.package.sha256 if body.package else "",
            recipients=tuple(_recipient(record) for record in sorted(transfers, key=lambda record: record.key.peer)),
        )
    )


def _recipient(record: Record) -> RecipientStatus:
    body = record.body
    if not isinstance(body, TransferBody):
        raise TypeError(body)
    return RecipientStatus(
        organ_id=OrganId(record.key.peer),
        state=record.state,
        attempts=record.attempts,
        error=error_file(record.fault) if record.fault else None,
        sent_at=body.sent_at,
        receipt_at=body.receipt_at,
        history=body.history,
    )


def verification_file(file: str, verdict: Verdict) -> VerificationFile:
    """Return the verdict on `file` in the form of the ``edoc verify`` contract."""
    return VerificationFile(
        file=file,
        indication=verdict.indication,
        sub_indication=verdict.sub_indication,
        signatures=tuple(_signature(signature) for signature in verdict.signatures),
    )


def _signature(report: SignatureReport) -> SignatureLine:
    return SignatureLine(
        path=report.path,
        scope=report.scope,
        format=report.format,
        level=report.level,
        indication=report.indication,
        sub_indication=report.sub_indication,
        crypto_intact=report.crypto_intact,
        signer=report.signer,
        organisation=report.organisation,
        signing_time=report.signing_time,
        checks=report.checks,
    )


def verification_json(file: str, verdict: Verdict) -> bytes:
    """Return ``verification.json``."""
    return _pretty(verification_file(file, verdict))


def verification_text(document: Document, body: ReceptionBody, verdict: Verdict) -> bytes:
    """Return ``verification.txt``: the verdict for a clerk to read, in Vietnamese and English."""
    lines = [
        f"Văn bản / Document      {document.code}  {document.subject}",
        f"Bên gửi / Sender        {document.sender.name} ({document.sender.organ_id})",
        f"Mã / Id                 {document.document_id}",
        f"SHA-256                 {body.container_sha256}",
        f"Kết luận / Verdict      {verdict.indication} {verdict.sub_indication or ''}".rstrip(),
        "",
    ]
    for signature in verdict.signatures:
        lines += [
            f"{signature.path or 'package.asice'}  {signature.format} {signature.level}",
            f"  {signature.indication} {signature.sub_indication or ''}".rstrip(),
            f"  Người ký / Signer     {signature.signer}",
            f"  Thời gian / Time      {signature.signing_time.isoformat() if signature.signing_time else '—'}",
            *(f"  [{check.result}] {check.id} ({check.clause}) {check.detail}".rstrip() for check in signature.checks),
            "",
        ]
    return "\n".join(lines).encode()


def evidence_json(body: ReceptionBody, document_id: str, events: Sequence[Evidence]) -> bytes:
    """Return ``evidence.json``."""
    admission = body.admission.fault if body.admission else None
    return _pretty(
        EvidenceFile(
            document_id=document_id,
            container_sha256=body.container_sha256,
            attested_sender=body.attested_sender,
            received_at=body.received_at,
            admission=error_file(admission) if admission else None,
            events=tuple(events),
        )
    )
