"""What every Spool does, fake and real."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from datetime import timedelta

import pytest
from fakes.records import document_id
from fakes.store import sha256_of

from edoc.errors import EdocError
from edoc.model.job import JobKind
from edoc.ports import Spool

ONE, TWO = document_id(1), document_id(2)
LETTER = {"document.json": b"{}", "công văn.pdf": b"%PDF-1.7"}


class SpoolContract:
    """Subclass it and play the document-management system."""

    @abstractmethod
    def spool(self) -> Spool:
        """Return the Spool of this test."""

    @abstractmethod
    def drop(self, name: str, files: dict[str, bytes]) -> None:
        """Put a job into the outbox; a single file is {name: content}."""

    @abstractmethod
    def seen(self, folder: str) -> dict[str, dict[str, bytes]]:
        """Return the jobs that the DMS sees in ``sent`` or ``failed`` as `drop` has them."""

    @abstractmethod
    def status(self, name: str) -> bytes:
        """Return the content of a file below ``status``."""

    async def test_an_empty_outbox_has_no_jobs(self) -> None:
        assert list(await self.spool().ready()) == []

    async def test_a_folder_is_claimed_copied_and_hashed(self) -> None:
        spool = self.spool()
        self.drop("CV 12", LETTER)
        assert list(await spool.ready()) == ["CV 12"]
        job = await spool.claim("CV 12", ONE)
        assert job is not None
        assert (job.document_id, job.name, job.kind, job.fault) == (ONE, "CV 12", JobKind.FOLDER_JSON, None)
        assert job.description is not None
        assert job.description.sha256 == sha256_of(b"{}")
        assert [(file.name, file.stored.size, file.stored.sha256) for file in job.files] == [
            ("công văn.pdf", 8, sha256_of(b"%PDF-1.7"))
        ]
        assert list(await spool.ready()) == []
        assert list(await spool.claimed()) == [(ONE, "CV 12")]

    @pytest.mark.parametrize(
        ("files", "kind"),
        [
            ({"document.xml": b"<edXML/>", "1.pdf": b"1"}, JobKind.FOLDER_XML),
            ({"document.json": b"{}", "status.json": b"{}"}, JobKind.FOLDER_JSON),
        ],
    )
    async def test_the_description_says_what_a_job_is(self, files: dict[str, bytes], kind: JobKind) -> None:
        self.drop("job", files)
        job = await self.spool().claim("job", ONE)
        assert job is not None
        assert (job.kind, job.fault) == (kind, None)

    async def test_a_single_edxml_file_is_a_job(self) -> None:
        spool = self.spool()
        self.drop("cv.edxml", {"cv.edxml": b"<edXML/>"})
        job = await spool.claim("cv.edxml", ONE)
        assert job is not None
        assert (job.kind, job.files, job.fault) == (JobKind.EDXML, (), None)
        assert job.description is not None
        assert job.description.sha256 == sha256_of(b"<edXML/>")
        await spool.sent(ONE)
        assert self.seen("sent") == {"cv.edxml": {"cv.edxml": b"<edXML/>"}}

    @pytest.mark.parametrize(
        ("files", "fault"),
        [
            ({"1.pdf": b"1"}, "NO_DESCRIPTION"),
            ({}, "NO_DESCRIPTION"),
            ({"document.json": b"{}", "document.xml": b"<a/>"}, "TWO_DESCRIPTIONS"),
            ({"document.json": b"{}", "1.pdf": b""}, "EMPTY_FILE"),
        ],
    )
    async def test_a_job_that_cannot_be_taken_comes_with_its_fault(self, files: dict[str, bytes], fault: str) -> None:
        self.drop("job", files)
        job = await self.spool().claim("job", ONE)
        assert job is not None
        assert job.fault is not None
        assert job.fault.code == fault

    async def test_a_job_that_is_gone_is_none(self) -> None:
        spool = self.spool()
        assert await spool.claim("CV 12", ONE) is None
        assert list(await spool.claimed()) == []

    async def test_a_claimed_job_is_opened_again(self) -> None:
        spool = self.spool()
        self.drop("CV 12", LETTER)
        job = await spool.claim("CV 12", ONE)
        assert await spool.reopen(ONE) == job

    async def test_what_was_not_claimed_cannot_be_opened(self) -> None:
        with pytest.raises(EdocError) as caught:
            await self.spool().reopen(ONE)
        assert caught.value.code == "FILE_MISSING"

    async def test_a_sent_job_moves_to_sent_once(self) -> None:
        spool = self.spool()
        self.drop("CV 12", LETTER)
        await spool.claim("CV 12", ONE)
        await spool.sent(ONE)
        await spool.sent(ONE)
        assert self.seen("sent") == {"CV 12": LETTER}
        assert list(await spool.claimed()) == []

    async def test_a_failed_job_moves_to_failed_with_the_reason(self) -> None:
        spool = self.spool()
        self.drop("CV 12", LETTER)
        await spool.claim("CV 12", ONE)
        await spool.failed(ONE, b'{"code":"X"}', "Sai nơi gửi.")
        await spool.failed(ONE, b'{"code":"X"}', "Sai nơi gửi.")
        errors = {"error.json": b'{"code":"X"}', "error.txt": "Sai nơi gửi.".encode()}
        assert self.seen("failed") == {"CV 12": {**LETTER, **errors}}
        assert list(await spool.claimed()) == []

    async def test_a_single_file_that_failed_gets_a_folder(self) -> None:
        spool = self.spool()
        self.drop("cv.edxml", {"cv.edxml": b"<edXML/>"})
        await spool.claim("cv.edxml", ONE)
        await spool.failed(ONE, b"{}", "Hỏng.")
        assert self.seen("failed") == {
            "cv.edxml": {"cv.edxml": b"<edXML/>", "error.json": b"{}", "error.txt": "Hỏng.".encode()}
        }

    async def test_a_failed_folder_that_is_dropped_again_is_judged_without_the_old_reason(self) -> None:
        spool = self.spool()
        self.drop("CV 12", {**LETTER, "error.json": b"old", "error.txt": b"old"})
        job = await spool.claim("CV 12", ONE)
        assert job is not None
        assert [file.name for file in job.files] == ["công văn.pdf"]
        await spool.failed(ONE, b"new", "mới")
        assert self.seen("failed")["CV 12"]["error.json"] == b"new"

    async def test_a_name_that_is_taken_gets_the_beginning_of_the_id(self) -> None:
        spool = self.spool()
        for document in (ONE, TWO):
            self.drop("CV 12", LETTER)
            await spool.claim("CV 12", document)
            await spool.sent(document)
        assert set(self.seen("sent")) == {"CV 12", f"CV 12~{TWO[:8]}"}

    async def test_a_status_is_found_by_id_and_by_job(self) -> None:
        spool = self.spool()
        await spool.report(ONE, "CV 12", b"1", durable=False)
        await spool.report(ONE, "CV 12", b"2", durable=True)
        await spool.report(TWO, "CV 13", b"3", durable=False)
        assert self.status(f"{ONE}.json") == b"2"
        assert self.status("by-job/CV 12.json") == b"2"
        assert self.status(f"{TWO}.json") == b"3"

    async def test_waiting_ends_when_a_job_comes(self) -> None:
        spool = self.spool()
        await spool.wait(timedelta(0))
        await spool.wait(timedelta(milliseconds=1))
        waiting = asyncio.create_task(spool.wait(timedelta(seconds=60)))
        await asyncio.sleep(0)
        self.drop("CV 12", LETTER)
        await asyncio.wait_for(waiting, 30)

    async def test_waiting_ends_at_its_limit(self) -> None:
        spool = self.spool()
        await spool.wait(timedelta(0))
        await spool.wait(timedelta(milliseconds=10))
