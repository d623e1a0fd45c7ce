"""The directory from a signed file: what is taken, what is refused, what survives."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from contracts.directory import DirectoryContract
from fakes.directory import ISSUED, FakeDirectory, snapshot, tay_ninh
from lab.pki import Pki
from lab.trust import sign_detached

from edoc.adapters.directory_file import DirectoryFile, signed_by
from edoc.directory.codec import encode_directory
from edoc.directory.organisation import Snapshot
from edoc.errors import EdocError, FaultReport
from edoc.model.identifiers import DocumentId
from edoc.model.record import Key
from edoc.model.verdict import Indication, SubIndication, Verdict
from edoc.ports import Directory
from edoc.wiring import open_sandbox


class Instant:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    def mint(self) -> DocumentId:
        raise AssertionError("nothing is minted here")

    async def sleep(self, duration: timedelta) -> None:
        raise AssertionError(f"nobody sleeps {duration} here")


async def verify(content: bytes, cms: bytes) -> Verdict:
    """Stand in for the signature: the signer's mark is the content's digest."""
    if cms == hashlib.sha256(content).digest():
        return Verdict(indication=Indication.TOTAL_PASSED, sub_indication=None, signatures=())
    return Verdict(indication=Indication.TOTAL_FAILED, sub_indication=SubIndication.HASH_FAILURE, signatures=())


@dataclass
class Office:
    """A folder with a directory, a state folder, a clock and an ear for alarms."""

    folder: Path
    clock: Instant = field(default_factory=lambda: Instant(ISSUED + timedelta(days=1)))
    alarms: list[str] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.folder / "directory.json"

    def publish(self, edition: Snapshot | bytes, *, signed: bool = True) -> None:
        content = edition if isinstance(edition, bytes) else encode_directory(edition)
        self.path.write_bytes(content)
        mark = hashlib.sha256(content).digest() if signed else b"nobody"
        self.path.with_name("directory.json.p7s").write_bytes(mark)

    def hear(self, report: FaultReport, about: Key | None) -> None:
        assert about is None
        assert report.text("vi") != report.text("en")
        self.alarms.append(report.code)

    def directory(self) -> DirectoryFile:
        state = self.folder / "state"
        state.mkdir(exist_ok=True)
        return DirectoryFile(self.path, verify, state, clock=self.clock, alarm=self.hear)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def edition(version: int, *, expires_at: datetime = ISSUED + timedelta(days=90)) -> Snapshot:
    return snapshot(tay_ninh().organisations, version=version, expires_at=expires_at)


class TestDirectoryFile(DirectoryContract):
    @pytest.fixture(autouse=True)
    def _place(self, office: Office) -> None:
        self.office = office

    async def with_directory(self, snapshot: Snapshot) -> Directory:
        self.office.publish(snapshot)
        directory = self.office.directory()
        await directory.load()
        return directory

    async def without_directory(self) -> Directory:
        return self.office.directory()


class TestFakeDirectory(DirectoryContract):
    async def with_directory(self, snapshot: Snapshot) -> Directory:
        return FakeDirectory(snapshot)

    async def without_directory(self) -> Directory:
        return FakeDirectory(tay_ninh(), missing=True)


async def test_loading_without_a_file_says_where_one_is_expected(office: Office) -> None:
    with pytest.raises(EdocError) as caught:
        await office.directory().load()
    assert caught.value.code == "DIRECTORY_MISSING"
    assert str(office.path) in caught.value.text("vi")


async def test_a_newer_edition_is_taken_and_an_unchanged_file_is_not_read_again(office: Office) -> None:
    office.publish(edition(7))
    directory = office.directory()
    await directory.load()
    assert not await directory.refresh()
    office.publish(edition(8))
    assert await directory.refresh()
    assert directory.snapshot().version == 8
    assert office.alarms == []


async def test_a_bad_signature_leaves_the_old_one_in_force_and_is_told_once(office: Office) -> None:
    office.publish(edition(7))
    directory = office.directory()
    await directory.load()
    office.publish(edition(8), signed=False)
    assert not await directory.refresh()
    assert not await directory.refresh()
    assert directory.snapshot().version == 7
    assert office.alarms == ["DIRECTORY_SIGNATURE"]
    assert [fault.code for fault in directory.faults()] == ["DIRECTORY_SIGNATURE"]
    office.publish(edition(8))
    assert await directory.refresh()
    assert directory.faults() == ()


async def test_a_missing_signature_is_a_bad_one(office: Office) -> None:
    office.publish(edition(7))
    office.path.with_name("directory.json.p7s").unlink()
    with pytest.raises(EdocError) as caught:
        await office.directory().load()
    assert caught.value.code == "DIRECTORY_SIGNATURE"


async def test_an_unverified_byte_is_never_decoded(office: Office) -> None:
    office.publish(b"{ this is no directory", signed=False)
    with pytest.raises(EdocError) as caught:
        await office.directory().load()
    assert caught.value.code == "DIRECTORY_SIGNATURE"


async def test_an_incoherent_edition_leaves_the_old_one_in_force(office: Office) -> None:
    office.publish(edition(7))
    directory = office.directory()
    await directory.load()
    office.publish(b'{"format":"edoc-directory/1"}')
    assert not await directory.refresh()
    assert office.alarms == ["DIRECTORY_INVALID"]
    assert directory.snapshot().version == 7


async def test_an_older_edition_is_refused_also_after_a_restart(office: Office) -> None:
    office.publish(edition(8))
    await office.directory().load()
    office.publish(edition(7))
    after = office.directory()
    await after.load()
    assert after.snapshot().version == 8
    assert office.alarms == ["DIRECTORY_ROLLBACK"]


async def test_a_version_is_never_reused_for_other_content(office: Office) -> None:
    office.publish(edition(8))
    directory = office.directory()
    await directory.load()
    office.publish(edition(8, expires_at=ISSUED + timedelta(days=900)))
    assert not await directory.refresh()
    assert office.alarms == ["DIRECTORY_ROLLBACK"]


async def test_the_last_good_edition_survives_the_loss_of_the_file(office: Office) -> None:
    office.publish(edition(8))
    await office.directory().load()
    office.path.unlink()
    after = office.directory()
    await after.load()
    assert after.snapshot().version == 8
    assert office.alarms == ["DIRECTORY_MISSING"]


async def test_staleness_and_expiry_are_told_once_each_and_stop_nothing(office: Office) -> None:
    office.publish(edition(7))
    directory = office.directory()
    await directory.load()
    for days in (70, 71, 95, 96):
        office.clock.time = ISSUED + timedelta(days=days)
        await directory.refresh()
        assert directory.snapshot().version == 7
    assert office.alarms == ["DIRECTORY_STALE", "DIRECTORY_EXPIRED"]


async def test_an_expired_directory_known_here_still_works_after_a_restart(office: Office) -> None:
    office.publish(edition(7))
    await office.directory().load()
    office.clock.time = ISSUED + timedelta(days=400)
    after = office.directory()
    await after.load()
    assert after.snapshot().version == 7
    assert office.alarms == ["DIRECTORY_EXPIRED"]


async def test_nothing_new_is_learnt_from_an_expired_edition_not_even_at_first_trust(office: Office) -> None:
    office.publish(edition(9, expires_at=ISSUED + timedelta(hours=1)))
    with pytest.raises(EdocError) as caught:
        await office.directory().load()
    assert caught.value.code == "DIRECTORY_EXPIRED"
    office.publish(edition(8))
    directory = office.directory()
    await directory.load()
    office.publish(edition(9, expires_at=ISSUED + timedelta(hours=1)))
    assert not await directory.refresh()
    assert directory.snapshot().version == 8


async def test_an_edition_that_cannot_be_kept_durably_is_not_in_force(office: Office) -> None:
    office.publish(edition(7))
    directory = office.directory()
    (office.folder / "state").rmdir()
    with pytest.raises(EdocError):
        await directory.load()
    with pytest.raises(EdocError):
        directory.snapshot()


async def test_a_damaged_copy_of_ours_is_for_a_person_because_it_guards_against_rollback(office: Office) -> None:
    office.publish(edition(8))
    await office.directory().load()
    kept = office.folder / "state" / "directory.accepted.json"
    kept.write_bytes(kept.read_bytes()[:-20])
    with pytest.raises(EdocError) as caught:
        await office.directory().load()
    assert caught.value.code == "DIRECTORY_INVALID"
    assert str(kept) in caught.value.facts["detail"]


async def test_only_the_pinned_certificate_signs_a_directory_not_even_one_that_it_issued() -> None:
    now = datetime.now(UTC)
    pki = Pki.create(now - timedelta(days=1))
    signer, other = pki.seal("000.00.00.G09", "Danh bạ", kind="ec"), pki.seal("000.00.00.H53", "Tây Ninh", kind="ec")
    content = encode_directory(edition(7))
    clock = Instant(now)
    async with open_sandbox(512 * 1024 * 1024, 30) as sandbox:
        pinned = signed_by(sandbox, signer.der, clock)
        assert (await pinned(content, sign_detached(content, signer, now))).passed
        assert not (await pinned(content + b" ", sign_detached(content, signer, now))).passed
        assert not (await pinned(content, sign_detached(content, other, now))).passed
        assert not (await pinned(content, b"no CMS at all")).passed
        issuer = signed_by(sandbox, pki.issuing.der, clock)
        assert not (await issuer(content, sign_detached(content, signer, now))).passed
