"""What every Sandbox does, fake and real."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from abc import abstractmethod
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import sealed
from fakes.forged import sealed_manifest
from fakes.jobs import TEXT, job
from fakes.sealed import NOW, RECIPIENT, SENDER, World
from fakes.signer import sign_digest
from fakes.visible import seal_png
from lab.personal import sign_as_person

from edoc.envelopes.edxml import write_inline
from edoc.errors import EdocError
from edoc.model.appearance import Appearance, Place
from edoc.model.document import Party
from edoc.model.identifiers import FileRef, Sha256, sha256_of
from edoc.model.job import ClaimedJob, JobKind
from edoc.model.message import CHUNK_BYTES, ChunkManifest
from edoc.model.record import StoredFile
from edoc.model.signers import SignerRules
from edoc.model.verdict import Indication, SubIndication
from edoc.ports import Sandbox
from edoc.signatures import cades
from edoc.signatures.creation import SealCertificate

OFFICE = Party(organ_id=SENDER, name="UBND xã Thử Nghiệm")
WORLD = sealed.make_world()


def contents(refs: Iterable[FileRef]) -> list[bytes]:
    """Return what files hold."""
    return [Path(ref).read_bytes() for ref in refs]


def names(folder: Path) -> list[str]:
    """Return the names in a folder."""
    return sorted(path.name for path in folder.iterdir())


class SandboxContract:
    """Subclass it and say how a sandbox comes into being and goes."""

    world: World = WORLD

    @abstractmethod
    def made(self) -> Sandbox:
        """Return a Sandbox."""

    async def unmade(self) -> None:
        """End it."""

    @pytest.fixture
    async def sandbox(self) -> AsyncIterator[Sandbox]:
        yield self.made()
        await self.unmade()

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path

    def kept(self, folder: Path, name: str, content: bytes) -> FileRef:
        (folder / name).write_bytes(content)
        return FileRef(str(folder / name))

    def claimed(self, folder: Path, kind: JobKind, content: bytes | None) -> ClaimedJob:
        described = None
        if content is not None:
            ref = self.kept(folder, "description", content)
            described = StoredFile(ref=ref, size=len(content), sha256=sha256_of(content))
        return ClaimedJob(document_id=sealed.DOCUMENT_ID, name="bao-cao-07", kind=kind, description=described, files=())

    async def refused(self, sandbox: Sandbox, job_: ClaimedJob, folder: Path) -> str:
        with pytest.raises(EdocError) as caught:
            await sandbox.read_submission(job_, FileRef(str(folder / "scratch")), OFFICE)
        return caught.value.code

    # --- Jobs --------------------------------------------------------------------------------------------------------

    async def test_a_job_is_read_under_the_id_it_was_claimed_with(self, sandbox: Sandbox, folder: Path) -> None:
        written = job(["G22"], dms_id="QLVB-7")["document.json"]
        asked = self.claimed(folder, JobKind.FOLDER_JSON, written)
        read = await sandbox.read_submission(asked, FileRef(str(folder / "scratch")), OFFICE)
        assert read.submission.document.document_id == sealed.DOCUMENT_ID
        assert read.submission.document.sender == OFFICE
        assert read.submission.dms_id == "QLVB-7"
        assert read.inline == ()

    async def test_files_that_are_inline_go_to_scratch(self, sandbox: Sandbox, folder: Path) -> None:
        document = sealed.document_with([TEXT, b"two"])
        asked = self.claimed(folder, JobKind.EDXML, write_inline(document, [TEXT, b"two"]))
        read = await sandbox.read_submission(asked, FileRef(str(folder / "scratch")), OFFICE)
        assert contents(file.stored.ref for file in read.inline) == [TEXT, b"two"]
        assert [file.stored.sha256 for file in read.inline] == [sha256_of(TEXT), sha256_of(b"two")]
        assert all(Path(file.stored.ref).parent == folder for file in read.inline)
        assert [declared.file for declared in read.submission.files] == [file.name for file in read.inline]

    async def test_the_readers_fault_comes_back_with_its_facts(self, sandbox: Sandbox, folder: Path) -> None:
        asked = self.claimed(folder, JobKind.FOLDER_JSON, json.dumps({"number": 7}).encode())
        with pytest.raises(EdocError) as caught:
            await sandbox.read_submission(asked, FileRef(str(folder / "scratch")), OFFICE)
        assert caught.value.code == "DESCRIPTION_INVALID"
        assert caught.value.facts["path"].startswith("$")

    async def test_a_job_without_description_is_a_fault(self, sandbox: Sandbox, folder: Path) -> None:
        assert await self.refused(sandbox, self.claimed(folder, JobKind.UNREADABLE, None), folder) == "NO_DESCRIPTION"

    # --- PDFs --------------------------------------------------------------------------------------------------------

    async def test_a_pdf_gets_room_for_a_seal_and_nothing_before_it_changes(
        self, sandbox: Sandbox, folder: Path
    ) -> None:
        original = sealed.plain_pdf()
        target = folder / "target.pdf"
        prepared = await sandbox.prepare_pdf(
            self.kept(folder, "a.pdf", original), FileRef(str(target)), (self.world.seal.der,), "", NOW
        )
        written = target.read_bytes()
        assert written.startswith(original)
        assert len(prepared.digest) == 32
        hole = written[prepared.contents_offset : prepared.contents_offset + prepared.contents_digits]
        assert set(hole) == {ord("0")}
        assert not prepared.already_sealed
        assert not prepared.forbidden

    async def test_a_pdf_that_carries_our_seal_is_recognised(self, sandbox: Sandbox, folder: Path) -> None:
        ours = sealed.seal_pdf(sealed.plain_pdf(), self.world.seal)
        prepared = await sandbox.prepare_pdf(
            self.kept(folder, "a.pdf", ours), FileRef(str(folder / "t")), (self.world.seal.der,), "", NOW
        )
        assert prepared.already_sealed

    async def test_a_visible_seal_is_drawn_beside_the_signature_that_is_a_persons(
        self, sandbox: Sandbox, folder: Path
    ) -> None:
        person = self.world.pki.person("Nguyễn Văn Thọ", SENDER)
        box = (330, 140, 480, 200)
        signed = await asyncio.to_thread(
            sign_as_person, sealed.plain_pdf(), person, self.world.pki, name="Nguyễn Văn Thọ", box=box
        )
        target = folder / "target.pdf"
        prepared = await sandbox.prepare_pdf(
            self.kept(folder, "a.pdf", signed),
            FileRef(str(target)),
            (self.world.seal.der,),
            "",
            NOW,
            Appearance(image=seal_png()),
            SignerRules(persons=frozenset({Sha256(person.sha256)})),
        )
        assert (prepared.signatures, prepared.notes) == (1, ())
        assert b"/Seal" in target.read_bytes()[len(signed) :]

    async def test_text_is_drawn_in_a_font_that_travels_with_the_pdf(self, sandbox: Sandbox, folder: Path) -> None:
        target = folder / "target.pdf"
        await sandbox.prepare_pdf(
            self.kept(folder, "a.pdf", sealed.plain_pdf()),
            FileRef(str(target)),
            (self.world.seal.der,),
            "",
            NOW,
            Appearance(text="123/UBND-VP; 2026-11-22T09:00:00+07:00"),
        )
        assert b"/CIDFontType0C" in target.read_bytes()

    async def test_an_image_that_cannot_be_used_is_answered_with_its_fault(
        self, sandbox: Sandbox, folder: Path
    ) -> None:
        with pytest.raises(EdocError, match="SEAL_IMAGE_UNFIT"):
            await sandbox.prepare_pdf(
                self.kept(folder, "a.pdf", sealed.plain_pdf()),
                FileRef(str(folder / "t")),
                (self.world.seal.der,),
                "",
                NOW,
                Appearance(image=b"\x89PNG", place=Place(x_mm=1, y_mm=1)),
            )

    async def test_a_pdf_that_a_strict_reader_refuses_is_repaired(self, sandbox: Sandbox, folder: Path) -> None:
        broken = re.sub(rb"startxref\n\d+", b"startxref\n5", sealed.plain_pdf())
        prepared = await sandbox.prepare_pdf(
            self.kept(folder, "a.pdf", broken), FileRef(str(folder / "t")), (self.world.seal.der,), "", NOW
        )
        assert "repaired" in prepared.notes[0]
        assert names(folder) == ["a.pdf", "t"], "the repair leaves nothing behind"

    # --- Verifying ---------------------------------------------------------------------------------------------------

    async def test_a_container_is_read_and_judged(self, sandbox: Sandbox, folder: Path) -> None:
        ref = self.kept(folder, "a.asice", sealed.package(self.world.seal))
        read = await sandbox.verify_package(ref, self.world.material)
        assert read.verdict.passed
        assert read.document.document_id == sealed.DOCUMENT_ID
        assert read.entries == ("attachments/1.pdf",)
        assert len(read.signature_digests) == 1
        assert read.envelope.startswith(b"<?xml")

    async def test_the_material_decides_and_not_the_sandbox(self, sandbox: Sandbox, folder: Path) -> None:
        ref = self.kept(folder, "a.asice", sealed.package(self.world.seal))
        read = await sandbox.verify_package(ref, replace(self.world.material, crls=()))
        assert (read.verdict.indication, read.verdict.sub_indication) == (
            Indication.INDETERMINATE,
            SubIndication.TRY_LATER,
        )

    async def test_what_is_no_container_is_a_fault(self, sandbox: Sandbox, folder: Path) -> None:
        with pytest.raises(EdocError) as caught:
            await sandbox.verify_package(self.kept(folder, "a", b"junk"), self.world.material)
        assert caught.value.code == "BAD_CONTAINER"

    async def test_a_file_that_is_not_there_is_a_fault_too(self, sandbox: Sandbox, folder: Path) -> None:
        with pytest.raises(EdocError) as caught:
            await sandbox.verify_package(FileRef(str(folder / "nothing")), self.world.material)
        assert caught.value.code == "SANDBOX_UNREADABLE"

    async def test_a_status_is_read_and_judged(self, sandbox: Sandbox) -> None:
        read = await sandbox.verify_status(sealed.signed_status(self.world.seal), self.world.material)
        assert read.verdict.passed
        assert read.report.document_id == sealed.DOCUMENT_ID

    async def test_a_manifest_is_read_and_judged(self, sandbox: Sandbox) -> None:
        manifest = ChunkManifest(
            document_id=sealed.DOCUMENT_ID,
            sender=SENDER,
            recipients=(RECIPIENT,),
            sha256=Sha256("ab" * 32),
            size=CHUNK_BYTES + 1,
            chunk_bytes=CHUNK_BYTES,
            chunks=(Sha256("cd" * 32), Sha256("ef" * 32)),
        )
        read = await sandbox.verify_manifest(sealed_manifest(manifest, self.world.seal, NOW), self.world.material)
        assert read.verdict.passed
        assert read.manifest == manifest

    async def test_any_file_is_judged_for_what_it_is(self, sandbox: Sandbox, folder: Path) -> None:
        pdf = sealed.seal_pdf(sealed.plain_pdf(), self.world.seal)
        signed = await sandbox.verify_file(self.kept(folder, "a.pdf", pdf), self.world.material)
        assert [report.format for report in signed.signatures] == ["PAdES"]
        plain = await sandbox.verify_file(self.kept(folder, "a.txt", b"plain"), self.world.material)
        assert plain.indication is None

    async def test_a_detached_signature_is_judged(self, sandbox: Sandbox) -> None:
        cms = self.detached(b"directory")
        good = await sandbox.verify_detached(b"directory", cms, self.world.material)
        other = await sandbox.verify_detached(b"Directory", cms, self.world.material)
        assert good.passed
        assert other.indication is Indication.TOTAL_FAILED

    def detached(self, content: bytes) -> bytes:
        certificate = SealCertificate.read(self.world.seal.der)
        digest = hashlib.sha256(content).digest()
        prepared = cades.prepare(digest, certificate, certificate.algorithm, at=NOW, content=None, pdf=False)
        return cades.finish(prepared, sign_digest(self.world.seal, prepared.algorithm, prepared.digest))

    async def test_a_time_stamp_that_is_none_is_a_fault(self, sandbox: Sandbox) -> None:
        entries = sealed.entries_of(sealed.document_with([TEXT]), [TEXT])
        with pytest.raises(EdocError):
            await sandbox.add_timestamp(sealed.seal_entries(entries, self.world.seal), b"junk", 7)

    async def test_many_calls_side_by_side_get_each_their_own_answer(self, sandbox: Sandbox, folder: Path) -> None:
        async def one(number: int) -> bool:
            written = job(["G22"], dms_id=f"QLVB-{number}")["document.json"]
            (folder / str(number)).mkdir()
            asked = self.claimed(folder / str(number), JobKind.FOLDER_JSON, written)
            read = await sandbox.read_submission(asked, FileRef(str(folder / "scratch")), OFFICE)
            return read.submission.dms_id == f"QLVB-{number}"

        assert all(await asyncio.gather(*[one(number) for number in range(30)]))
