"""Ports: what the journeys need from the world, as Protocols.

Rules: each port has one fake (``tests/fakes``) and at least one real adapter, and both pass one contract suite
(``tests/contracts``).  Every method may raise EdocError and nothing else; the disposition of the fault says whether
a later attempt can help.  A method that writes returns only when the result is durable (fsynced file and folder,
committed transaction, confirmed publish).  Time is never read in the core: Clock gives it to the shell.

Does not implement anything.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from edoc.directory.organisation import Snapshot
from edoc.errors import FaultReport
from edoc.model.appearance import NOTHING, Appearance
from edoc.model.document import Lane, Party
from edoc.model.evidence import Evidence
from edoc.model.identifiers import DocumentId, FileRef, OrganId, Sha256
from edoc.model.job import ClaimedJob, InboxFolder
from edoc.model.message import Message, Outcome
from edoc.model.reading import ManifestRead, PackageRead, PreparedPdf, StatusRead, SubmissionRead
from edoc.model.record import Change, Key, Record, StoredFile
from edoc.model.signers import NO_RULES, SignerRules
from edoc.model.signing import SignRequest, TokenState
from edoc.model.state import Kind, State
from edoc.model.trust import TrustMaterial
from edoc.model.verdict import Verdict

# --- Clock -----------------------------------------------------------------------------------------------------------


class Clock(Protocol):
    """Time and identity, read in the shell only."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""

    def mint(self) -> DocumentId:
        """Return a new random UUID."""

    async def sleep(self, duration: timedelta) -> None:
        """Wait for `duration`."""


# --- Spool -----------------------------------------------------------------------------------------------------------


class Spool(Protocol):
    """The outbox of the office, and the folders that answer it."""

    async def ready(self) -> Sequence[str]:
        """Return the names of complete jobs in the outbox, oldest first."""

    async def claim(self, name: str, document_id: DocumentId) -> ClaimedJob | None:
        """Take a job by rename into a daemon-only folder, then copy and hash it; None when it is gone."""

    async def claimed(self) -> Sequence[tuple[DocumentId, str]]:
        """Return (document_id, job name) of every claimed folder: those without a record were cut off by a crash."""

    async def reopen(self, document_id: DocumentId) -> ClaimedJob:
        """Return a claimed job again (copied and hashed anew)."""

    async def sent(self, document_id: DocumentId) -> None:
        """Move the claimed source to ``sent/``.  Idempotent."""

    async def failed(self, document_id: DocumentId, error_json: bytes, error_text: str) -> None:
        """Move the claimed source to ``failed/NAME/`` with ``error.json`` and ``error.txt``.  Idempotent."""

    async def report(self, document_id: DocumentId, job: str, status_json: bytes, *, durable: bool) -> None:
        """Replace ``status/<document_id>.json`` and ``status/by-job/<job>.json``, each at one instant.

        What is not `durable` may be gone after a power cut: it is told again when the daemon starts.
        """

    async def wait(self, limit: timedelta) -> None:
        """Return when the outbox may have changed, at the latest after `limit`.  A hint: scanning is the truth."""


# --- Store: files of ours --------------------------------------------------------------------------------------------


class Store(Protocol):
    """Files that only the daemon sees; names on disk are ids and numbers."""

    def scratch(self, document_id: DocumentId, name: str) -> FileRef:
        """Return where a working file of the document goes (its folder exists); `name` is ours, never a message's."""

    def free(self) -> tuple[int, int]:
        """Return the free bytes and inodes of the file system."""

    async def patch(self, ref: FileRef, offset: int, content: bytes) -> None:
        """Overwrite bytes of a scratch file in place."""

    async def keep(self, ref: FileRef) -> StoredFile:
        """Make a written scratch file durable and return its size and digest."""

    async def chunk_digests(self, ref: FileRef, chunk_bytes: int) -> tuple[Sha256, ...]:
        """Return the SHA-256 of each piece of `chunk_bytes` of a file."""

    async def put(self, document_id: DocumentId, name: str, content: bytes) -> StoredFile:
        """Write a small file durably; it stays when the scratch folder is discarded."""

    async def read(self, ref: FileRef, offset: int = 0, size: int = -1) -> bytes:
        """Return bytes of a file."""

    async def seal_package(self, document_id: DocumentId, entries: Sequence[tuple[str, bytes | FileRef]]) -> StoredFile:
        """Write the container of `document_id` (entries in order, by edoc.envelopes.asic) durably."""

    async def discard(self, document_id: DocumentId) -> None:
        """Remove the document's scratch folder.  The package is not scratch and stays."""


# --- Inbox -----------------------------------------------------------------------------------------------------------


class Inbox(Protocol):
    """Staging of what arrives, the inbox, and the quarantine."""

    def of(self, sender: OrganId) -> Inbox:
        """Return this inbox with a staging of its own for what `sender` brings.

        All recipients of a document hold the same bytes and know its id: what one of them brings again must not touch
        what the sender's own delivery has staged.
        """

    async def stage(self, sha256: Sha256, body: bytes) -> FileRef:
        """Write a whole container to staging, named by its digest.  Idempotent."""

    async def stage_chunk(self, sha256: Sha256, index: int, body: bytes) -> None:
        """Write one chunk of the container `sha256` durably.  Idempotent."""

    async def stage_manifest(self, sha256: Sha256, body: bytes) -> None:
        """Keep the manifest of a chunked container durably.  Idempotent."""

    async def chunks(self, sha256: Sha256) -> tuple[bytes | None, frozenset[int]]:
        """Return the manifest if it is there, and the chunks that are durable."""

    async def assemble(self, sha256: Sha256, chunks: Sequence[Sha256]) -> FileRef:
        """Make the staged container of its chunks; EdocError CHUNK_MISMATCH when a digest differs.  Idempotent."""

    async def deliver(self, folder: InboxFolder) -> None:
        """Make ``inbox/<document_id>/`` appear complete, at one instant, and drop the staging file.  Idempotent."""

    async def quarantine(self, document_id: DocumentId, sha256: Sha256, files: Sequence[tuple[str, bytes]]) -> None:
        """Move the staged container to ``quarantine/<document_id>-<sha256[:16]>/`` with the files.  Idempotent."""

    async def drop(self, sha256: Sha256) -> None:
        """Forget a staged container, its chunks and manifest.  Idempotent."""


# --- Token -----------------------------------------------------------------------------------------------------------


class Token(Protocol):
    """The office's seal."""

    async def state(self) -> TokenState:
        """Return presence, certificate and algorithms."""

    async def sign(self, request: SignRequest) -> bytes:
        """Return the signature: RSA as the raw octets, ECDSA as r‖s.

        Raises EdocError TOKEN_ABSENT, TOKEN_BUSY, TOKEN_BROKEN, PIN_REFUSED, PIN_BLOCKED, PIN_NEEDED,
        PIN_FILE_UNSAFE, KEY_NOT_FOUND, KEY_AMBIGUOUS, KEY_NOT_ALLOWED, TOKEN_ALGORITHM, TOKEN_REFUSED,
        SIGNER_UNREACHABLE.
        """


# --- Broker ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message handed over by the broker.

    `attested_sender` comes from the exchange it was published to, so from the broker's permissions and never from
    the message; it is None for what returned through dead-lettering.
    """

    message: Message | None  # None when the headers cannot be read: `fault` says why
    attested_sender: OrganId | None
    redelivered: bool
    fault: FaultReport | None
    tag: int
    lane: Lane
    body: bytes = field(default=b"", repr=False)


class Broker(Protocol):
    """The message broker."""

    async def publish(self, message: Message) -> Outcome:
        """Publish mandatory with confirm, a fresh message_id per call; anything but Ack, return, nack is UNKNOWN."""

    def deliveries(self, lane: Lane) -> AsyncIterator[Delivery]:
        """Yield deliveries of our queue of `lane`, across reconnects, until the broker is closed."""

    async def settle(self, delivery: Delivery) -> None:
        """Acknowledge: it is durable here.  A delivery of a lost channel is ignored (it comes again)."""

    async def release(self, delivery: Delivery) -> None:
        """Give it back to the queue, to be delivered again."""

    async def close(self) -> None:
        """End consumers and connections."""


# --- Journal ---------------------------------------------------------------------------------------------------------


class Journal(Protocol):
    """The queue and the memory of the office."""

    async def claim(
        self, kinds: frozenset[Kind], lane: Lane, now: datetime, limit: int, alone: bool = False
    ) -> Sequence[Record]:
        """Take runnable records that are due, durably marked as in work; urgency first, then age.

        With `alone`, take at most one of those that an unclean stop left in work, and count the start against it.
        """

    async def commit(self, change: Change) -> None:
        """Commit all of `change` in one transaction; moved records are no longer in work.

        Raises EdocError STATE_CONFLICT when a record is not in the state it `was`, or a new one is already there
        (nothing is changed then); ILLEGAL_MOVE for a move that the table does not have.
        """

    async def get(self, key: Key) -> Record | None:
        """Return one record."""

    async def find(
        self,
        *,
        document_id: DocumentId | None = None,
        kind: Kind | None = None,
        states: frozenset[State] | None = None,
        dms_id: str | None = None,
        container_sha256: Sha256 | None = None,
        limit: int = 1000,
    ) -> Sequence[Record]:
        """Return records that match all that is given, newest first."""

    async def counts(self) -> Sequence[tuple[Kind, State, int]]:
        """Return how many records of each kind are in each state."""

    async def evidence(self, document_id: DocumentId) -> Sequence[Evidence]:
        """Return the events of a document in order."""

    async def suspects(self) -> int:
        """Return how many records an unclean stop left in work and that still have to run alone."""

    async def parked(self) -> Sequence[Record]:
        """Return the records that stopped the process three times while alone (fault POISON), oldest first."""

    async def next_due(self, kinds: frozenset[Kind], lane: Lane) -> datetime | None:
        """Return when the next runnable record is due."""

    async def close(self, clean: bool) -> None:
        """Close; `clean` says that nothing was in work."""


# --- Trust -----------------------------------------------------------------------------------------------------------


class Directory(Protocol):
    """The directory of organisations."""

    def snapshot(self) -> Snapshot:
        """Return the directory in force; EdocError DIRECTORY_MISSING when there is none."""


class Revocation(Protocol):
    """Revocation data that were verified to be well-formed and are kept locally."""

    async def crls(self) -> Sequence[bytes]:
        """Return the CRLs at hand, DER."""


class Timestamp(Protocol):
    """A time-stamping authority."""

    async def ask(self, query: bytes, limit: timedelta) -> bytes | None:
        """Return the authority's answer to a TimeStampReq (DER), unread, or None when none came within `limit`."""


# --- Sandbox ---------------------------------------------------------------------------------------------------------


class Sandbox(Protocol):
    """Where unverified bytes meet a parser: a bounded child per call.

    Raises EdocError with the fault the parser found, or SANDBOX_LIMIT when the child was stopped.
    """

    async def read_submission(self, job: ClaimedJob, scratch: FileRef, office: Party) -> SubmissionRead:
        """Read a job's description."""

    async def prepare_pdf(
        self,
        source: FileRef,
        target: FileRef,
        certificates: tuple[bytes, ...],
        reason: str,
        at: datetime,
        appearance: Appearance = NOTHING,
        signers: SignerRules = NO_RULES,
    ) -> PreparedPdf:
        """Write `source` with an incremental update that holds an empty signature to `target`.

        `certificates` (DER) is the seal's, then those that its signature will carry besides; `signers` tells a
        person's signature, beside which the seal's image goes.
        """

    async def verify_package(self, container: FileRef, material: TrustMaterial) -> PackageRead:
        """Read and verify a container."""

    async def verify_status(self, body: bytes, material: TrustMaterial) -> StatusRead:
        """Read and verify a status message."""

    async def verify_manifest(self, body: bytes, material: TrustMaterial) -> ManifestRead:
        """Read and verify a chunk manifest."""

    async def verify_file(self, file: FileRef, material: TrustMaterial) -> Verdict:
        """Verify whatever the file is: container, PDF, edXML, XML or CMS signature."""

    async def verify_detached(self, content: bytes, cms: bytes, material: TrustMaterial) -> Verdict:
        """Verify a detached CMS signature."""

    async def add_timestamp(self, signatures: bytes, answer: bytes, nonce: int) -> bytes:
        """Return `signatures` with the time-stamp of a TimeStampResp; EdocError when it does not belong to them."""


# --- Telling ---------------------------------------------------------------------------------------------------------

Alarm = Callable[[FaultReport, Key | None], None]
"""Tell the operator: something needs a person."""


def today(now: datetime) -> date:
    """Return the calendar day of `now` in Vietnam (Decree 30/2020: duties run by calendar day; UTC+7, no DST)."""
    return (now + timedelta(hours=7)).date()
