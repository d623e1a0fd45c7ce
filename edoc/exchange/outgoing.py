"""Outgoing documents: ACCEPTED → SEALED → PACKED.

Rules: nothing is signed that was not validated.  PDFs get our seal first (:mod:`edoc.exchange.attachments`).  The
package is built once, its own seal is checked, and after PACKED it never changes.  What happens at each step and what a
crash leaves there is told in ARCHITECTURE.md.

Does not publish: :mod:`edoc.exchange.sending` does.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from weakref import WeakValueDictionary

from edoc.envelopes import asic, edxml, wire
from edoc.errors import EdocError, FaultReport
from edoc.errors.exchange import DISK_FAILING
from edoc.exchange.attachments import Attachments
from edoc.exchange.office import Office
from edoc.exchange.reports import error_json, error_text, status_of
from edoc.exchange.rules import check_submission, match_files
from edoc.exchange.runner import Stage
from edoc.exchange.sealing import Seal
from edoc.exchange.stamping import Stamping
from edoc.exchange.trust import Trust
from edoc.model.document import Attachment, DeclaredFile, Document
from edoc.model.evidence import Evidence, EvidenceEvent
from edoc.model.identifiers import DocumentId, FileRef, Sha256, sha256_of
from edoc.model.message import CHUNK_BYTES, ChunkManifest
from edoc.model.record import (
    Change,
    Key,
    Record,
    StoredFile,
    SubmissionBody,
    TransferBody,
    moved,
)
from edoc.model.signing import Purpose
from edoc.model.state import MOVES, Kind, State
from edoc.ports import Clock, Journal, Sandbox, Spool, Store
from edoc.signatures import cades, xades

_ALL = 1_000_000


class Outgoing:
    """The journey of a submission."""

    def __init__(  # noqa: PLR0913 -- a constructor lists its ports
        self,
        *,
        office: Office,
        clock: Clock,
        spool: Spool,
        store: Store,
        journal: Journal,
        sandbox: Sandbox,
        trust: Trust,
        seal: Seal,
        stamping: Stamping,
    ) -> None:
        self._office = office
        self._clock = clock
        self._spool = spool
        self._store = store
        self._journal = journal
        self._trust = trust
        self._seal = seal
        self._stamping = stamping
        self._attachments = Attachments(
            office=office, clock=clock, store=store, sandbox=sandbox, trust=trust, seal=seal
        )
        self._telling: WeakValueDictionary[DocumentId, asyncio.Lock] = WeakValueDictionary()
        self.stages: Mapping[State, Stage] = {State.ACCEPTED: self.seal, State.SEALED: self.pack}

    # ACCEPTED → SEALED

    async def seal(self, record: Record) -> Change:
        """Validate the submission and put the agency's seal on every PDF that needs it."""
        body = _body(record)
        if body.submission is None:
            raise TypeError("an ACCEPTED submission has been read")
        now = self._clock.now()
        check_submission(body.submission, self._office, lambda code: self._trust.level(code, now))
        matched = match_files(body.submission, body.files)
        certificate = await self._seal.certificate()
        attachments: list[Attachment] = []
        sealed: list[StoredFile] = []
        notes: list[str] = []
        for number, (declared, file) in enumerate(matched, 1):
            stored, media_type, remarks = await self._attachments.seal(
                record, body.submission.document, number, declared, file, certificate
            )
            notes += (f"{declared.file}: {remark}" for remark in remarks)
            attachments.append(_attachment(number, declared, media_type, stored))
            sealed.append(stored)
        document = body.submission.document
        recipients = tuple(self._trust.addressee(recipient, now) for recipient in document.recipients)
        done = replace(
            body,
            submission=replace(body.submission, document=replace(document, recipients=recipients)),
            recipients=tuple(recipient.organ_id for recipient in recipients),
            attachments=tuple(attachments),
            sealed_files=tuple(sealed),
            notes=tuple(notes),
        )
        return Change(moves=(moved(record, State.SEALED, at=now, body=done),))

    # SEALED → PACKED

    async def pack(self, record: Record) -> Change:
        """Seal the envelope, write the package, and queue one transfer per recipient."""
        body = _body(record)
        if body.submission is None:
            raise TypeError("a SEALED submission has been read")
        now = self._clock.now()
        document = replace(
            body.submission.document,
            document_id=record.document_id,
            sender=self._trust.party(self._office.code, now),
            attachments=body.attachments,
            sealed_at=now,
        )
        package, digests = await self._write_package(record, document, body.sealed_files)
        manifest = await self._manifest(record, document, package) if package.size > CHUNK_BYTES else None
        done = replace(body, package=package, signature_digests=digests, manifest=manifest)
        transfers = tuple(
            replace(
                record,
                key=Key(Kind.TRANSFER, record.document_id, recipient.organ_id),
                state=State.QUEUED,
                next_attempt=now,
                attempts=0,
                fault=None,
                body=TransferBody(),
            )
            for recipient in document.recipients
        )
        return Change(moves=(moved(record, State.PACKED, at=now, body=done),), adds=transfers)

    async def _write_package(
        self, record: Record, document: Document, files: tuple[StoredFile, ...]
    ) -> tuple[StoredFile, tuple[Sha256, ...]]:
        certificate = await self._seal.certificate()
        envelope = edxml.write_envelope(document)
        names = [asic.attachment_entry(attachment.number, attachment.name) for attachment in document.attachments]
        signed = [
            xades.SignedEntry(name=asic.ENVELOPE, media_type="application/xml", sha256=sha256_of(envelope)),
            *(
                xades.SignedEntry(name=name, media_type=attachment.media_type, sha256=attachment.sha256)
                for name, attachment in zip(names, document.attachments, strict=True)
            ),
        ]
        to_sign = xades.prepare_detached(
            signed, certificate, certificate.algorithm, self._clock.now(), intermediates=certificate.path
        )
        signature = await self._seal.sign(
            certificate, Purpose.DOCUMENT, record.document_id, record.lane, to_sign.digest
        )
        signatures = await self._stamping.stamp(xades.finish_detached(to_sign, signature))
        entries: list[tuple[str, bytes | FileRef]] = [(asic.ENVELOPE, envelope)]
        entries += ((name, file.ref) for name, file in zip(names, files, strict=True))
        listing = asic.open_manifest([(entry.name, entry.media_type) for entry in signed])
        entries += [(asic.MANIFEST, listing), (asic.SIGNATURES, signatures)]
        package = await self._store.seal_package(record.document_id, entries)
        return package, xades.signature_digests(signatures)

    async def _manifest(self, record: Record, document: Document, package: StoredFile) -> FileRef:
        content = wire.encode_manifest(
            ChunkManifest(
                document_id=record.document_id,
                sender=self._office.code,
                recipients=tuple(recipient.organ_id for recipient in document.recipients),
                sha256=package.sha256,
                size=package.size,
                chunk_bytes=CHUNK_BYTES,
                chunks=await self._store.chunk_digests(package.ref, CHUNK_BYTES),
            )
        )
        certificate = await self._seal.certificate()
        to_sign = cades.prepare(
            hashlib.sha256(content).digest(),
            certificate,
            certificate.algorithm,
            at=self._clock.now(),
            content=content,
            pdf=False,
        )
        signature = await self._seal.sign(
            certificate, Purpose.MANIFEST, record.document_id, record.lane, to_sign.digest
        )
        stored = await self._store.put(record.document_id, "manifest.p7m", cades.finish(to_sign, signature))
        return stored.ref

    # after faults and commits

    async def give_up(self, record: Record, fault: FaultReport) -> Change:
        """End the submission: it never left."""
        now = self._clock.now()
        body = _body(record)
        rejection = Evidence(
            document_id=record.document_id,
            event=EvidenceEvent.SUBMISSION_REJECTION,
            at=now,
            sender=self._office.code,
            recipient=None,
            content_sha256=body.content_sha256 or sha256_of(b""),
            reason=fault.code,
        )
        return Change(moves=(moved(record, State.FAILED, at=now, fault=fault),), evidence=(rejection,))

    async def committed(self, record: Record) -> None:
        """Move the source where the state says it belongs, and tell the DMS."""
        try:
            if record.state is not State.SEALED or record.fault is not None:  # PACKED follows at once
                await self.report(record.document_id)
        finally:  # a status file that cannot be written is no reason to keep the job
            await self._put_away(record)

    async def _put_away(self, record: Record) -> None:
        if record.state is State.PACKED:
            await self._store.discard(record.document_id)
            await self._spool.sent(record.document_id)  # last: while its folder is claimed, a start comes back here
        elif record.state is State.FAILED and record.fault is not None:
            await self._store.discard(record.document_id)
            await self._spool.failed(record.document_id, error_json(record.fault), error_text(record.fault))

    async def report(self, document_id: DocumentId, job: str = "") -> None:
        """Write the document's status files from the journal; `job` names another job that is answered with it.

        What still changes is not made durable: after a power cut it is told again at the start.
        """
        # Two recipients may end at once: what was read first must not be written last.
        async with self._telling.setdefault(document_id, asyncio.Lock()):
            await self._report(document_id, job)

    async def _report(self, document_id: DocumentId, job: str) -> None:
        status = status_of(await self._journal.find(document_id=document_id))
        if status is not None:
            own_job, told, ended = status
            await self._spool.report(document_id, job or own_job, told, durable=ended)

    async def retell(self) -> None:
        """Write the status files of all documents that are still under way: at the start, after any kind of stop.

        Raises the first EdocError after all have been tried; DISK_FAILING at once.
        """
        troubles: list[EdocError] = []
        open_ = await self._journal.find(kind=Kind.TRANSFER, states=frozenset(MOVES[Kind.TRANSFER]), limit=_ALL)
        for document_id in {record.document_id for record in open_}:
            try:
                await self.report(document_id)
            except EdocError as error:
                if error.fault is DISK_FAILING:
                    raise
                troubles.append(error)
        if troubles:
            raise troubles[0]


def _attachment(number: int, declared: DeclaredFile, media_type: str, stored: StoredFile) -> Attachment:
    return Attachment(
        number=number,
        name=declared.name,
        media_type=media_type,
        size=stored.size,
        sha256=stored.sha256,
        role=declared.role,
        description=declared.description,
    )


def _body(record: Record) -> SubmissionBody:
    if not isinstance(record.body, SubmissionBody):
        raise TypeError(record.body)
    return record.body
