"""Which adapter stands behind which port: the only place that knows all of them.

Rules: builds, opens and closes; decides nothing.  Every constructor it calls lists the ports it needs.

Does not run anything: :mod:`edoc.daemon` does.
"""

from __future__ import annotations

import os
import pwd
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType

import structlog

from edoc.adapters.broker_amqp import AmqpBroker
from edoc.adapters.broker_link import BrokerSettings
from edoc.adapters.clock_system import SystemClock
from edoc.adapters.directory_file import DirectoryFile, signed_by
from edoc.adapters.image_file import read_image
from edoc.adapters.inbox_fs import FsInbox, InboxFolders
from edoc.adapters.journal_sqlite import SqliteJournal
from edoc.adapters.revocation_files import RevocationFiles
from edoc.adapters.sandbox_calls import SandboxLimits
from edoc.adapters.sandbox_split import SplitSandbox
from edoc.adapters.spool_copy import CopyLimits
from edoc.adapters.spool_fs import FsSpool, SpoolFolders
from edoc.adapters.store_fs import FsStore
from edoc.adapters.token_client import TokenClient
from edoc.adapters.trust_files import read_anchors, read_intermediates, read_pinned_certificate
from edoc.config import Config, fingerprint
from edoc.config import Seal as SealSettings
from edoc.errors import EdocError, FaultReport
from edoc.errors.trust import NOT_IN_DIRECTORY
from edoc.exchange.office import Office, Patience, Policy, Undecided
from edoc.exchange.reports import status_of
from edoc.exchange.room import Room
from edoc.exchange.sealing import Seal
from edoc.exchange.trust import Trust
from edoc.model.appearance import Place
from edoc.model.identifiers import DocumentId
from edoc.model.message import CHUNK_BYTES
from edoc.model.record import Key
from edoc.model.signers import PersonSignature
from edoc.ports import Alarm, Clock, today
from edoc.token.settings import SignerSettings
from edoc.wiring_journeys import Exchange, Parts, exchange_of

JOURNAL = "journal.sqlite"


@asynccontextmanager
async def open_sandbox(memory_bytes: int, seconds: float) -> AsyncIterator[SplitSandbox]:
    """Yield a running sandbox with the bounds of one child."""
    children = max(2, len(os.sched_getaffinity(0)))
    sandbox = SplitSandbox(SandboxLimits(memory_bytes=memory_bytes, seconds=max(1, int(seconds)), children=children))
    try:
        await sandbox.start()
        yield sandbox
    finally:
        await sandbox.close()


@asynccontextmanager
async def open_journal(config: Config, readonly: bool) -> AsyncIterator[SqliteJournal]:
    """Yield the office's journal beside a running daemon: to read, or for an operator's act."""
    journal = SqliteJournal(config.folders.state / JOURNAL)
    await journal.open(readonly=readonly, shared=not readonly)
    try:
        yield journal
    finally:
        await journal.close(clean=False)


async def tell_status(config: Config, journal: SqliteJournal, document_id: DocumentId) -> None:
    """Write the document's status files after an operator's act, as the daemon does after its own."""
    status = status_of(await journal.find(document_id=document_id))
    if status is not None:
        job, told, ended = status
        await _spool(config).report(document_id, job, told, durable=ended)


def _spool(config: Config) -> FsSpool:
    folders = config.folders
    return FsSpool(
        SpoolFolders(
            outbox=folders.outbox,
            sent=folders.sent,
            failed=folders.failed,
            status=folders.status,
            claimed=folders.state / "claimed",
        ),
        CopyLimits(file_bytes=config.policy.max_file_bytes, files=config.policy.max_files),
    )


def office_of(config: Config) -> Office:
    """Return what the journeys know of the office."""
    retry = config.retry
    return Office(
        code=config.organ_id,
        anchors=read_anchors((anchor.file, anchor.fingerprint) for anchor in config.trust.anchors),
        intermediates=read_intermediates(config.trust.intermediates),
        policy=Policy(
            undecided=Undecided(config.policy.revocation_unknown),
            talk=frozenset((str(rule.sender), str(to)) for rule in config.policy.talk for to in rule.to),
            max_package_bytes=config.policy.max_package_bytes,
            person_signature=PersonSignature(config.policy.person_signature),
            person_policies=frozenset(config.policy.person_certificate_policies),
            agency_policies=frozenset(config.policy.agency_certificate_policies),
        ),
        patience=Patience(
            base=timedelta(seconds=retry.base_seconds),
            cap=timedelta(seconds=retry.cap_seconds),
            resend=timedelta(hours=retry.resend_after_hours),
        ),
        seal_pdf=config.seal.pdf,
        seal_reason=config.seal.reason,
        seal_image=b"" if config.seal.image is None else read_image(config.seal.image),
        seal_width_mm=config.seal.image_width_mm,
        seal_place=_seal_place(config.seal),
        inbox_edxml=config.inbox.edxml,
    )


def _seal_place(seal: SealSettings) -> Place | None:
    if seal.x_mm is None or seal.y_mm is None:
        return None
    return Place(page=0 if seal.page == "last" else seal.page, x_mm=seal.x_mm, y_mm=seal.y_mm)


def signer_settings(config: Config) -> SignerSettings:
    """Return the settings of the office's token process."""
    token = config.token
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    return SignerSettings(
        office=config.organ_id,
        socket=token.socket,
        module=token.module,
        allowed_modules=token.allowed_modules,
        key_uri=token.key_uri,
        # Under systemd the token process is another user with a state folder of its own (systemd.exec(5)).
        state=Path(os.environ.get("STATE_DIRECTORY") or config.folders.state / "signer"),
        allowed_uids=frozenset(pwd.getpwnam(user).pw_uid for user in token.allowed_users) or frozenset({os.getuid()}),
        pin_file=token.pin_file,
        credentials=Path(credentials) if credentials else None,
        certificate_sha256=None if token.certificate_sha256 is None else fingerprint(token.certificate_sha256),
        environment=token.environment,
        # Other users reach the socket through the group of its folder; our own user alone needs no group.
        socket_mode=0o660 if token.allowed_users else 0o600,
        request_timeout=timedelta(seconds=token.request_timeout_seconds),
    )


def broker_settings(config: Config) -> BrokerSettings:
    """Return how the office reaches the broker."""
    broker = config.broker
    return BrokerSettings(
        host=broker.host,
        port=broker.port,
        vhost=broker.vhost,
        ca=broker.ca,
        certificate=broker.certificate,
        key=broker.key,
        prefetch=broker.prefetch,
        publish_timeout=broker.publish_timeout_seconds,
    )


def open_directory(config: Config, sandbox: SplitSandbox, clock: Clock, alarm: Alarm | None = None) -> DirectoryFile:
    """Return the directory adapter; its signature is checked in the sandbox against the configured signer alone."""
    signer = read_pinned_certificate(config.trust.directory_signer.file, config.trust.directory_signer.fingerprint)

    verify = signed_by(sandbox, signer, clock)
    return DirectoryFile(config.trust.directory, verify, config.folders.state, clock=clock, alarm=alarm)


def alarm_to_log(fault: FaultReport, key: Key | None) -> None:
    """Tell the operator through the log."""
    structlog.get_logger("edoc.alarm").error(
        "alarm",
        fault=fault.code,
        text=fault.text("en"),
        next_step=fault.next_step("en"),
        cause=fault.cause or None,
        kind=key.kind if key else None,
        document_id=key.document_id if key else None,
        peer=key.peer if key else None,
    )


@asynccontextmanager
async def open_exchange(config: Config, alarm: Alarm, chance: Callable[[], float]) -> AsyncIterator[Exchange]:
    """Yield the wired exchange of one office; the journal is locked by it alone.

    Raises EdocError JOURNAL_LOCKED, DIRECTORY_MISSING, NOT_IN_DIRECTORY, ANCHOR_MISMATCH and other faults of the
    configuration.
    """
    async with AsyncExitStack() as stack:
        journal = SqliteJournal(config.folders.state / JOURNAL)
        await journal.open()
        stack.push_async_exit(_closing(journal))
        for parked in await journal.parked():
            if parked.fault is not None:
                alarm(parked.fault, parked.key)
        limits = config.limits
        sandbox = await stack.enter_async_context(open_sandbox(limits.sandbox_memory_bytes, limits.sandbox_seconds))
        clock = SystemClock()
        office = office_of(config)
        directory = open_directory(config, sandbox, clock, alarm)
        await directory.load()
        level = directory.snapshot().level(office.code, today(clock.now()))
        if level is None:
            raise EdocError(NOT_IN_DIRECTORY, code=office.code)
        broker = AmqpBroker(broker_settings(config), office.code, level, alarm)
        stack.push_async_callback(broker.close)
        yield exchange_of(_parts(config, office, clock, journal, sandbox, directory, broker, alarm, chance))


def _closing(
    journal: SqliteJournal,
) -> Callable[[type[BaseException] | None, BaseException | None, TracebackType | None], Awaitable[None]]:
    """Return what closes the journal: clean only when nothing went wrong."""

    async def close(kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        await journal.close(clean=kind is None)

    return close


def _parts(  # noqa: PLR0913, PLR0917 -- what was opened one by one comes together here
    config: Config,
    office: Office,
    clock: Clock,
    journal: SqliteJournal,
    sandbox: SplitSandbox,
    directory: DirectoryFile,
    broker: AmqpBroker,
    alarm: Alarm,
    chance: Callable[[], float],
) -> Parts:
    spool, store, inbox = _spool(config), FsStore(config.folders.state), _inbox(config, office)
    for files in (spool, store, inbox):
        files.prepare()
    patience = timedelta(seconds=2 * config.token.request_timeout_seconds)
    token = TokenClient(str(config.token.socket), office.code, patience)
    trust = Trust(office, directory, RevocationFiles(config.trust.crls, alarm=alarm))
    return Parts(
        config=config,
        office=office,
        clock=clock,
        journal=journal,
        sandbox=sandbox,
        directory=directory,
        broker=broker,
        alarm=alarm,
        chance=chance,
        spool=spool,
        store=store,
        inbox=inbox,
        token=token,
        trust=trust,
        seal=Seal(office, clock, token, trust),
        room=Room(clock, store, config.limits.min_free_bytes, alarm),
    )


def _inbox(config: Config, office: Office) -> FsInbox:
    folders = config.folders
    return FsInbox(
        InboxFolders(inbox=folders.inbox, quarantine=folders.quarantine, staging=folders.state / "staging"),
        max_chunks=-(-office.policy.max_package_bytes // CHUNK_BYTES),
    )


def chance() -> float:
    """Return a number in [0, 1) that spreads retries; nothing secret depends on it."""
    return random.random()  # noqa: S311 -- spreads retries, no secret
