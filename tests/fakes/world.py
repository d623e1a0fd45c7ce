"""Offices that write to one another: everything of a daemon, wired as edoc/wiring.py does, on fakes.

Real are the folders (FsSpool, FsStore, FsInbox on a temporary folder, because the sandbox's tasks open files by their
refs) and the reading and verifying itself; fakes are journal, broker, token, directory, revocation data, clock and the
sandbox's child.

A test moves everything by hand: :meth:`World.run` lets all offices work until nothing is due, :meth:`World.pass_time`
lets time pass.  An office is killed by a step (``restart(last=n)``) and started again on the same folders and journal.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from fakes.broker import FakeBroker, FakeNetwork
from fakes.clock import START, FakeClock
from fakes.directory import FakeDirectory, organisation, snapshot
from fakes.jobs import files_in, read_json, write_job
from fakes.journal import FakeJournal
from fakes.revocation import FakeRevocation
from fakes.sandbox import FakeSandbox
from fakes.steps import Steps, stepped
from fakes.token import FakeToken
from lab.pki import Pki

from edoc.adapters.inbox_fs import FsInbox, InboxFolders
from edoc.adapters.spool_fs import FsSpool, SpoolFolders
from edoc.adapters.store_fs import FsStore
from edoc.directory.organisation import Level
from edoc.errors import FaultReport
from edoc.exchange.answers import Answers
from edoc.exchange.arrivals import Arrivals
from edoc.exchange.intake import Intake
from edoc.exchange.office import Office, Policy
from edoc.exchange.outgoing import Outgoing
from edoc.exchange.receipts import Receipts
from edoc.exchange.reception import Reception
from edoc.exchange.room import Room
from edoc.exchange.runner import Crew, Journey, Runner
from edoc.exchange.sealing import Seal
from edoc.exchange.sending import Sending
from edoc.exchange.stamping import Stamping
from edoc.exchange.trust import Trust
from edoc.model.appearance import Place
from edoc.model.document import Lane
from edoc.model.evidence import EvidenceEvent
from edoc.model.identifiers import DocumentId, OrganId
from edoc.model.record import Key, Record
from edoc.model.state import Kind, State
from edoc.ports import Delivery, Timestamp

COMMUNE = OrganId("H53.31.20")
PROVINCE = OrganId("000.00.00.H53")
CENTRE = OrganId("000.00.00.G22")
STRANGER = OrganId("H99.1")

NAMES = {
    COMMUNE: ("Ủy ban nhân dân xã Tân Lập", Level.COMMUNE),
    PROVINCE: ("Ủy ban nhân dân tỉnh Tây Ninh", Level.PROVINCE),
    CENTRE: ("Văn phòng Chính phủ", Level.CENTRAL),
}
EVERYTHING = frozenset(Kind)
CREWS = tuple(Crew(lane=lane, kinds=EVERYTHING, workers=1) for lane in (Lane.URGENT, Lane.NORMAL))


class Bureau:
    """One office: its folders, its journal, its token, and the daemon that runs on them."""

    def __init__(self, world: World, code: OrganId, folder: Path) -> None:
        self.world = world
        self.code = code
        self.folder = folder
        self.seal = world.pki.seal(code, NAMES[code][0], kind="ec")
        self.journal = FakeJournal()
        self.token = FakeToken(office=code, issued=self.seal)
        self.directory = FakeDirectory(snapshot([]))
        self.revocation = FakeRevocation(world.crls())
        self.sandbox = FakeSandbox()
        self.alarms: list[tuple[FaultReport, Key | None]] = []
        self.policy = Policy()
        self.chance = 0.5
        self.seal_pdf = True
        self.seal_image = b""
        self.seal_place: Place | None = None
        self.inbox_edxml = False
        self.timestamp: Timestamp | None = None
        self.broker: FakeBroker
        self.steps = Steps()

    # --- the daemon --------------------------------------------------------------------------------------------------

    def start(self, last: int | None = None) -> None:
        """Wire everything; with `last`, the daemon is killed right after that many steps."""
        self.steps = step = Steps(last)
        world, code, folder = self.world, self.code, self.folder
        office = self.office = Office(
            code=code,
            anchors=world.pki.anchors,
            intermediates=world.pki.intermediates,
            policy=self.policy,
            seal_pdf=self.seal_pdf,
            seal_image=self.seal_image,
            seal_place=self.seal_place,
            inbox_edxml=self.inbox_edxml,
        )
        fs_spool = FsSpool(
            SpoolFolders(
                outbox=folder / "outbox",
                sent=folder / "sent",
                failed=folder / "failed",
                status=folder / "status",
                claimed=folder / "state" / "claimed",
            ),
            step=lambda name: step(f"spool: {name}"),
        )
        fs_store = FsStore(folder / "state")
        self.fs_inbox = fs_inbox = FsInbox(
            InboxFolders(
                inbox=folder / "inbox", quarantine=folder / "quarantine", staging=folder / "state" / "staging"
            ),
            step=lambda name: step(f"inbox: {name}"),
        )
        for files in (fs_spool, fs_store, fs_inbox):
            files.prepare()
        self.broker = world.network.broker(code)
        self.spool = spool = stepped(fs_spool, "spool", step)
        self.store = store = stepped(fs_store, "store", step)
        self.inbox = inbox = stepped(fs_inbox, "inbox", step)
        journal = stepped(self.journal, "journal", step)
        token = stepped(self.token, "token", step)
        broker = stepped(self.broker, "broker", step)
        clock, sandbox, alarm = world.clock, self.sandbox, self.alarm
        self.trust = trust = Trust(office, self.directory, self.revocation)
        seal = Seal(office, clock, token, trust)
        self.outgoing = outgoing = Outgoing(
            office=office,
            clock=clock,
            spool=spool,
            store=store,
            journal=journal,
            sandbox=sandbox,
            trust=trust,
            seal=seal,
            stamping=Stamping(clock, sandbox, self.timestamp, timedelta(seconds=3)),
        )
        self.reception = reception = Reception(
            office=office, clock=clock, inbox=inbox, journal=journal, sandbox=sandbox, trust=trust, alarm=alarm
        )
        journeys: dict[Kind, Journey] = {
            Kind.SUBMISSION: outgoing,
            Kind.TRANSFER: Sending(
                office=office,
                clock=clock,
                store=store,
                journal=journal,
                broker=broker,
                outgoing=outgoing,
                alarm=alarm,
            ),
            Kind.RECEPTION: reception,
            Kind.STATUS: Receipts(
                office=office, clock=clock, store=store, broker=broker, trust=trust, seal=seal, alarm=alarm
            ),
        }
        self.room = room = Room(clock, store, 0, alarm)
        self.runner = Runner(
            journal=journal,
            clock=clock,
            journeys=journeys,
            patience=office.patience,
            chance=lambda: self.chance,
            alarm=alarm,
        )
        answers = Answers(clock=clock, store=store, journal=journal, sandbox=sandbox, trust=trust, outgoing=outgoing)
        self.arrivals = Arrivals(
            office=office,
            clock=clock,
            broker=broker,
            inbox=inbox,
            journal=journal,
            sandbox=sandbox,
            trust=trust,
            reception=reception,
            answers=answers,
            room=room,
            alarm=alarm,
            poke=self.runner.poke,
            chance=lambda: self.chance,
        )
        self.intake = Intake(
            office=office,
            clock=clock,
            spool=spool,
            store=store,
            journal=journal,
            sandbox=sandbox,
            trust=trust,
            outgoing=outgoing,
            room=room,
            alarm=alarm,
            poke=self.runner.poke,
        )
        self._streams: dict[Lane, AsyncIterator[Delivery]] = {lane: self.broker.deliveries(lane) for lane in Lane}

    async def restart(self, last: int | None = None) -> None:
        """Start again after a kill: the broker hands out again what was not settled, the journal knows what ran."""
        await self.broker.close()
        self.journal.start()
        self.start(last)
        await self.resume()

    async def resume(self) -> None:
        """Do what a daemon does first: tell, take up what was cut off, run the suspects alone."""
        await self.outgoing.retell()
        await self.intake.resume()
        await self.runner._run_suspects(CREWS)

    async def run(self) -> bool:
        """Do all that is due; say whether there was anything."""
        worked = False
        while await self._turn():
            worked = True
        return worked

    async def _turn(self) -> bool:
        worked = False
        for name in await self.spool.ready():
            await self.intake.take(name)
            worked = True
        while await self.work():
            worked = True
        return await self.receive() or worked

    async def work(self) -> bool:
        """Run one record that is due; say whether there was one."""
        for crew in CREWS:
            records = await self.journal.claim(crew.kinds, crew.lane, self.world.clock.now(), 1)
            if records:
                self.steps("journal.claim")
                await self.runner.work(records[0])
                return True
        return False

    async def receive(self) -> bool:
        """Take what waits in our queues; say whether there was anything."""
        worked = False
        for lane, stream in self._streams.items():
            while self.world.network.queue(self.code, lane):
                await self.arrivals.take(await anext(stream))
                worked = True
        return worked

    # --- the document-management system ------------------------------------------------------------------------------

    def submit(self, name: str, files: dict[str, bytes]) -> None:
        """Write a job to the outbox."""
        write_job(self.folder / "outbox", name, files)

    def status(self, job: str) -> Any:
        """Return the status file of a job."""
        return read_json(self.folder / "status" / "by-job" / f"{job}.json")

    def states(self, job: str) -> dict[str, str]:
        """Return what the status file says: the state of the document (as ""), and of each recipient."""
        told = self.status(job)
        return {"": told["state"], **{each["organ_id"]: each["state"] for each in told["recipients"]}}

    def delivered(self) -> list[DocumentId]:
        """Return the documents in the inbox."""
        return sorted(DocumentId(path.name) for path in (self.folder / "inbox").iterdir())

    def opened(self, document_id: DocumentId) -> dict[str, bytes]:
        """Return the files of a delivery."""
        return files_in(self.folder / "inbox" / document_id)

    def quarantined(self) -> dict[str, dict[str, bytes]]:
        """Return the quarantined folders and their files."""
        return {path.name: files_in(path) for path in sorted((self.folder / "quarantine").iterdir())}

    def failed(self, name: str) -> dict[str, bytes]:
        """Return the files of a refused job."""
        return files_in(self.folder / "failed" / name)

    def staged(self) -> list[str]:
        """Return what lies in staging."""
        return sorted(path.name for path in (self.folder / "state" / "staging").iterdir())

    # --- the operator ------------------------------------------------------------------------------------------------

    def alarm(self, fault: FaultReport, key: Key | None) -> None:
        """Take an alarm."""
        self.alarms.append((fault, key))

    def alarmed(self) -> list[str]:
        """Return the codes of the alarms."""
        return [fault.code for fault, _ in self.alarms]

    def records(self, kind: Kind) -> list[Record]:
        """Return the records of `kind`, oldest first."""
        return [row.record for row in self.journal.rows.values() if row.record.key.kind is kind]

    def one(self, kind: Kind) -> Record:
        """Return the only record of `kind`."""
        (record,) = self.records(kind)
        return record

    def state(self, kind: Kind) -> State:
        """Return the state of the only record of `kind`."""
        return self.one(kind).state

    def evidence(self, document_id: DocumentId) -> list[EvidenceEvent]:
        """Return the events of a document."""
        return [event.event for event in self.journal.events if event.document_id == document_id]


class World:
    """Offices, the network between them, one clock, one PKI, one directory."""

    def __init__(self, folder: Path, codes: Sequence[OrganId] = (COMMUNE, PROVINCE)) -> None:
        self.clock = FakeClock(auto=True)
        self.pki = Pki.create(START)
        self.network = FakeNetwork.of(codes)
        self.offices = {code: Bureau(self, code, folder / code) for code in codes}
        self.publish_directory()
        for office in self.offices.values():
            office.start()

    def __getitem__(self, code: OrganId) -> Bureau:
        return self.offices[code]

    def crls(self) -> tuple[bytes, ...]:
        """Return fresh CRLs of both authorities."""
        since = self.clock.now() - timedelta(hours=1)
        return self.pki.crl(since), self.pki.root_crl(since)

    def publish_directory(self, *, without: OrganId | None = None) -> None:
        """Give every office a directory with the seals in use; `without` leaves one organisation out."""
        entries = [
            organisation(code, *NAMES[code], pins=(office.seal.sha256,))
            for code, office in self.offices.items()
            if code != without
        ]
        for office in self.offices.values():
            office.directory.current = snapshot(entries)

    def refresh_crls(self) -> None:
        """Give every office fresh CRLs."""
        for office in self.offices.values():
            office.revocation.lists = list(self.crls())

    async def run(self) -> None:
        """Let every office work until nothing is due anywhere."""
        while any([await office.run() for office in self.offices.values()]):
            pass

    async def pass_time(self, duration: timedelta) -> None:
        """Let time pass, and everything that becomes due happen."""
        await self.clock.advance(duration)
        await self.run()

    async def close(self) -> None:
        """End the offices' streams."""
        for office in self.offices.values():
            await office.broker.close()
            for stream in office._streams.values():
                with contextlib.suppress(RuntimeError):
                    await stream.aclose()  # type: ignore[attr-defined]  # the fake's stream is a generator
