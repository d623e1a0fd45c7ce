"""What every Store does, fake and real."""

from __future__ import annotations

import io
from abc import abstractmethod

import pytest
from fakes.records import document_id
from fakes.store import sha256_of

from edoc.envelopes.asic import Container
from edoc.errors import EdocError
from edoc.model.identifiers import FileRef
from edoc.ports import Store

ONE = document_id(1)


class StoreContract:
    """Subclass it and say how a store comes into being and how a program writes to a ref."""

    @abstractmethod
    def store(self) -> Store:
        """Return an empty Store."""

    @abstractmethod
    def write(self, ref: FileRef, content: bytes) -> None:
        """Write to a scratch file, as the sandbox does."""

    def test_it_says_how_much_room_there_is(self) -> None:
        free, inodes = self.store().free()
        assert free > 0
        assert inodes > 0

    async def test_what_was_put_is_read_back(self) -> None:
        store = self.store()
        stored = await store.put(ONE, "receipt.xml", b"<biennhan/>")
        assert (stored.size, stored.sha256) == (11, sha256_of(b"<biennhan/>"))
        assert await store.read(stored.ref) == b"<biennhan/>"
        assert await store.read(stored.ref, 1, 3) == b"bie"
        assert await store.read(stored.ref, 8, 100) == b"n/>"

    async def test_putting_again_replaces(self) -> None:
        store = self.store()
        first = await store.put(ONE, "a", b"1")
        assert (await store.put(ONE, "a", b"22")).ref == first.ref
        assert await store.read(first.ref) == b"22"

    async def test_a_scratch_file_is_kept_with_size_and_digest(self) -> None:
        store = self.store()
        ref = store.scratch(ONE, "1.pdf")
        self.write(ref, b"%PDF" * 1000)
        stored = await store.keep(ref)
        assert (stored.ref, stored.size, stored.sha256) == (ref, 4000, sha256_of(b"%PDF" * 1000))

    async def test_a_scratch_file_is_patched_in_place(self) -> None:
        store = self.store()
        ref = store.scratch(ONE, "1.pdf")
        self.write(ref, b"/Contents <0000>")
        await store.patch(ref, 11, b"ab12")
        assert await store.read(ref) == b"/Contents <ab12>"

    async def test_a_file_is_digested_in_pieces(self) -> None:
        store = self.store()
        stored = await store.put(ONE, "a", b"aaabbbc")
        assert await store.chunk_digests(stored.ref, 3) == tuple(sha256_of(piece) for piece in (b"aaa", b"bbb", b"c"))
        assert await store.chunk_digests(stored.ref, 7) == (stored.sha256,)
        empty = await store.put(ONE, "b", b"")
        assert await store.chunk_digests(empty.ref, 3) == ()

    async def test_a_package_is_a_container_of_bytes_and_files_in_order(self) -> None:
        store = self.store()
        pdf = await store.put(ONE, "1.pdf", b"%PDF-1.7")
        package = await store.seal_package(ONE, [("envelope.xml", b"<edXML/>"), ("attachments/1.pdf", pdf.ref)])
        content = await store.read(package.ref)
        assert (package.size, package.sha256) == (len(content), sha256_of(content))
        container = Container.open(io.BytesIO(content))
        assert container.names == ("mimetype", "envelope.xml", "attachments/1.pdf")
        assert container.read("attachments/1.pdf", 100) == b"%PDF-1.7"

    async def test_discarding_removes_scratch_and_leaves_the_package_and_what_was_put(self) -> None:
        store = self.store()
        scratch, other = store.scratch(ONE, "a"), store.scratch(document_id(2), "a")
        self.write(scratch, b"1")
        self.write(other, b"2")
        put = await store.put(ONE, "receipt.xml", b"3")
        package = await store.seal_package(ONE, [("envelope.xml", b"<edXML/>")])
        await store.discard(ONE)
        await store.discard(ONE)
        await self._missing(store, scratch)
        assert await store.read(other) == b"2"
        assert await store.read(put.ref) == b"3"
        assert await store.read(package.ref, 0, 2) == b"PK"

    async def test_a_file_that_is_not_there_is_missing(self) -> None:
        store = self.store()
        await self._missing(store, store.scratch(ONE, "nothing"))
        with pytest.raises(EdocError) as caught:
            await store.keep(store.scratch(ONE, "nothing"))
        assert caught.value.code == "FILE_MISSING"

    async def _missing(self, store: Store, ref: FileRef) -> None:
        with pytest.raises(EdocError) as caught:
            await store.read(ref)
        assert caught.value.code == "FILE_MISSING"
