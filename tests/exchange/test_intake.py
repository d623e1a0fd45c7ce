"""From the outbox to ACCEPTED: whose a job is, what comes twice, and what was cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from fakes.jobs import TEXT, job
from fakes.world import CENTRE, COMMUNE, PROVINCE, World

from edoc.errors import EdocError, Fault
from edoc.errors.exchange import DISK_FULL, FILE_DENIED
from edoc.errors.sandbox import SANDBOX_DOWN
from edoc.model.record import Record
from edoc.model.state import Kind, State


async def turns(count: int) -> None:
    """Give other tasks and threads their turns."""
    for _ in range(count):
        await asyncio.sleep(0.001)


class TestTheSameAgain:
    async def test_the_same_id_with_the_same_content_is_answered_as_already_accepted(self, world: World) -> None:
        commune = world[COMMUNE]
        commune.submit("lan-1", job([PROVINCE], dms_id="QLVB-7"))
        await world.run()
        commune.submit("lan-2", job([PROVINCE], dms_id="QLVB-7"))
        await world.run()
        assert len(commune.records(Kind.SUBMISSION)) == 1
        assert commune.status("lan-2")["document_id"] == commune.status("lan-1")["document_id"]
        assert commune.status("lan-2")["state"] == "PACKED"
        assert (commune.folder / "sent" / "lan-2").is_dir()
        assert len(world[PROVINCE].delivered()) == 1

    @pytest.mark.parametrize(
        "other",
        [
            job([PROVINCE], {"phu-luc.txt": b"khac"}, dms_id="QLVB-7"),
            job([PROVINCE], {"khac.txt": TEXT}, dms_id="QLVB-7"),
            job([CENTRE], dms_id="QLVB-7"),
            job([PROVINCE], dms_id="QLVB-7", subject="Một văn bản khác"),
        ],
        ids=["file", "file name", "recipient", "subject"],
    )
    async def test_the_same_id_with_other_content_is_a_conflict(self, world: World, other: dict[str, bytes]) -> None:
        commune = world[COMMUNE]
        commune.submit("lan-1", job([PROVINCE], dms_id="QLVB-7"))
        await world.run()
        commune.submit("lan-2", other)
        await world.run()
        assert commune.status("lan-2")["error"]["code"] == "DMS_ID_CONFLICT"
        assert commune.status("lan-1")["document_id"] in commune.status("lan-2")["error"]["text_en"]
        assert commune.states("lan-1") == {"": "PACKED", PROVINCE: "DELIVERED"}
        assert len(world[PROVINCE].delivered()) == 1

    async def test_the_order_of_fields_is_no_other_content(self, world: World) -> None:
        commune = world[COMMUNE]
        first = job([PROVINCE], dms_id="QLVB-7")
        commune.submit("lan-1", first)
        await world.run()
        commune.submit("lan-2", first | {"document.json": b"\n" + first["document.json"].replace(b",", b", ")})
        await world.run()
        assert commune.status("lan-2")["state"] == "PACKED"

    async def test_a_refused_job_does_not_use_up_its_id(self, world: World) -> None:
        commune = world[COMMUNE]
        commune.submit("lan-1", job([COMMUNE], dms_id="QLVB-7"))
        await world.run()
        commune.submit("lan-2", job([PROVINCE], dms_id="QLVB-7"))
        await world.run()
        assert commune.states("lan-2") == {"": "PACKED", PROVINCE: "DELIVERED"}

    async def test_jobs_without_an_id_are_documents_of_their_own(self, world: World) -> None:
        commune = world[COMMUNE]
        for name in ("lan-1", "lan-2"):
            commune.submit(name, job([PROVINCE]))
        await world.run()
        assert len(world[PROVINCE].delivered()) == 2

    async def test_two_jobs_with_one_id_at_the_same_instant_become_one_document(self, world: World) -> None:
        commune = world[COMMUNE]
        names = [f"lan-{number}" for number in range(4)]
        for name in names:
            commune.submit(name, job([PROVINCE], dms_id="QLVB-7"))
        find = commune.intake._journal.find

        async def slow(**wanted: Any) -> Sequence[Record]:
            found = await find(**wanted)
            await asyncio.sleep(0.02)  # long enough for every other job to look too
            return found

        commune.intake._journal.find = slow  # type: ignore[method-assign]  # a slow disk
        await commune.intake._each(names)
        assert [record.state for record in commune.records(Kind.SUBMISSION)] == [State.ACCEPTED]


class TestFaultsOfOurOwn:
    async def test_a_job_is_not_refused_because_our_reader_was_down(self, world: World) -> None:
        commune = world[COMMUNE]
        commune.sandbox.faults.plan("read_submission", EdocError(SANDBOX_DOWN))
        commune.submit("bao-cao-07", job([PROVINCE]))
        await commune.intake.take("bao-cao-07")
        assert commune.records(Kind.SUBMISSION) == []
        await commune.intake.resume()
        await world.run()
        assert commune.states("bao-cao-07") == {"": "PACKED", PROVINCE: "DELIVERED"}

    @pytest.mark.parametrize("fault", [FILE_DENIED, DISK_FULL])
    async def test_a_job_that_cannot_be_claimed_does_not_stop_the_others(self, world: World, fault: Fault) -> None:
        commune = world[COMMUNE]
        commune.submit("khong-quyen", job([PROVINCE]))
        claim = commune.spool.claim
        refused: list[str] = []

        async def deny(name: str, document_id: object) -> object:
            if name == "khong-quyen":
                refused.append(name)
                raise EdocError(fault, what=name)
            return await claim(name, document_id)  # type: ignore[arg-type]  # handed through

        commune.intake._spool = _Claiming(commune.spool, deny)  # type: ignore[assignment]  # a spool but for one method
        stopping = asyncio.Event()
        running = asyncio.create_task(commune.intake.run(stopping))
        await turns(20)
        commune.submit("bao-cao-07", job([PROVINCE]))
        await turns(100)
        stopping.set()
        await running
        assert commune.status("bao-cao-07")["state"] == "ACCEPTED"
        assert len(refused) < 20, "tried again at the pace of the scan, not in a hot loop"

    async def test_stopping_ends_the_intake(self, world: World) -> None:
        commune = world[COMMUNE]
        stopping = asyncio.Event()
        running = asyncio.create_task(commune.intake.run(stopping))
        commune.submit("bao-cao-07", job([PROVINCE]))
        await turns(100)
        stopping.set()
        await asyncio.wait_for(running, 10)
        assert commune.states("bao-cao-07") == {"": "ACCEPTED"}


class _Claiming:
    def __init__(self, spool: object, claim: object) -> None:
        self._spool = spool
        self.claim = claim

    def __getattr__(self, name: str) -> object:
        return getattr(self._spool, name)
