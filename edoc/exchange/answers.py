"""What recipients answer: a verified status message moves the transfer it is about.

Rules: a status counts when its signature holds, its signer is pinned to the organisation it names, the broker
attests that organisation as the sender, we sent it that document, and it binds the very bytes we sent.  Effects never
regress: the furthest state and the whole history are kept.  A status is never answered with a status.

Does not create receipts.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from edoc.errors import EdocError
from edoc.errors.exchange import STATE_CONFLICT
from edoc.errors.journey import RECEIPT_MISMATCH, RECEIPT_NOT_ACCEPTED, RECEIPT_UNEXPECTED, SENDER_NOT_ATTESTED
from edoc.exchange.outgoing import Outgoing
from edoc.exchange.trust import Trust
from edoc.model.evidence import Evidence
from edoc.model.identifiers import FileRef, OrganId
from edoc.model.message import StatusCode, StatusReport
from edoc.model.record import BusinessStatus, Change, Key, Record, SubmissionBody, TransferBody, moved
from edoc.model.state import Kind, State
from edoc.ports import Clock, Journal, Sandbox, Store

_ENDS = {StatusCode.REFUSED: State.REFUSED}


class Answers:
    """Takes verified status messages into the journal."""

    def __init__(
        self, clock: Clock, store: Store, journal: Journal, sandbox: Sandbox, trust: Trust, outgoing: Outgoing
    ) -> None:
        self._clock = clock
        self._store = store
        self._journal = journal
        self._sandbox = sandbox
        self._trust = trust
        self._outgoing = outgoing
        self._log = structlog.get_logger("edoc.answers")

    async def take(self, body: bytes, attested: OrganId) -> None:
        """Verify a status message and commit what it changes; durable when this returns.

        Raises EdocError RECEIPT_NOT_ACCEPTED, SENDER_NOT_ATTESTED, RECEIPT_UNEXPECTED, RECEIPT_MISMATCH.
        """
        now = self._clock.now()
        read = await self._sandbox.verify_status(body, await self._trust.material(attested, now))
        report = read.report
        if report.sender.organ_id != attested:
            raise EdocError(SENDER_NOT_ATTESTED, claimed=report.sender.organ_id, attested=attested)
        if not read.verdict.passed:
            raise EdocError(
                RECEIPT_NOT_ACCEPTED,
                sender=attested,
                indication=read.verdict.indication,
                sub_indication=read.verdict.sub_indication or "",
            )
        await self._bind(report)
        if not await self._heard(report):  # of the same id, the bytes that came first are the evidence
            kept = await self._store.put(report.document_id, f"status-{report.status_id}.edxml", body)
            while not await self._commit(report, kept.ref):
                self._log.info("answer_overtaken", document_id=report.document_id, peer=attested)
        await self._outgoing.report(report.document_id)
        self._log.info(
            "answer_taken",
            document_id=report.document_id,
            peer=attested,
            code=report.code,
            evidence=report.event,
            fault=report.fault or None,
        )

    async def _bind(self, report: StatusReport) -> None:
        submission = await self._journal.get(Key(Kind.SUBMISSION, report.document_id, ""))
        sender = report.sender.organ_id
        if submission is None or not isinstance(submission.body, SubmissionBody):
            raise EdocError(RECEIPT_UNEXPECTED, sender=sender, document_id=report.document_id)
        package = submission.body.package
        if (
            package is None
            or report.container_sha256 != package.sha256
            or (report.code is not StatusCode.REFUSED and report.signature_digests != submission.body.signature_digests)
        ):
            raise EdocError(RECEIPT_MISMATCH, sender=sender, document_id=report.document_id)

    async def _heard(self, report: StatusReport) -> bool:
        """Say whether a status with this id was taken before; EdocError RECEIPT_UNEXPECTED from a stranger."""
        _, body = await self._transfer(report)
        return any(known.status_id == report.status_id for known in body.history)

    async def _transfer(self, report: StatusReport) -> tuple[Record, TransferBody]:
        sender = report.sender.organ_id
        transfer = await self._journal.get(Key(Kind.TRANSFER, report.document_id, sender))
        if transfer is None or not isinstance(transfer.body, TransferBody):
            raise EdocError(RECEIPT_UNEXPECTED, sender=sender, document_id=report.document_id)
        return transfer, transfer.body

    async def _commit(self, report: StatusReport, kept: FileRef) -> bool:
        transfer, body = await self._transfer(report)
        if any(known.status_id == report.status_id for known in body.history):
            return True  # a second copy was faster
        try:
            await self._journal.commit(self._change(transfer, body, report, kept))
        except EdocError as error:
            if error.fault is not STATE_CONFLICT:
                raise
            return False  # our own SENT was committed in between: look again
        return True

    def _change(self, transfer: Record, body: TransferBody, report: StatusReport, kept: FileRef) -> Change:
        now = self._clock.now()
        line = BusinessStatus(
            code=report.code,
            at=report.timestamp,
            description=report.description,
            fault=report.fault,
            status_id=report.status_id,
        )
        ended = transfer.state in {State.DELIVERED, State.REFUSED}
        state = transfer.state if ended else _ENDS.get(report.code, State.DELIVERED)
        body = replace(body, history=(*body.history, line))
        if not ended:
            body = replace(body, receipt=kept, receipt_at=now)
        event = Evidence(
            document_id=report.document_id,
            event=report.event,
            at=report.timestamp,
            sender=report.recipient,
            recipient=report.sender.organ_id,
            content_sha256=report.container_sha256,
            reason=report.fault,
        )
        return Change(moves=(moved(transfer, state, at=now, body=body),), evidence=(event,))
