"""What the broker delivers, until it is settled: nothing before it is durable, nothing into the void."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from fakes import forged
from fakes.jobs import job
from fakes.world import CENTRE, COMMUNE, PROVINCE, World

from edoc.errors import EdocError, Fault
from edoc.errors.exchange import DISK_FULL, JOURNAL_BUSY
from edoc.errors.sandbox import SANDBOX_DOWN
from edoc.exchange.office import Policy
from edoc.model.document import Document, Lane
from edoc.model.identifiers import sha256_of
from edoc.model.message import CHUNK_BYTES, ChunkManifest, Message
from edoc.model.record import StatusBody
from edoc.model.state import Kind, State

BULK = (random.Random(11).randbytes(3 * CHUNK_BYTES + 99),)  # noqa: S311 -- no secret, only bulky


class Large:
    """A large document, made by hand: its container, manifest and chunks as messages."""

    def __init__(self, world: World, document: Document | None = None) -> None:
        self.world = world
        self.seal = world[COMMUNE].seal
        self.document = document or forged.document(world, COMMUNE, [PROVINCE], BULK)
        self.body = forged.package(self.document, self.seal, world.clock.now(), BULK)
        self.plan = forged.manifest_of(self.body, self.document.document_id, COMMUNE, [PROVINCE])

    def messages(self, plan: ChunkManifest | None = None) -> tuple[Message, list[Message]]:
        """Return the manifest's message, sealed, and those of the chunks."""
        sealed = forged.sealed_manifest(plan or self.plan, self.seal, self.world.clock.now())
        return forged.in_chunks(self.body, self.plan, sealed, PROVINCE)

    async def arrive(self, *messages: Message, sender: str = COMMUNE) -> None:
        """Let messages arrive one after the other."""
        for message in messages:
            await forged.publish(self.world, self.world[COMMUNE].code if sender == COMMUNE else CENTRE, message)
            await self.world[PROVINCE].run()


@pytest.fixture
def large(world: World) -> Large:
    return Large(world)


def shuffled(chunks: Sequence[Message], seed: int) -> list[Message]:
    order = list(chunks)
    random.Random(seed).shuffle(order)  # noqa: S311 -- an order, no secret
    return order


class TestChunks:
    @pytest.mark.parametrize("seed", range(3))
    async def test_they_may_come_in_any_order(self, world: World, large: Large, seed: int) -> None:
        manifest, chunks = large.messages()
        await large.arrive(manifest, *shuffled(chunks, seed))
        assert world[PROVINCE].delivered() == [large.document.document_id]

    @pytest.mark.parametrize("before", [1, 4])
    async def test_they_may_come_before_their_manifest(self, world: World, large: Large, before: int) -> None:
        manifest, chunks = large.messages()
        await large.arrive(*chunks[:before], manifest, *chunks[before:])
        assert world[PROVINCE].delivered() == [large.document.document_id]

    async def test_each_may_come_more_than_once_even_after_the_delivery(self, world: World, large: Large) -> None:
        manifest, chunks = large.messages()
        await large.arrive(manifest, manifest, *chunks, *chunks, manifest, *chunks)
        assert world[PROVINCE].delivered() == [large.document.document_id]
        assert len(world[PROVINCE].records(Kind.STATUS)) == 1
        assert world[PROVINCE].staged() == []
        assert world[PROVINCE].alarms == []

    async def test_nothing_happens_while_one_is_missing(self, world: World, large: Large) -> None:
        manifest, chunks = large.messages()
        await large.arrive(manifest, *chunks[:-1])
        await world.pass_time(timedelta(days=1))
        assert world[PROVINCE].state(Kind.RECEPTION) is State.ASSEMBLING
        assert world[PROVINCE].delivered() == []
        await large.arrive(chunks[-1])
        assert world[PROVINCE].delivered() == [large.document.document_id]

    async def test_every_one_is_settled_when_it_is_durable(self, world: World, large: Large) -> None:
        manifest, chunks = large.messages()
        await large.arrive(manifest, *chunks[:-1])
        assert len(world[PROVINCE].broker.settled) == len(chunks)
        await world[PROVINCE].restart()
        await large.arrive(chunks[-1])
        assert world[PROVINCE].delivered() == [large.document.document_id]

    async def test_the_order_of_two_lanes_does_not_matter(self, world: World, large: Large) -> None:
        manifest, chunks = large.messages()
        await large.arrive(*[replace(chunk, lane=Lane.URGENT) for chunk in chunks], manifest)
        assert world[PROVINCE].delivered() == [large.document.document_id]

    async def test_a_third_partys_chunk_does_not_spoil_the_document(self, wide: World) -> None:
        large = Large(wide)
        manifest, chunks = large.messages()
        foreign = replace(chunks[1], body=bytes(CHUNK_BYTES), sender=CENTRE)
        await large.arrive(manifest, *chunks[:3])
        await large.arrive(foreign, sender=CENTRE)
        await large.arrive(chunks[3])
        assert wide[PROVINCE].delivered() == [large.document.document_id]
        assert wide[PROVINCE].quarantined() == {}

    async def test_a_third_partys_chunk_before_the_manifest_does_not_spoil_it_either(self, wide: World) -> None:
        large = Large(wide)
        manifest, chunks = large.messages()
        await large.arrive(*chunks)
        await large.arrive(replace(chunks[1], body=bytes(CHUNK_BYTES), sender=CENTRE), sender=CENTRE)
        await large.arrive(manifest)
        assert wide[PROVINCE].delivered() == [large.document.document_id]

    async def test_a_damaged_chunk_is_put_away_and_the_right_one_completes_the_document(
        self, world: World, large: Large
    ) -> None:
        manifest, chunks = large.messages()
        await large.arrive(manifest, replace(chunks[0], body=b"x" * CHUNK_BYTES), *chunks)
        assert world[PROVINCE].alarmed() == ["CHUNK_REFUSED"]
        assert world[PROVINCE].delivered() == [large.document.document_id]

    async def test_a_container_that_does_not_match_its_own_digest_is_refused(self, world: World, large: Large) -> None:
        manifest, chunks = large.messages()
        damaged = replace(chunks[0], body=b"x" * CHUNK_BYTES)
        await large.arrive(damaged, *chunks[1:], manifest)
        assert world[PROVINCE].delivered() == []
        assert answers(world) == [("02", "CHUNK_MISMATCH")]
        assert world[PROVINCE].staged() == []

    @pytest.mark.parametrize(
        "field", [{"index": 4}, {"index": 700, "count": 701}, {"body": b"x" * (CHUNK_BYTES + 1)}, {"count": 10**6}]
    )
    async def test_a_chunk_that_no_package_can_have_is_put_away(
        self, world: World, large: Large, field: dict[str, int]
    ) -> None:
        _, chunks = large.messages()
        await large.arrive(replace(chunks[0], **field))  # type: ignore[arg-type]  # one of several fields
        assert world[PROVINCE].alarmed() != []
        assert len(world[PROVINCE].quarantined()) == 1
        assert world[PROVINCE].records(Kind.RECEPTION) == []
        assert world.network.messages(PROVINCE) == []


def answers(world: World) -> list[tuple[str, str]]:
    """Return code and fault of every answer of the province."""
    bodies = [record.body for record in world[PROVINCE].records(Kind.STATUS)]
    return [(body.report.code, body.report.fault) for body in bodies if isinstance(body, StatusBody)]


class TestManifests:
    async def test_one_that_another_organisation_brings_is_put_away_with_an_alarm(self, wide: World) -> None:
        large = Large(wide)
        manifest, _ = large.messages()
        await large.arrive(manifest, sender=CENTRE)
        assert wide[PROVINCE].alarmed() == ["MANIFEST_REFUSED"]
        assert wide[PROVINCE].records(Kind.RECEPTION) == []
        assert wide[PROVINCE].records(Kind.STATUS) == []
        (put_away,) = wide[PROVINCE].quarantined().values()
        assert put_away["package.asice"] == manifest.body

    async def test_one_for_other_recipients_is_put_away_with_an_alarm(self, world: World, large: Large) -> None:
        manifest, _ = large.messages(replace(large.plan, recipients=(CENTRE,)))
        await large.arrive(manifest)
        assert world[PROVINCE].alarmed() == ["MANIFEST_REFUSED"]
        assert world[PROVINCE].records(Kind.RECEPTION) == []

    async def test_one_with_a_revoked_seal_is_refused_with_the_reason(self, world: World, large: Large) -> None:
        manifest, chunks = large.messages()
        world.pki.revoke(large.seal.certificate, world.clock.now() - timedelta(hours=1))
        world[PROVINCE].revocation.lists = list(world.crls())
        await large.arrive(manifest, *chunks)
        assert answers(world) == [("02", "SEAL_NOT_ACCEPTED")]
        assert world[PROVINCE].delivered() == []
        assert world[PROVINCE].staged() == []

    async def test_without_a_crl_a_large_document_is_held_like_a_small_one(self, world: World, large: Large) -> None:
        manifest, chunks = large.messages()
        world[PROVINCE].revocation.lists = []
        await large.arrive(manifest, *chunks)
        assert world[PROVINCE].state(Kind.RECEPTION) is State.HELD
        assert world[PROVINCE].alarms == []
        world[PROVINCE].revocation.lists = list(world.crls())
        await world.pass_time(timedelta(minutes=6))
        assert world[PROVINCE].delivered() == [large.document.document_id]

    async def test_a_package_above_the_limit_is_refused_before_it_fills_the_disk(
        self, world: World, large: Large
    ) -> None:
        world[PROVINCE].policy = Policy(max_package_bytes=2 * CHUNK_BYTES)
        world[PROVINCE].start()
        manifest, chunks = large.messages()
        await large.arrive(manifest, *chunks[:2])
        assert answers(world) == [("02", "PACKAGE_TOO_LARGE")]
        assert world[PROVINCE].staged() == []

    async def test_other_content_under_a_delivered_documents_id_is_refused(self, world: World, large: Large) -> None:
        manifest, chunks = large.messages()
        await large.arrive(manifest, *chunks)
        first = world[PROVINCE].opened(large.document.document_id)
        await world.clock.advance(timedelta(minutes=5))
        again = Large(world, large.document)
        manifest, chunks = again.messages()
        assert again.plan.sha256 != large.plan.sha256
        await again.arrive(manifest, *chunks)
        assert world[PROVINCE].opened(large.document.document_id) == first
        assert answers(world) == [("01", ""), ("02", "DOCUMENT_CONFLICT")]

    async def test_what_is_no_manifest_is_put_away(self, world: World, large: Large) -> None:
        manifest, _ = large.messages()
        await large.arrive(replace(manifest, body=b"junk", sha256=sha256_of(b"junk"), size=4))
        assert len(world[PROVINCE].quarantined()) == 1
        assert world[PROVINCE].records(Kind.RECEPTION) == []


class TestWhatNobodyCanRead:
    async def test_a_message_without_readable_headers_is_put_away_with_its_bytes_and_an_alarm(
        self, world: World
    ) -> None:
        world.network.inject(PROVINCE, {"junk": 1}, b"bytes", exchange="edoc.out." + COMMUNE)
        await world[PROVINCE].run()
        (put_away,) = world[PROVINCE].quarantined().values()
        assert put_away["package.asice"] == b"bytes"
        assert json.loads(put_away["error.json"])["code"] == world[PROVINCE].alarmed()[0]
        assert len(world[PROVINCE].broker.settled) == 1

    async def test_what_returned_through_dead_lettering_waits_for_the_operator(self, world: World) -> None:
        world.network.attest[COMMUNE] = None
        world[COMMUNE].submit("bao-cao-07", job([PROVINCE]))
        await world.run()
        assert world[PROVINCE].alarmed() == ["ATTESTATION_LOST"]
        assert world[PROVINCE].delivered() == []
        assert world[PROVINCE].records(Kind.STATUS) == []
        assert len(world[PROVINCE].quarantined()) == 1

    async def test_a_bug_on_one_message_is_told_and_the_next_one_is_delivered(self, world: World) -> None:
        judge = world[PROVINCE].reception.judge
        bugs = [ZeroDivisionError("by zero")]

        async def broken(arrival: object) -> object:
            if bugs:
                raise bugs.pop()
            return await judge(arrival)  # type: ignore[arg-type]  # handed through

        world[PROVINCE].arrivals._reception.judge = broken  # type: ignore[method-assign, assignment]  # a bug
        for name in ("a", "b"):
            world[COMMUNE].submit(name, job([PROVINCE]))
        await world.run()
        assert world[PROVINCE].alarmed() == ["INTERNAL"]
        assert len(world[PROVINCE].delivered()) == 1
        assert len(world[PROVINCE].quarantined()) == 1


class TestFaultsOfOurOwn:
    @pytest.mark.parametrize("fault", [SANDBOX_DOWN, JOURNAL_BUSY, DISK_FULL])
    async def test_they_do_not_count_against_the_message(self, world: World, fault: Fault) -> None:
        world[COMMUNE].submit("bao-cao-07", job([PROVINCE]))
        await world[COMMUNE].run()
        world[PROVINCE].sandbox.faults.plan("verify_package", *[EdocError(fault)] * 25)
        await world[PROVINCE].run()
        assert len(world[PROVINCE].delivered()) == 1
        assert world[PROVINCE].broker.released == []

    async def test_what_nobody_can_read_is_put_away_when_there_is_room_again(self, world: World) -> None:
        stage = world[PROVINCE].fs_inbox.of(COMMUNE).stage
        failures = [EdocError(DISK_FULL, what="staging")] * 3

        async def full(*args: object) -> object:
            if failures:
                raise failures.pop()
            return await stage(*args)  # type: ignore[arg-type]  # handed through

        world[PROVINCE].fs_inbox.of(COMMUNE).stage = full  # type: ignore[method-assign, assignment]  # a full disk
        world.network.inject(PROVINCE, {"junk": 1}, b"bytes", exchange="edoc.out." + COMMUNE)
        await world[PROVINCE].run()
        assert failures == []
        assert len(world[PROVINCE].quarantined()) == 1
        assert len(world[PROVINCE].broker.settled) == 1


async def until(come: Callable[[], bool]) -> None:
    """Give other tasks and threads their turns until `come` says so."""
    for _ in range(10_000):
        if come():
            return
        await asyncio.sleep(0.001)


class TestRunning:
    async def test_deliveries_are_taken_side_by_side_until_the_broker_is_closed(self, world: World) -> None:
        for number in range(5):
            world[COMMUNE].submit(f"cv-{number}", job([PROVINCE]))
        await world[COMMUNE].run()
        province = world[PROVINCE]
        running = asyncio.create_task(province.arrivals.run(Lane.NORMAL, 3))
        async with asyncio.timeout(10):
            await until(lambda: len(province.broker.settled) == 5)
        await province.broker.close()
        world.network.ring()
        await asyncio.wait_for(running, 10)
        assert [record.state for record in province.records(Kind.RECEPTION)] == [State.STAGED] * 5

    async def test_closing_does_not_wait_for_a_message_that_is_tried_again_and_again(self, world: World) -> None:
        world.clock._auto = False
        world[COMMUNE].submit("bao-cao-07", job([PROVINCE]))
        await world[COMMUNE].run()
        province = world[PROVINCE]
        province.sandbox.faults.plan("verify_package", *[EdocError(SANDBOX_DOWN)] * 10**4)
        running = asyncio.create_task(province.arrivals.run(Lane.NORMAL, 3))
        async with asyncio.timeout(10):
            await until(lambda: world.clock.sleepers == 1)
        await province.broker.close()
        world.network.ring()
        await asyncio.wait_for(running, 10)
        assert province.broker.settled == []
        assert len(world.network.messages(PROVINCE)) == 1, "the broker has it still"
