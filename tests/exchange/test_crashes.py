"""A kill at any instant: after each commit and each side effect the office starts again, and nothing shows."""

from __future__ import annotations

import contextlib
import random
from itertools import count
from pathlib import Path

import pytest
from fakes import forged
from fakes.jobs import job
from fakes.sealed import plain_pdf
from fakes.steps import Killed
from fakes.world import CENTRE, COMMUNE, CREWS, PROVINCE, World

from edoc.model.evidence import EvidenceEvent
from edoc.model.identifiers import OrganId
from edoc.model.message import CHUNK_BYTES, MessageType
from edoc.model.record import Change, Record
from edoc.model.state import Kind, State

SMALL = {"a.pdf": plain_pdf(), "b.txt": b"phu luc"}
LARGE = {"ban-ve.bin": random.Random(3).randbytes(CHUNK_BYTES + 500)}  # noqa: S311 -- no secret, only bulky
MOST = 400


async def live(world: World, victim: OrganId, *lasts: int) -> bool:
    """Run the world; the victim dies after the steps given, one life each, and starts again. Say whether it died."""
    world[victim].steps.last, following = lasts[0], list(lasts[1:])
    died, running = False, True
    while True:
        try:
            if not running:
                await world[victim].restart(following.pop(0) if following else None)
                running = True
            await world.run()
        except Killed:
            died, running = True, False
            continue
        return died


def check_delivered(world: World, recipients: tuple[OrganId, ...]) -> None:
    """Everything that must hold however often an office died."""
    commune = world[COMMUNE]
    (submission,) = commune.records(Kind.SUBMISSION)
    document_id = submission.document_id
    told = commune.states("bao-cao-07")
    assert told == {"": "PACKED"} | {str(code): "DELIVERED" for code in recipients}
    assert (commune.folder / "sent" / "bao-cao-07" / "document.json").is_file()
    assert list((commune.folder / "state" / "claimed").iterdir()) == []
    assert commune.evidence(document_id).count(EvidenceEvent.SUBMISSION_ACCEPTANCE) == 1
    assert commune.evidence(document_id).count(EvidenceEvent.CONTENT_CONSIGNMENT) == len(recipients)
    bodies = {message.body for message, _ in world.network.published if message.type is MessageType.CONTAINER}
    assert len(bodies) <= 1, "the package is built once"
    for code in recipients:
        office = world[code]
        assert office.delivered() == [document_id]
        assert set(office.opened(document_id)) >= {"package.asice", "document.json", "evidence.json"}
        assert office.staged() == []
        assert len(office.records(Kind.STATUS)) == 1
        assert office.one(Kind.STATUS).state is State.SENT
        receipts = {
            message.body
            for message, _ in world.network.published
            if message.type is MessageType.STATUS and message.sender == code
        }
        assert len(receipts) == 1, "one receipt, the same bytes however often it is sent"
        assert office.evidence(document_id) == [EvidenceEvent.CONTENT_CONSIGNMENT]
        assert office.quarantined() == {}
    assert [alarm for office in world.offices.values() for alarm in office.alarmed()] == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("victim", [COMMUNE, PROVINCE])
@pytest.mark.parametrize("files", [SMALL, LARGE], ids=["small", "large"])
async def test_delivered_once_with_one_receipt_and_a_true_status_wherever_an_office_dies(
    tmp_path: Path, victim: OrganId, files: dict[str, bytes]
) -> None:
    for last in count(1):
        world = World(tmp_path / str(last))
        world[COMMUNE].submit("bao-cao-07", job([PROVINCE], files, dms_id="QLVB-7"))
        died = await live(world, victim, last)
        check_delivered(world, (PROVINCE,))
        await world.close()
        if not died:
            break
        assert last < MOST
    assert last > 15, "the steps were really taken"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("victim", [COMMUNE, PROVINCE])
async def test_an_office_that_dies_again_and_again_comes_through(tmp_path: Path, victim: OrganId) -> None:
    lives = random.Random(victim)  # noqa: S311 -- chooses instants, no secret
    for number in range(25):
        world = World(tmp_path / str(number))
        world[COMMUNE].submit("bao-cao-07", job([PROVINCE], dms_id="QLVB-7"))
        # Not more often: what stops the office three times while it runs alone is parked, and rightly.
        assert await live(world, victim, *[lives.randint(1, 12) for _ in range(3)])
        check_delivered(world, (PROVINCE,))
        await world.close()


@pytest.mark.timeout(300)
async def test_two_recipients_are_each_served_once_wherever_the_sender_dies(tmp_path: Path) -> None:
    for last in count(1):
        world = World(tmp_path / str(last), (COMMUNE, PROVINCE, CENTRE))
        world[COMMUNE].submit("bao-cao-07", job([PROVINCE, CENTRE]))
        died = await live(world, COMMUNE, last)
        check_delivered(world, (PROVINCE, CENTRE))
        await world.close()
        if not died:
            break
        assert last < MOST


async def test_a_refused_job_is_answered_once_wherever_the_office_dies(tmp_path: Path) -> None:
    for last in count(1):
        world = World(tmp_path / str(last))
        commune = world[COMMUNE]
        commune.submit("bao-cao-07", job([COMMUNE]))
        died = await live(world, COMMUNE, last)
        assert commune.status("bao-cao-07")["error"]["code"] == "RECIPIENT_SELF"
        assert set(commune.failed("bao-cao-07")) == {"document.json", "phu-luc.txt", "error.json", "error.txt"}
        assert commune.evidence(commune.one(Kind.SUBMISSION).document_id) == [
            EvidenceEvent.SUBMISSION_ACCEPTANCE,
            EvidenceEvent.SUBMISSION_REJECTION,
        ]
        assert list((commune.folder / "state" / "claimed").iterdir()) == []
        await world.close()
        if not died:
            break
    assert last > 5


async def test_a_refused_document_is_put_away_and_answered_once_wherever_the_office_dies(tmp_path: Path) -> None:
    for last in count(1):
        world = World(tmp_path / str(last))
        province = world[PROVINCE]
        made = forged.document(world, COMMUNE, [PROVINCE])
        body = forged.tampered(made, world[COMMUNE].seal, world.clock.now())
        await forged.publish(world, COMMUNE, forged.message(body, made.document_id, COMMUNE, PROVINCE))
        province.steps.last = last
        died = False
        try:
            await province.run()
        except Killed:
            died = True
            await province.restart()
            await province.run()
        assert province.delivered() == []
        assert province.state(Kind.RECEPTION) is State.QUARANTINED
        (put_away,) = province.quarantined().values()
        assert put_away["package.asice"] == body
        assert province.staged() == []
        assert province.one(Kind.STATUS).state is State.SENT
        refusals = {message.body for message, _ in world.network.published if message.type is MessageType.STATUS}
        assert len(refusals) == 1
        await world.close()
        if not died:
            break
    assert last > 8


async def test_a_job_that_comes_again_is_answered_wherever_the_office_dies(tmp_path: Path) -> None:
    for last in count(1):
        world = World(tmp_path / str(last))
        commune = world[COMMUNE]
        commune.submit("lan-1", job([PROVINCE], dms_id="QLVB-7"))
        await world.run()
        commune.submit("lan-2", job([PROVINCE], dms_id="QLVB-7"))
        commune.steps.passed.clear()
        died = await live(world, COMMUNE, last)
        assert len(commune.records(Kind.SUBMISSION)) == 1
        assert commune.states("lan-2") == {"": "PACKED", PROVINCE: "DELIVERED"}
        assert (commune.folder / "sent" / "lan-2").is_dir()
        assert len(world[PROVINCE].delivered()) == 1
        await world.close()
        if not died:
            break
    assert last > 3


async def test_dying_three_times_alone_parks_the_document_and_the_others_go_on(world: World) -> None:
    commune = world[COMMUNE]
    commune.submit("doc", job([PROVINCE]))
    await commune.intake.take("doc")

    async def deadly(_record: Record) -> Change:
        raise Killed

    starts = 0
    while not await commune.journal.parked():
        commune.outgoing.stages = {State.ACCEPTED: deadly}
        with contextlib.suppress(Killed):
            await commune.runner._run_suspects(CREWS)
            await commune.work()
        starts += 1
        await commune.broker.close()
        commune.journal.start()
        commune.start()
        assert starts < 10
    (parked,) = await commune.journal.parked()
    assert starts == 4, "once among others, three times alone"
    assert parked.fault is not None
    assert parked.fault.code == "POISON"
    commune.submit("sau", job([PROVINCE]))
    await world.run()
    assert commune.states("sau") == {"": "PACKED", PROVINCE: "DELIVERED"}
