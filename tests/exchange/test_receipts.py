"""Our own status messages: signed when the token is there, published until confirmed, never anew."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fakes.jobs import job
from fakes.world import COMMUNE, PROVINCE, World

from edoc.envelopes.status import read_status
from edoc.model.evidence import EvidenceEvent
from edoc.model.message import MessageType, Outcome, StatusCode
from edoc.model.record import ReceptionBody
from edoc.model.signing import Purpose, SigningPriority
from edoc.model.state import Kind, State


async def sent(world: World) -> None:
    """Bring a document to the recipient's queue."""
    world[COMMUNE].submit("bao-cao-07", job([PROVINCE]))
    await world[COMMUNE].run()
    assert world[COMMUNE].states("bao-cao-07")[PROVINCE] == "SENT"


def statuses(world: World) -> list[bytes]:
    """Return the status messages that were published."""
    return [message.body for message, _ in world.network.published if message.type is MessageType.STATUS]


class TestTheReceipt:
    async def test_it_says_what_arrived_and_binds_the_bytes_and_the_seals(self, world: World) -> None:
        await sent(world)
        await world.run()
        (body,) = statuses(world)
        report = read_status(body)
        reception = world[PROVINCE].one(Kind.RECEPTION)
        assert isinstance(reception.body, ReceptionBody)
        assert (report.code, report.event) == (StatusCode.ARRIVED, EvidenceEvent.CONTENT_CONSIGNMENT)
        assert (report.sender.organ_id, report.recipient) == (PROVINCE, COMMUNE)
        assert report.document_id == reception.document_id
        assert report.status_id == reception.body.receipt
        assert report.container_sha256 == reception.body.container_sha256
        assert report.signature_digests == reception.body.signature_digests != ()
        assert report.answers.code == "07/BC-UBND"

    async def test_it_is_intended_only_with_what_is_in_the_inbox(self, world: World) -> None:
        await sent(world)
        await world[PROVINCE].receive()
        assert world[PROVINCE].state(Kind.RECEPTION) is State.STAGED
        assert world[PROVINCE].records(Kind.STATUS) == []
        await world[PROVINCE].work()
        assert world[PROVINCE].delivered() != []
        assert world[PROVINCE].state(Kind.STATUS) is State.INTENDED

    async def test_it_walks_from_intended_over_signed_to_sent(self, world: World) -> None:
        await sent(world)
        await world[PROVINCE].receive()
        seen = []
        for _ in range(3):
            await world[PROVINCE].work()
            seen.append(world[PROVINCE].state(Kind.STATUS))
        assert seen == [State.INTENDED, State.SIGNED, State.SENT]

    async def test_a_status_is_never_answered_with_a_status(self, world: World) -> None:
        await sent(world)
        await world.run()
        assert world[COMMUNE].records(Kind.STATUS) == []
        assert len(statuses(world)) == 1


class TestTheToken:
    async def test_without_the_token_reception_goes_on_and_receipts_are_signed_when_it_returns(
        self, world: World
    ) -> None:
        world[PROVINCE].token.present = False
        await sent(world)
        await world.run()
        assert len(world[PROVINCE].delivered()) == 1
        waiting = world[PROVINCE].one(Kind.STATUS)
        assert waiting.state is State.INTENDED
        assert waiting.fault is not None
        assert waiting.fault.code == "TOKEN_NOT_READY"
        assert world[COMMUNE].states("bao-cao-07")[PROVINCE] == "SENT"
        world[PROVINCE].token.present = True
        await world.pass_time(timedelta(minutes=10))
        assert world[PROVINCE].state(Kind.STATUS) is State.SENT
        assert world[COMMUNE].states("bao-cao-07")[PROVINCE] == "DELIVERED"

    async def test_without_the_token_documents_wait_accepted_and_leave_when_it_returns(self, world: World) -> None:
        world[COMMUNE].token.present = False
        world[COMMUNE].submit("bao-cao-07", job([PROVINCE]))
        await world.run()
        told = world[COMMUNE].status("bao-cao-07")
        assert (told["state"], told["error"]["code"]) == ("ACCEPTED", "TOKEN_NOT_READY")
        assert world[COMMUNE].alarms == []
        world[COMMUNE].token.present = True
        await world.pass_time(timedelta(minutes=10))
        assert world[COMMUNE].states("bao-cao-07") == {"": "PACKED", PROVINCE: "DELIVERED"}
        assert world[COMMUNE].status("bao-cao-07")["error"] is None

    async def test_a_receipt_has_the_priority_of_its_lane_and_a_refusal_the_lowest(self, world: World) -> None:
        world[COMMUNE].submit("hoa-toc", job([PROVINCE], urgency="hỏa tốc"))
        await world.run()
        await sent(world)
        world.pki.revoke(world[COMMUNE].seal.certificate, world.clock.now() - timedelta(hours=1))
        world.refresh_crls()
        await world.run()
        asked = [(request.purpose, request.priority) for request in world[PROVINCE].token.requests]
        assert asked == [
            (Purpose.STATUS, SigningPriority.URGENT),
            (Purpose.REFUSAL, SigningPriority.REFUSAL),
        ]


class TestPublishing:
    @pytest.mark.parametrize("outcome", [Outcome.NO_ROUTE, Outcome.REJECTED, Outcome.UNKNOWN])
    async def test_without_a_confirm_the_same_bytes_go_again(self, world: World, outcome: Outcome) -> None:
        await sent(world)
        world.network.plan(outcome, outcome)
        await world.run()
        assert world[PROVINCE].state(Kind.STATUS) is State.SIGNED
        await world.pass_time(timedelta(minutes=10))
        await world.pass_time(timedelta(minutes=10))
        assert world[PROVINCE].state(Kind.STATUS) is State.SENT
        assert (len(statuses(world)), len(set(statuses(world)))) == (3, 1)
        assert len(world[PROVINCE].token.requests) == 1, "signed once"
        assert world[COMMUNE].states("bao-cao-07")[PROVINCE] == "DELIVERED"

    async def test_an_answer_that_cannot_be_given_is_kept_and_told(self, world: World) -> None:
        await sent(world)
        await world[PROVINCE].receive()
        await world[PROVINCE].work()
        world.publish_directory(without=PROVINCE)
        await world[PROVINCE].work()
        kept = world[PROVINCE].one(Kind.STATUS)
        assert kept.state is State.INTENDED
        assert world[PROVINCE].alarmed() == ["SENDER_UNKNOWN"]
        world.publish_directory()
        await world.pass_time(timedelta(minutes=11))
        assert world[COMMUNE].states("bao-cao-07")[PROVINCE] == "DELIVERED"
