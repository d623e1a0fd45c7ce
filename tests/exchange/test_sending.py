"""Transfers: what the broker says, what is sent again, and the large ones in pieces."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from fakes.jobs import job
from fakes.world import CENTRE, COMMUNE, PROVINCE, World

from edoc.model.document import Lane
from edoc.model.message import CHUNK_BYTES, Message, MessageType, Outcome
from edoc.model.record import SubmissionBody, TransferBody
from edoc.model.state import Kind, State

LARGE = {"ban-ve.bin": random.Random(7).randbytes(2 * CHUNK_BYTES + 12345)}  # noqa: S311 -- no secret, only bulky


def containers(world: World) -> list[Message]:
    """Return every attempt to publish a package."""
    return [message for message, _ in world.network.published if message.type is MessageType.CONTAINER]


async def queued(world: World) -> None:
    """Bring a document to the point where its transfers are queued."""
    world[COMMUNE].submit("bao-cao-07", job([PROVINCE]))
    await world[COMMUNE].intake.take("bao-cao-07")
    await world[COMMUNE].work()
    await world[COMMUNE].work()
    assert world[COMMUNE].state(Kind.TRANSFER) is State.QUEUED


class TestOutcomes:
    @pytest.mark.parametrize("outcome", [Outcome.NO_ROUTE, Outcome.REJECTED, Outcome.UNKNOWN])
    async def test_without_a_confirm_the_document_stays_queued_and_the_same_bytes_go_again(
        self, world: World, outcome: Outcome
    ) -> None:
        await queued(world)
        world.network.plan(outcome, outcome)
        await world.run()
        first = world[COMMUNE].one(Kind.TRANSFER)
        assert (first.state, first.attempts) == (State.QUEUED, 1)
        assert first.fault is not None
        assert first.fault.code == {"UNKNOWN": "PUBLISH_UNKNOWN"}.get(outcome, str(outcome))
        told = world[COMMUNE].status("bao-cao-07")["recipients"][0]
        assert (told["state"], told["error"]["code"]) == ("QUEUED", first.fault.code)
        await world.pass_time(timedelta(minutes=1))
        await world.pass_time(timedelta(minutes=1))
        bodies = {message.body for message in containers(world)}
        assert (len(containers(world)), len(bodies)) == (3, 1)
        assert len({message.message_id for message in containers(world)}) == 3, "a fresh message_id per attempt"
        assert world[COMMUNE].states("bao-cao-07") == {"": "PACKED", PROVINCE: "DELIVERED"}
        assert world[COMMUNE].status("bao-cao-07")["recipients"][0]["error"] is None

    async def test_a_missing_queue_is_alarmed_once_however_often_it_is_tried(self, world: World) -> None:
        await queued(world)
        world.network.plan(*[Outcome.NO_ROUTE] * 5)
        for _ in range(5):
            await world.pass_time(timedelta(minutes=10))
        assert world[COMMUNE].alarmed() == ["NO_ROUTE"]

    async def test_an_unknown_outcome_that_did_arrive_is_delivered_once_with_one_receipt(self, world: World) -> None:
        await queued(world)
        world.network.plan(Outcome.UNKNOWN, arrives=True)
        await world.run()
        await world.pass_time(timedelta(minutes=1))
        document_id = world[COMMUNE].one(Kind.SUBMISSION).document_id
        assert world[PROVINCE].delivered() == [document_id]
        assert len(world[PROVINCE].records(Kind.STATUS)) == 1
        assert world[COMMUNE].states("bao-cao-07") == {"": "PACKED", PROVINCE: "DELIVERED"}

    async def test_sent_says_when(self, world: World) -> None:
        await queued(world)
        await world[COMMUNE].work()
        body = world[COMMUNE].one(Kind.TRANSFER).body
        assert isinstance(body, TransferBody)
        assert body.sent_at == world.clock.now()
        assert world[COMMUNE].status("bao-cao-07")["recipients"][0]["sent_at"] is not None


class TestSilence:
    async def test_without_a_receipt_in_time_the_same_bytes_go_again(self, world: World) -> None:
        await queued(world)
        await world[COMMUNE].work()
        lost = world.network.queue(PROVINCE, Lane.NORMAL).pop()
        await world.pass_time(timedelta(hours=11))
        assert len(containers(world)) == 1
        await world.pass_time(timedelta(hours=2))
        assert [message.body for message in containers(world)] == [lost.body, lost.body]
        assert world[COMMUNE].states("bao-cao-07") == {"": "PACKED", PROVINCE: "DELIVERED"}

    async def test_a_lost_receipt_is_asked_for_by_sending_again_and_is_the_same(self, world: World) -> None:
        await queued(world)
        await world[COMMUNE].work()
        await world[PROVINCE].run()
        lost = world.network.queue(COMMUNE, Lane.NORMAL).pop()
        await world.pass_time(timedelta(hours=13))
        receipts = [message.body for message, _ in world.network.published if message.type is MessageType.STATUS]
        assert receipts == [lost.body, lost.body]
        assert world[COMMUNE].states("bao-cao-07") == {"": "PACKED", PROVINCE: "DELIVERED"}
        assert len(world[PROVINCE].delivered()) == 1

    async def test_after_the_receipt_nothing_is_sent_any_more(self, world: World) -> None:
        await queued(world)
        await world.run()
        published = len(world.network.published)
        await world.pass_time(timedelta(days=3))
        assert len(world.network.published) == published


class TestLanes:
    @pytest.mark.parametrize("urgency", ["khẩn", "thượng khẩn", "hỏa tốc", "hỏa tốc hẹn giờ"])
    async def test_urgent_documents_and_their_receipts_take_the_urgent_lane(self, world: World, urgency: str) -> None:
        world[COMMUNE].submit("hoa-toc", job([PROVINCE], urgency=urgency))
        await world.run()
        assert world[COMMUNE].states("hoa-toc") == {"": "PACKED", PROVINCE: "DELIVERED"}
        assert {message.lane for message, _ in world.network.published} == {Lane.URGENT}

    async def test_an_urgent_document_overtakes_those_that_wait(self, world: World) -> None:
        for number in range(3):
            world[COMMUNE].submit(f"thuong-{number}", job([PROVINCE]))
            await world[COMMUNE].intake.take(f"thuong-{number}")
        world[COMMUNE].submit("hoa-toc", job([PROVINCE], urgency="hỏa tốc"))
        await world[COMMUNE].intake.take("hoa-toc")
        for _ in range(3):
            await world[COMMUNE].work()
        assert world[COMMUNE].states("hoa-toc") == {"": "PACKED", PROVINCE: "SENT"}
        assert world[COMMUNE].states("thuong-0") == {"": "ACCEPTED"}


class TestLargeDocuments:
    async def test_above_one_mebibyte_a_sealed_manifest_and_chunks_travel(self, world: World) -> None:
        world[COMMUNE].submit("ban-ve", job([PROVINCE], LARGE))
        await world.run()
        assert world[COMMUNE].states("ban-ve") == {"": "PACKED", PROVINCE: "DELIVERED"}
        types = [message.type for message, _ in world.network.published if message.sender == COMMUNE]
        assert types == [MessageType.MANIFEST, *[MessageType.CHUNK] * 3]
        assert all(len(message.body) <= CHUNK_BYTES for message, _ in world.network.published)

    async def test_the_recipient_has_the_very_bytes_of_the_package(self, world: World) -> None:
        world[COMMUNE].submit("ban-ve", job([PROVINCE], LARGE))
        await world.run()
        record = world[COMMUNE].one(Kind.SUBMISSION)
        body = record.body
        assert isinstance(body, SubmissionBody)
        assert body.package is not None
        delivered = world[PROVINCE].opened(record.document_id)
        assert delivered["package.asice"] == await world[COMMUNE].store.read(body.package.ref)
        assert delivered["01-ban-ve.bin"] == LARGE["ban-ve.bin"]
        assert world[PROVINCE].staged() == []

    async def test_the_manifest_is_sealed_once_for_all_recipients(self, wide: World) -> None:
        wide[COMMUNE].submit("ban-ve", job([PROVINCE, CENTRE], LARGE))
        await wide.run()
        manifests = [message for message, _ in wide.network.published if message.type is MessageType.MANIFEST]
        assert {message.recipient for message in manifests} == {PROVINCE, CENTRE}
        assert len({message.body for message in manifests}) == 1
        assert wide[COMMUNE].states("ban-ve") == {"": "PACKED", PROVINCE: "DELIVERED", CENTRE: "DELIVERED"}

    async def test_a_chunk_without_confirm_leaves_the_transfer_queued_and_all_go_again(self, world: World) -> None:
        world[COMMUNE].submit("ban-ve", job([PROVINCE], LARGE))
        await world[COMMUNE].intake.take("ban-ve")
        await world[COMMUNE].work()
        await world[COMMUNE].work()
        world.network.plan(Outcome.SENT, Outcome.UNKNOWN)
        await world.run()
        assert world[COMMUNE].states("ban-ve")[PROVINCE] == "QUEUED"
        await world.pass_time(timedelta(minutes=1))
        assert world[COMMUNE].states("ban-ve") == {"": "PACKED", PROVINCE: "DELIVERED"}
        assert len(world[PROVINCE].delivered()) == 1
