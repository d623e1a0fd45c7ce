"""Intake: from the outbox to ACCEPTED.

Rules: a job is ours once it was renamed into a daemon-only folder under the document's new id; then it is copied,
hashed, read in the bounded child and written to the journal.  A claimed folder without a record was cut off by a
crash and is taken again under the same id.  A DMS id that comes again with the same content is answered as already
accepted; with other content it is an error.

Does not validate against the directory: that is the first stage, because it may have to be tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from weakref import WeakValueDictionary

import msgspec
import structlog

from edoc.errors import Disposition, EdocError, FaultReport
from edoc.errors.exchange import DISK_FAILING, STATE_CONFLICT
from edoc.errors.journey import DMS_ID_CONFLICT
from edoc.exchange.office import Office
from edoc.exchange.outgoing import Outgoing
from edoc.exchange.room import Room
from edoc.exchange.trust import Trust
from edoc.model.document import Lane, Party, Submission, Urgency, lane_of
from edoc.model.evidence import Evidence, EvidenceEvent
from edoc.model.identifiers import DocumentId, Sha256, sha256_of
from edoc.model.job import ClaimedJob
from edoc.model.record import Change, JobFile, Key, Record, SubmissionBody
from edoc.model.state import Kind, State
from edoc.ports import Alarm, Clock, Journal, Sandbox, Spool, Store

_SCAN = timedelta(seconds=5)
_AT_ONCE = 16
"""Most jobs that are taken between two looks at the outbox."""
NOTHING = sha256_of(b"")
"""Digest of a submission that never had a package."""
_NO_ID = DocumentId("")


class Intake:
    """Takes jobs from the spool into the journal."""

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
        outgoing: Outgoing,
        alarm: Alarm,
        room: Room,
        poke: Callable[[Lane], None],
        workers: int = 4,
    ) -> None:
        self._office = office
        self._clock = clock
        self._spool = spool
        self._store = store
        self._journal = journal
        self._sandbox = sandbox
        self._trust = trust
        self._outgoing = outgoing
        self._alarm = alarm
        self._poke = poke
        self._workers = workers
        self._room = room
        self._cut_off = True  # the last run may have ended anywhere
        self._told: set[str] = set()  # what is tried again every few seconds is told once
        # Between the look for a twin and the commit no other job with that id may come.
        self._twins: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._log = structlog.get_logger("edoc.intake")

    async def run(self, stopping: asyncio.Event) -> None:
        """Take jobs until `stopping` is set."""
        await self._retell()
        while not stopping.is_set():
            if self._cut_off and self._room.enough():
                await self.resume()
            names = await self._spool.ready() if self._room.enough() else ()
            await self._each(_turn(names))
            if self._cut_off:  # what cannot be taken must not stand before the others
                await self._each(names)
            if not names or self._cut_off:  # what could not be taken is there still: never try it in a hot loop
                await self._wait(stopping)

    async def _retell(self) -> None:
        try:
            await self._outgoing.retell()
        except EdocError as error:
            if error.fault is DISK_FAILING:
                raise
            self._alarm(error.report(), None)

    async def _wait(self, stopping: asyncio.Event) -> None:
        either = {asyncio.ensure_future(self._spool.wait(_SCAN)), asyncio.ensure_future(stopping.wait())}
        _, waiting = await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        for one in waiting:
            one.cancel()

    async def resume(self) -> None:
        """Bring every claimed folder to where its record says it is; take those without a record again."""
        self._cut_off = False
        for document_id, _ in await self._spool.claimed():
            record = await self._journal.get(Key(Kind.SUBMISSION, document_id, ""))
            if record is None:
                await self._try(self._spool.reopen(document_id))
            else:
                await self._follow(record)

    async def _each(self, names: Sequence[str]) -> None:
        queue = iter(names)

        async def worker() -> None:
            for name in queue:
                await self.take(name)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._workers, len(names))):
                group.create_task(worker())

    async def take(self, name: str) -> None:
        """Claim one job and put it into the journal."""
        await self._try(self._spool.claim(name, self._clock.mint()))

    async def _try(self, claim: Awaitable[ClaimedJob | None]) -> None:
        try:
            job = await claim
            if job is not None:
                await self._accept(job)
        except EdocError as error:
            if error.fault is DISK_FAILING:
                raise
            # What was cut off here is a job in the outbox or a claimed folder without a record: it is taken again.
            self._cut_off = True
            self._log.warning("intake_postponed", fault=error.code, cause=error.cause)
            if str(error) not in self._told:
                self._told.add(str(error))
                self._alarm(error.report(), None)

    async def _accept(self, job: ClaimedJob) -> None:
        record = await self._read(job)
        body = record.body
        if not isinstance(body, SubmissionBody) or not body.dms_id or record.state is not State.ACCEPTED:
            await self._commit(record)
            return
        async with self._twins.setdefault(body.dms_id, asyncio.Lock()):
            twin = await self._twin(body)
            if twin is None:
                await self._commit(record)
            else:
                await self._meet_twin(record, body, twin)

    async def _read(self, job: ClaimedJob) -> Record:
        if job.fault is not None:
            return self._record(job, SubmissionBody(job=job.name, files=job.files), job.fault)
        now = self._clock.now()
        try:
            party = self._trust.party(self._office.code, now)
            scratch = self._store.scratch(job.document_id, "inline")
            read = await self._sandbox.read_submission(job, scratch, party)
        except EdocError as error:
            if error.fault.disposition is not Disposition.PERMANENT:
                raise  # a trouble of ours says nothing about the job
            return self._record(job, SubmissionBody(job=job.name, files=job.files), error.report())
        submission = read.submission
        files = (*job.files, *[await self._kept(file) for file in read.inline])
        body = SubmissionBody(
            job=job.name,
            submission=submission,
            files=files,
            content_sha256=content_digest(submission, files),
            dms_id=submission.dms_id,
            code=str(submission.document.code),
            recipients=tuple(recipient.organ_id for recipient in submission.document.recipients),
        )
        return self._record(job, body, None, submission.document.urgency)

    async def _kept(self, file: JobFile) -> JobFile:
        """Return a file that was inline in the description, durable."""
        return replace(file, stored=await self._store.keep(file.stored.ref))

    def _record(
        self,
        job: ClaimedJob,
        body: SubmissionBody,
        fault: FaultReport | None,
        urgency: Urgency = Urgency.NORMAL,
    ) -> Record:
        now = self._clock.now()
        return Record(
            key=Key(Kind.SUBMISSION, job.document_id, ""),
            state=State.ACCEPTED if fault is None else State.FAILED,
            lane=lane_of(urgency),
            urgency=urgency,
            created=now,
            next_attempt=now,
            fault=fault,
            body=body,
        )

    async def _twin(self, body: SubmissionBody) -> Record | None:
        for twin in await self._journal.find(kind=Kind.SUBMISSION, dms_id=body.dms_id):
            if twin.state is not State.FAILED:
                return twin
        return None

    async def _meet_twin(self, record: Record, body: SubmissionBody, twin: Record) -> None:
        first = twin.body
        if isinstance(first, SubmissionBody) and first.content_sha256 == body.content_sha256:
            await self._outgoing.report(twin.document_id, job=body.job)
            await self._spool.sent(record.document_id)
            self._log.info("job_already_accepted", document_id=twin.document_id, job=body.job)
            return
        fault = EdocError(DMS_ID_CONFLICT, dms_id=body.dms_id, document_id=twin.document_id).report()
        refused = SubmissionBody(job=body.job, files=body.files, code=body.code)
        await self._commit(replace(record, state=State.FAILED, fault=fault, body=refused))

    async def _commit(self, record: Record) -> None:
        event = (
            EvidenceEvent.SUBMISSION_ACCEPTANCE
            if record.state is State.ACCEPTED
            else EvidenceEvent.SUBMISSION_REJECTION
        )
        body = record.body
        if not isinstance(body, SubmissionBody):
            raise TypeError(body)
        evidence = Evidence(
            document_id=record.document_id,
            event=event,
            at=record.created,
            sender=self._office.code,
            recipient=None,
            content_sha256=body.content_sha256 or NOTHING,
            reason=record.fault.code if record.fault else "",
        )
        try:
            await self._journal.commit(Change(adds=(record,), evidence=(evidence,)))
        except EdocError as error:
            if error.fault is not STATE_CONFLICT:
                raise
            self._log.info("job_already_taken", document_id=record.document_id)
        self._log.info(
            "job_taken",
            document_id=record.document_id,
            job=body.job,
            state=record.state,
            lane=record.lane,
            fault=record.fault.code if record.fault else None,
            cause=record.fault.cause if record.fault and record.fault.cause else None,
        )
        await self._follow(record)
        self._poke(record.lane)

    async def _follow(self, record: Record) -> None:
        """Do what follows a commit; folders that the DMS spoilt stop nobody: it is done again at the next start."""
        try:
            await self._outgoing.committed(record)
        except EdocError as error:
            if error.fault is DISK_FAILING:
                raise
            self._alarm(error.report(), record.key)


def _turn(names: Sequence[str]) -> Sequence[str]:
    """Return which of the waiting jobs, oldest first, are taken before the next look.

    Half of them are the newest: urgency stands inside a job, and one that is dropped behind a mass mailing must not
    wait until all of that has been read.
    """
    if len(names) <= _AT_ONCE:
        return names
    half = _AT_ONCE // 2
    return [name for pair in zip(reversed(names[-half:]), names[:half], strict=True) for name in pair]


def content_digest(submission: Submission, files: Sequence[JobFile]) -> Sha256:
    """Return one digest over what a job asks for and over the names and digests of its files, in the names' order.

    Two jobs that ask for the same have the same digest, however their descriptions are written.
    """
    # The id is minted anew for each claim, and our own name is the directory's.
    document = replace(
        submission.document, document_id=_NO_ID, sender=Party(organ_id=submission.document.sender.organ_id)
    )
    asked = msgspec.json.encode(replace(submission, document=document)).decode()
    lines = sorted(f"{file.name}\0{file.stored.sha256}\n" for file in files)
    return sha256_of("".join([asked, "\n", *lines]).encode())
