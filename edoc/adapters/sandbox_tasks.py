"""What the bounded child does: one function per call.

Rules: runs in the child only; files are opened by the refs the daemon gave, never by a name from a message.

Does not decide: it reads, verifies and reports.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import BinaryIO, cast

from edoc.adapters.sandbox_calls import (
    AddTimestamp,
    Call,
    PreparePdf,
    ReadSubmission,
    VerifyDetached,
    VerifyFile,
    VerifyManifest,
    VerifyPackage,
    VerifyStatus,
)
from edoc.envelopes import edxml, pdf, submission, wire
from edoc.errors import EdocError
from edoc.errors.spool import NO_DESCRIPTION
from edoc.model.identifiers import FileRef, OrganId, Sha256
from edoc.model.job import JobKind
from edoc.model.reading import ManifestRead, PackageRead, PreparedPdf, StatusRead, SubmissionRead
from edoc.model.record import JobFile, StoredFile
from edoc.model.verdict import Verdict
from edoc.signatures import creation, timestamp, validation, xades
from edoc.signatures.cms import signer_kind

Result = SubmissionRead | PreparedPdf | PackageRead | StatusRead | ManifestRead | Verdict | bytes


def perform(call: Call) -> Result:  # noqa: PLR0911 -- a table: one line per call
    """Do what `call` asks; raise EdocError with the fault the content has."""
    match call:
        case ReadSubmission():
            return _read_submission(call)
        case PreparePdf():
            return _prepare_pdf(call)
        case VerifyPackage():
            return _verify_package(call)
        case VerifyStatus():
            report, verdict = validation.validate_status(call.body, call.material)
            return StatusRead(report=report, verdict=verdict)
        case VerifyManifest():
            content, verdict = validation.validate_manifest(call.body, call.material, _sender)
            return ManifestRead(manifest=wire.decode_manifest(content), verdict=verdict)
        case VerifyFile():
            with Path(call.file).open("rb") as file:
                return validation.validate_file(file, call.material)
        case VerifyDetached():
            return validation.validate_detached_cms(call.content, call.cms, call.material)
        case AddTimestamp():
            digest = xades.timestamp_digest(call.signatures)
            return xades.add_timestamp(call.signatures, timestamp.read_response(call.answer, digest, call.nonce))


def _sender(manifest: bytes) -> OrganId:
    return wire.decode_manifest(manifest).sender


def _read_submission(call: ReadSubmission) -> SubmissionRead:
    job = call.job
    if job.description is None:
        raise EdocError(NO_DESCRIPTION, job=job.name)
    data = Path(job.description.ref).read_bytes()
    if job.kind is JobKind.FOLDER_JSON:
        return SubmissionRead(submission=submission.read_submission(data, job.document_id, call.office))
    if job.kind is JobKind.FOLDER_XML:
        return SubmissionRead(submission=edxml.read_header(data, job.document_id, call.office))
    read, files = edxml.read_inline(data, job.document_id, call.office)
    return SubmissionRead(
        submission=read,
        inline=tuple(
            JobFile(name=name, stored=_write_inline(call.scratch, number, content))
            for number, (name, content) in enumerate(files, 1)
        ),
    )


def _write_inline(scratch: FileRef, number: int, content: bytes) -> StoredFile:
    target = Path(f"{scratch}-{number}")
    target.write_bytes(content)
    return StoredFile(ref=FileRef(str(target)), size=len(content), sha256=Sha256(hashlib.sha256(content).hexdigest()))


def _prepare_pdf(call: PreparePdf) -> PreparedPdf:
    name = creation.SealCertificate.read(call.certificates[0]).subject
    with Path(call.source).open("rb") as source, Path(call.target).open("wb+") as target:
        revision = pdf.prepare_revision(
            source,
            target,
            certificates=call.certificates,
            name=name,
            reason=call.reason,
            at=call.at,
            appearance=call.appearance,
            kind_of=lambda contents: signer_kind(contents, call.signers),
            spare=lambda: _spare(call.target),
        )
    return PreparedPdf(
        digest=revision.digest,
        contents_offset=revision.contents_offset,
        contents_digits=revision.contents_digits,
        already_sealed=revision.already_sealed,
        forbidden=revision.forbidden,
        signatures=revision.signatures,
        notes=revision.notes,
    )


def _spare(beside: FileRef) -> BinaryIO:
    """Return an open file without a name on the disk of `beside`; it is gone with this process."""
    return cast("BinaryIO", tempfile.TemporaryFile(dir=Path(beside).parent))


def _verify_package(call: VerifyPackage) -> PackageRead:
    with Path(call.container).open("rb") as file:
        facts = validation.validate_package(file, call.material)
    return PackageRead(
        document=facts.document,
        envelope=facts.envelope,
        entries=facts.entries,
        verdict=facts.verdict,
        signature_digests=facts.signature_digests,
    )
