"""What every Inbox does, fake and real."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

import pytest
from fakes.containers import container_of, inbox_folder
from fakes.records import document_id
from fakes.store import sha256_of

from edoc.errors import EdocError
from edoc.model.identifiers import DocumentId, OrganId, Sha256
from edoc.model.message import CHUNK_BYTES
from edoc.ports import Inbox

ONE = document_id(1)
BODY = container_of(b"%PDF-1.7 noi dung", b"phu luc")
SHA = sha256_of(BODY)
DELIVERED = {
    "1.pdf": b"%PDF-1.7 noi dung",
    "2.pdf": b"phu luc",
    "document.json": b"{}",
    "verification.json": b"[]",
    "package.asice": BODY,
}
LARGE = container_of(bytes(range(256)) * 4096 * 2 + b"end")
LARGE_SHA = sha256_of(LARGE)
CHUNKS = [LARGE[at : at + CHUNK_BYTES] for at in range(0, len(LARGE), CHUNK_BYTES)]
DIGESTS = tuple(sha256_of(chunk) for chunk in CHUNKS)


class InboxContract:
    """Subclass it and play the document-management system and the auditor."""

    @abstractmethod
    def inbox(self) -> Inbox:
        """Return the Inbox of this test."""

    @abstractmethod
    def seen(self) -> dict[str, dict[str, bytes]]:
        """Return what the DMS sees: folders by name, files by name."""

    @abstractmethod
    def take(self, document: DocumentId) -> None:
        """Take a folder away, as the DMS does."""

    @abstractmethod
    def quarantined(self) -> dict[str, dict[str, bytes]]:
        """Return what is in quarantine."""

    @abstractmethod
    def staged(self) -> set[str]:
        """Return the digests of whole containers in staging."""

    # --- delivery --------------------------------------------------------------------------------------------------

    async def test_a_staged_container_is_delivered_complete_and_staging_is_empty(self) -> None:
        inbox = self.inbox()
        ref = await inbox.stage(SHA, BODY)
        assert await inbox.stage(SHA, BODY) == ref
        assert self.staged() == {SHA}
        await inbox.deliver(inbox_folder(ONE, ref, 2))
        assert self.seen() == {ONE: DELIVERED}
        assert self.staged() == set()

    async def test_a_delivery_is_repeated_without_effect(self) -> None:
        inbox = self.inbox()
        folder = inbox_folder(ONE, await inbox.stage(SHA, BODY), 2)
        await inbox.deliver(folder)
        await inbox.deliver(folder)
        assert self.seen() == {ONE: DELIVERED}

    async def test_a_folder_that_the_dms_took_does_not_come_back(self) -> None:
        inbox = self.inbox()
        folder = inbox_folder(ONE, await inbox.stage(SHA, BODY), 2)
        await inbox.deliver(folder)
        self.take(ONE)
        await inbox.deliver(folder)
        assert self.seen() == {}

    async def test_a_folder_that_is_there_is_not_overwritten(self) -> None:
        inbox = self.inbox()
        await inbox.deliver(inbox_folder(ONE, await inbox.stage(SHA, BODY), 2))
        await inbox.deliver(inbox_folder(ONE, await inbox.stage(LARGE_SHA, LARGE), 1))
        assert self.seen() == {ONE: DELIVERED}
        assert self.staged() == set()

    async def test_bytes_with_another_digest_are_not_staged(self) -> None:
        with pytest.raises(EdocError) as caught:
            await self.inbox().stage(SHA, BODY + b"x")
        assert caught.value.code == "CHUNK_MISMATCH"
        assert self.staged() == set()

    # --- chunks ------------------------------------------------------------------------------------------------------

    async def test_chunks_in_any_order_and_twice_make_the_container(self) -> None:
        inbox = self.inbox()
        assert await inbox.chunks(LARGE_SHA) == (None, frozenset())
        await inbox.stage_manifest(LARGE_SHA, b"manifest")
        for index in (2, 0, 2, 1):
            await inbox.stage_chunk(LARGE_SHA, index, CHUNKS[index])
        assert await inbox.chunks(LARGE_SHA) == (b"manifest", frozenset({0, 1, 2}))
        ref = await inbox.assemble(LARGE_SHA, DIGESTS)
        assert await inbox.assemble(LARGE_SHA, DIGESTS) == ref
        assert self.staged() == {LARGE_SHA}
        await inbox.stage_chunk(LARGE_SHA, 1, CHUNKS[1])
        await inbox.deliver(inbox_folder(ONE, ref))
        assert self.seen()[ONE]["package.asice"] == LARGE
        assert await inbox.chunks(LARGE_SHA) == (None, frozenset())

    async def test_a_container_with_a_missing_chunk_waits(self) -> None:
        inbox = self.inbox()
        await inbox.stage_chunk(LARGE_SHA, 0, CHUNKS[0])
        await inbox.stage_chunk(LARGE_SHA, 2, CHUNKS[2])
        assert (await inbox.chunks(LARGE_SHA))[1] == frozenset({0, 2})
        await self._not_assembled(inbox, DIGESTS, "CHUNK_MISSING")

    async def test_a_chunk_with_another_digest_is_a_mismatch_and_a_better_one_takes_its_place(self) -> None:
        inbox = self.inbox()
        for index in (0, 1, 2):
            await inbox.stage_chunk(LARGE_SHA, index, CHUNKS[index] if index != 1 else bytes(CHUNK_BYTES))
        await self._not_assembled(inbox, DIGESTS, "CHUNK_MISMATCH")
        await inbox.stage_chunk(LARGE_SHA, 1, CHUNKS[1])
        await inbox.assemble(LARGE_SHA, DIGESTS)
        assert self.staged() == {LARGE_SHA}

    async def test_chunks_that_make_another_whole_are_a_mismatch(self) -> None:
        inbox = self.inbox()
        for index, chunk in enumerate(CHUNKS[:2]):
            await inbox.stage_chunk(LARGE_SHA, index, chunk)
        await self._not_assembled(inbox, DIGESTS[:2], "CHUNK_MISMATCH")

    async def test_a_chunk_beyond_the_last_is_none_of_the_container(self) -> None:
        inbox = self.inbox()
        for index, chunk in enumerate([*CHUNKS, b"more"]):
            await inbox.stage_chunk(LARGE_SHA, index, chunk)
        ref = await inbox.assemble(LARGE_SHA, DIGESTS)
        await inbox.deliver(inbox_folder(ONE, ref))
        assert self.seen()[ONE]["package.asice"] == LARGE

    @pytest.mark.parametrize(("index", "size"), [(-1, 1), (1024, 1), (0, 0), (0, CHUNK_BYTES + 1)])
    async def test_a_chunk_beyond_the_bounds_is_refused(self, index: int, size: int) -> None:
        with pytest.raises(EdocError) as caught:
            await self.inbox().stage_chunk(LARGE_SHA, index, bytes(size))
        assert caught.value.code == "CHUNK_MISMATCH"

    # --- quarantine --------------------------------------------------------------------------------------------------

    async def test_a_refused_container_moves_to_quarantine_with_the_reason(self) -> None:
        inbox = self.inbox()
        await inbox.stage(SHA, BODY)
        for _ in range(2):
            await inbox.quarantine(ONE, SHA, [("error.json", b"{}")])
        assert self.quarantined() == {f"{ONE}-{SHA[:16]}": {"error.json": b"{}", "package.asice": BODY}}
        assert self.staged() == set()
        assert self.seen() == {}

    async def test_chunks_that_do_not_fit_move_to_quarantine_too(self) -> None:
        inbox = self.inbox()
        await inbox.stage_manifest(LARGE_SHA, b"manifest")
        await inbox.stage_chunk(LARGE_SHA, 0, CHUNKS[0])
        await inbox.quarantine(ONE, LARGE_SHA, [("error.json", b"{}")])
        assert self.quarantined()[f"{ONE}-{LARGE_SHA[:16]}"] == {"error.json": b"{}", "package.partial": CHUNKS[0]}
        assert await inbox.chunks(LARGE_SHA) == (None, frozenset())

    async def test_what_is_dropped_is_forgotten(self) -> None:
        inbox = self.inbox()
        await inbox.stage(SHA, BODY)
        await inbox.stage_manifest(LARGE_SHA, b"manifest")
        await inbox.stage_chunk(LARGE_SHA, 0, CHUNKS[0])
        for digest in (SHA, LARGE_SHA, SHA):
            await inbox.drop(digest)
        assert self.staged() == set()
        assert await inbox.chunks(LARGE_SHA) == (None, frozenset())

    async def test_what_two_senders_bring_does_not_meet(self) -> None:
        """All recipients of a document have its bytes: one that brings them again must not touch the sender's."""
        inbox = self.inbox()
        sender, other = inbox.of(OrganId("H53.31.20")), inbox.of(OrganId("H53.31"))
        ref = await sender.stage(SHA, BODY)
        assert await other.stage(SHA, BODY) != ref
        await other.quarantine(ONE, SHA, [("error.json", b"{}")])
        await sender.stage_chunk(LARGE_SHA, 0, CHUNKS[0])
        await other.stage_chunk(LARGE_SHA, 0, b"other bytes")
        await other.drop(LARGE_SHA)
        assert await sender.chunks(LARGE_SHA) == (None, frozenset({0}))
        await inbox.of(OrganId("H53.31.20")).deliver(inbox_folder(ONE, ref, 2))
        assert self.seen() == {ONE: DELIVERED}

    async def test_a_delivery_can_have_another_folder_than_its_id(self) -> None:
        inbox = self.inbox()
        for name in ("", f"{ONE}~H53.31"):
            ref = await inbox.stage(SHA, BODY)
            await inbox.deliver(replace(inbox_folder(ONE, ref, 2), name=name))
        assert self.seen() == {ONE: DELIVERED, f"{ONE}~H53.31": DELIVERED}

    async def _not_assembled(self, inbox: Inbox, digests: tuple[Sha256, ...], code: str) -> None:
        with pytest.raises(EdocError) as caught:
            await inbox.assemble(LARGE_SHA, digests)
        assert caught.value.code == code
        assert self.staged() == set()
