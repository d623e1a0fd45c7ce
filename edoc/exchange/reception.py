"""Reception: from a staged container to the inbox, to the clerk's hold, or to quarantine.

Rules: nothing reaches the inbox without a verdict and an admission, both stored.  Conflicts and duplicates are
decided only after both hold.  A refusal goes to the attested sender, once per sender and container; when attested
sender and From disagree nobody is answered.  What cannot be decided is held or delivered by policy, and judged again.

Does not settle at the broker: :mod:`edoc.exchange.arrivals` does, after the commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from edoc.envelopes import asic, inbox, wire
from edoc.errors import Disposition, EdocError, FaultReport
from edoc.errors.journey import (
    DOCUMENT_CONFLICT,
    HINT_MISMATCH,
    SEAL_NOT_ACCEPTED,
    SEAL_UNDECIDED,
    SENDER_NOT_ATTESTED,
)
from edoc.exchange.office import Office, Undecided
from edoc.exchange.reports import error_json, error_text, evidence_json, verification_json, verification_text
from edoc.exchange.rules import accepted, admit, seal_of, undecided
from edoc.exchange.runner import Stage
from edoc.exchange.trust import Trust
from edoc.model.document import Document, Lane, Party, Reference, Urgency
from edoc.model.evidence import Evidence, EvidenceEvent
from edoc.model.identifiers import DocumentId, FileRef, OrganId, Sha256
from edoc.model.job import InboxFolder
from edoc.model.message import StatusCode, StatusReport
from edoc.model.reading import PackageRead
from edoc.model.record import Change, Key, ReceptionBody, Record, StatusBody, moved
from edoc.model.state import Kind, State
from edoc.ports import Alarm, Clock, Inbox, Journal, Sandbox

PARTS_COME = timedelta(days=36500)
"""An ASSEMBLING record is not due before its last chunk says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A staged container, and who brought it."""

    document_id: DocumentId  # as the headers hint
    attested: OrganId
    lane: Lane
    sha256: Sha256
    size: int
    staged: FileRef
    received_at: datetime


class Reception:
    """The journey of a reception."""

    def __init__(
        self,
        office: Office,
        clock: Clock,
        inbox: Inbox,
        journal: Journal,
        sandbox: Sandbox,
        trust: Trust,
        alarm: Alarm,
    ) -> None:
        self._office = office
        self._clock = clock
        self._inbox = inbox
        self._journal = journal
        self._sandbox = sandbox
        self._trust = trust
        self._alarm = alarm
        self._log = structlog.get_logger("edoc.reception")
        self.stages: Mapping[State, Stage] = {
            State.ASSEMBLING: self.assemble,
            State.STAGED: self.deliver,
            State.HELD: self.reverify,
        }

    # judging

    async def judge(self, arrival: Arrival) -> Change:
        """Verify a staged container and return what is to be committed; empty when nothing changes.

        Raises EdocError for what a later attempt may decide (temporary faults of our own).
        """
        material = await self._trust.material(arrival.attested, self._clock.now())
        try:
            read = await self._sandbox.verify_package(arrival.staged, material)
        except EdocError as error:
            if error.fault.disposition is not Disposition.PERMANENT:
                raise
            return await self._refuse(arrival, None, error.report())
        body = self._body(arrival, read)
        fault = self._decide(arrival, read, body)
        if fault is not None and fault.code == SEAL_UNDECIDED.code:
            state = State.HELD if self._office.policy.undecided is Undecided.HOLD else State.STAGED
            return await self._enter(arrival, body, read.document, state, fault)
        if fault is not None:
            return await self._refuse(arrival, body, fault)
        return await self._enter(arrival, body, read.document, State.STAGED, None)

    def _body(self, arrival: Arrival, read: PackageRead) -> ReceptionBody:
        now = self._clock.now()
        return ReceptionBody(
            container_sha256=arrival.sha256,
            size=arrival.size,
            attested_sender=arrival.attested,
            received_at=arrival.received_at,
            staged=arrival.staged,
            document=read.document,
            entries=read.entries,
            signature_digests=read.signature_digests,
            verdict=read.verdict,
            admission=admit(read.document, arrival.attested, self._office, lambda code: self._trust.level(code, now)),
        )

    def _decide(self, arrival: Arrival, read: PackageRead, body: ReceptionBody) -> FaultReport | None:
        if body.admission is not None and body.admission.fault is not None:
            return body.admission.fault
        if read.document.document_id != arrival.document_id:
            return EdocError(HINT_MISMATCH, hinted=arrival.document_id, sealed=read.document.document_id).report()
        if accepted(read.verdict):
            return None
        seal = seal_of(read.verdict)
        facts = {
            "indication": str(seal.indication if seal else "no seal"),
            "sub_indication": str(seal.sub_indication or "") if seal else "",
        }
        return FaultReport(code=SEAL_UNDECIDED.code if undecided(read.verdict) else SEAL_NOT_ACCEPTED.code, facts=facts)

    async def _enter(
        self, arrival: Arrival, body: ReceptionBody, document: Document, state: State, fault: FaultReport | None
    ) -> Change:
        now = self._clock.now()
        due = now if state is State.STAGED else now + self._office.patience.reverify
        key = Key(Kind.RECEPTION, document.document_id, document.sender.organ_id)
        known = await self._journal.get(key)
        if known is None:
            record = _record(key, state, arrival.lane, document.urgency, now, body)
            return Change(adds=(replace(record, next_attempt=due, fault=fault),))
        if not isinstance(known.body, ReceptionBody):
            raise TypeError(known.body)
        same = known.body.container_sha256 == arrival.sha256
        waiting = known.state in {State.ASSEMBLING, State.HELD}
        if known.state is State.QUARANTINED or (same and waiting):
            return Change(moves=(moved(known, state, at=due, body=body, fault=fault),))
        if same:
            return Change()  # another copy was faster
        return await self._refuse(arrival, body, FaultReport(code=DOCUMENT_CONFLICT.code))

    # refusing

    async def refuse(self, arrival: Arrival, fault: FaultReport) -> Change:
        """Return the refusal of something that was not even judged."""
        return await self._refuse(arrival, None, fault)

    async def _refuse(self, arrival: Arrival, body: ReceptionBody | None, fault: FaultReport) -> Change:
        """Put the container down as refused; owe the attested sender a refusal, once, unless From is somebody else."""
        now = self._clock.now()
        if fault.disposition is Disposition.OPERATOR:
            self._alarm(fault, Key(Kind.RECEPTION, arrival.document_id, arrival.attested))
        self._log.warning(
            "document_refused",
            document_id=arrival.document_id,
            peer=arrival.attested,
            fault=fault.code,
            cause=fault.cause,
        )
        key = Key(Kind.RECEPTION, arrival.document_id, arrival.attested)
        body = replace(
            body
            or ReceptionBody(
                container_sha256=arrival.sha256,
                size=arrival.size,
                attested_sender=arrival.attested,
                received_at=arrival.received_at,
            ),
            staged=None,
        )
        adds: tuple[Record, ...] = ()
        if fault.code != SENDER_NOT_ATTESTED.code and await self._unanswered(arrival):
            status = self._answer(arrival.document_id, body, StatusCode.REFUSED, fault, arrival.lane)
            adds = (status,)
            body = replace(body, receipt=status.document_id)
        known = await self._journal.get(key)
        refused = _record(key, State.QUARANTINED, arrival.lane, Urgency.NORMAL, now, body)
        event = self._event(arrival.document_id, body, EvidenceEvent.CONTENT_CONSIGNMENT_FAILURE, fault.code)
        if known is None:
            return Change(adds=(replace(refused, fault=fault), *adds), evidence=(event,))
        mine = isinstance(known.body, ReceptionBody) and known.body.container_sha256 == arrival.sha256
        if mine and known.state in {State.ASSEMBLING, State.HELD}:
            move = moved(known, State.QUARANTINED, at=now, body=body, fault=fault)
            return Change(moves=(move,), adds=adds, evidence=(event,))
        # What is already here stands, and no record will lead to these bytes: put them away before the commit.
        await self._quarantine(arrival.attested, arrival.document_id, arrival.sha256, fault)
        return Change(adds=adds, evidence=(event,))

    async def _quarantine(self, sender: OrganId, document_id: DocumentId, sha256: Sha256, fault: FaultReport) -> None:
        files = [("error.json", error_json(fault)), ("error.txt", error_text(fault).encode())]
        await self._inbox.of(sender).quarantine(document_id, sha256, files)

    async def _unanswered(self, arrival: Arrival) -> bool:
        answers = await self._journal.find(kind=Kind.STATUS, container_sha256=arrival.sha256)
        return all(answer.key.peer != arrival.attested for answer in answers)

    def _answer(
        self, document_id: DocumentId, body: ReceptionBody, code: StatusCode, fault: FaultReport | None, lane: Lane
    ) -> Record:
        now = self._clock.now()
        document = body.document
        sender = document.sender.organ_id if document and code is not StatusCode.REFUSED else body.attested_sender
        report = StatusReport(
            status_id=self._clock.mint(),
            document_id=document_id,
            sender=Party(organ_id=self._office.code),
            recipient=sender,
            code=code,
            event=EvidenceEvent.CONTENT_CONSIGNMENT if fault is None else EvidenceEvent.CONTENT_CONSIGNMENT_FAILURE,
            timestamp=now,
            container_sha256=body.container_sha256,
            signature_digests=body.signature_digests,
            fault=fault.code if fault else "",
            description=fault.text("vi") if fault else "Đã đến: hệ thống của bên nhận đã lưu văn bản",
            answers=_reference(document),
        )
        key = Key(Kind.STATUS, report.status_id, report.recipient)
        return _record(key, State.INTENDED, lane, Urgency.NORMAL, now, StatusBody(report=report))

    def _event(self, document_id: DocumentId, body: ReceptionBody, event: EvidenceEvent, reason: str = "") -> Evidence:
        return Evidence(
            document_id=document_id,
            event=event,
            at=self._clock.now(),
            sender=body.attested_sender,
            recipient=self._office.code,
            content_sha256=body.container_sha256,
            reason=reason,
        )

    # stages

    async def assemble(self, record: Record) -> Change:
        """Put the chunks together and judge the container; wait on while one is missing."""
        body = _body(record)
        staging = self._inbox.of(body.attested_sender)
        manifest, have = await staging.chunks(body.container_sha256)
        plan = wire.decode_manifest(manifest) if manifest is not None else None
        if plan is None or len(have) < len(plan.chunks):
            return Change(moves=(moved(record, record.state, at=self._clock.now() + PARTS_COME),))
        staged = await staging.assemble(body.container_sha256, plan.chunks)
        return await self.judge(_again(record, body, staged))

    async def deliver(self, record: Record) -> Change:
        """Put the document into the inbox and owe its sender a receipt."""
        body = _body(record)
        document, verdict, staged = body.document, body.verdict, body.staged
        if document is None or verdict is None or staged is None:
            raise TypeError("a STAGED reception has a document, a verdict and a staged container")
        consignment = self._event(record.document_id, body, EvidenceEvent.CONTENT_CONSIGNMENT)
        events = (*await self._evidence(record.document_id, body), consignment)
        names = tuple(inbox.safe_attachment_name(item.number, item.name) for item in document.attachments)
        await self._inbox.of(body.attested_sender).deliver(
            InboxFolder(
                name=await self._folder(record),
                document_id=record.document_id,
                container=staged,
                attachments=(("document.xml", asic.ENVELOPE), *zip(names, body.entries, strict=True)),
                files=(
                    ("document.json", inbox.document_json(document, body.container_sha256, body.received_at)),
                    ("verification.json", verification_json("package.asice", verdict)),
                    ("verification.txt", verification_text(document, body, verdict)),
                    ("evidence.json", evidence_json(body, record.document_id, events)),
                ),
                edxml=document if self._office.inbox_edxml else None,
            )
        )
        receipt = self._answer(record.document_id, body, StatusCode.ARRIVED, None, record.lane)
        done = replace(body, staged=None, receipt=receipt.document_id)
        move = moved(record, State.DELIVERED, at=self._clock.now(), body=done, fault=record.fault)
        return Change(moves=(move,), adds=(receipt,), evidence=(consignment,))

    async def _evidence(self, document_id: DocumentId, body: ReceptionBody) -> tuple[Evidence, ...]:
        """Return what is known of this container from this sender; others may have used the id as well."""
        events = await self._journal.evidence(document_id)
        mine = (body.attested_sender, body.container_sha256)
        return tuple(event for event in events if (event.sender, event.content_sha256) == mine)

    async def _folder(self, record: Record) -> str:
        """Return the folder's name: the id alone unless another sender's document with that id is here too.

        Honest ids do not meet; but every recipient of a document knows its id and could use it before the document
        comes.
        """
        same = await self._journal.find(
            kind=Kind.RECEPTION, document_id=record.document_id, states=frozenset({State.STAGED, State.DELIVERED})
        )
        alone = all(one.key == record.key for one in same)
        return record.document_id if alone else f"{record.document_id}~{record.key.peer}"

    async def reverify(self, record: Record) -> Change:
        """Judge a held document again: revocation data may have come."""
        body = _body(record)
        if body.staged is None:
            raise TypeError("a HELD reception has a staged container")
        return await self.judge(_again(record, body, body.staged))

    async def give_up(self, record: Record, fault: FaultReport) -> Change:
        """Refuse what can never be delivered; what was already verified and admitted is held for a person instead."""
        body = _body(record)
        if record.state is State.STAGED:
            self._alarm(fault, record.key)
            due = self._clock.now() + self._office.patience.cap
            return Change(moves=(moved(record, State.HELD, at=due, fault=fault),))
        return await self._refuse(_again(record, body, body.staged or FileRef("")), body, fault)

    async def committed(self, record: Record) -> None:
        """Move the bytes of a refused document to quarantine; for all else the inbox folder is the news."""
        if record.state is State.QUARANTINED and record.fault is not None:
            body = _body(record)
            await self._quarantine(body.attested_sender, record.document_id, body.container_sha256, record.fault)

    async def resume(self) -> None:
        """Put away what a stop left in staging of documents that were already refused."""
        refused = frozenset({State.QUARANTINED})
        for record in await self._journal.find(kind=Kind.RECEPTION, states=refused):
            await self.committed(record)

    async def again(self, record: Record) -> Change:
        """A container that is already here came again: answer its recorded sender with the stored receipt."""
        body = _body(record)
        if record.state is not State.DELIVERED or body.receipt is None or body.document is None:
            return Change()
        key = Key(Kind.STATUS, body.receipt, body.document.sender.organ_id)
        status = await self._journal.get(key)
        if status is None or status.state is not State.SENT:
            return Change()
        return Change(moves=(moved(status, State.SIGNED, at=self._clock.now()),))


def _again(record: Record, body: ReceptionBody, staged: FileRef) -> Arrival:
    return Arrival(
        document_id=record.document_id,
        attested=body.attested_sender,
        lane=record.lane,
        sha256=body.container_sha256,
        size=body.size,
        staged=staged,
        received_at=body.received_at,
    )


def _record(
    key: Key, state: State, lane: Lane, urgency: Urgency, now: datetime, body: ReceptionBody | StatusBody
) -> Record:
    return Record(key=key, state=state, lane=lane, urgency=urgency, created=now, next_attempt=now, body=body)


def _reference(document: Document | None) -> Reference:
    if document is None:
        return Reference()
    return Reference(
        organ_id=document.sender.organ_id,
        code=str(document.code),
        document_id=document.correlation_id,
        promulgation_date=document.promulgation_date.strftime("%Y/%m/%d"),
    )


def _body(record: Record) -> ReceptionBody:
    if not isinstance(record.body, ReceptionBody):
        raise TypeError(record.body)
    return record.body
