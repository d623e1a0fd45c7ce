"""What recipients answer: only what is signed by the right one, about the very bytes we sent, moves a transfer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from fakes import forged
from fakes.jobs import job
from fakes.world import CENTRE, COMMUNE, PROVINCE, World
from lab.pki import Issued

from edoc.envelopes.status import read_status, write_status
from edoc.model.document import Lane, Party
from edoc.model.evidence import EvidenceEvent
from edoc.model.identifiers import DocumentId, OrganId, Sha256, sha256_of
from edoc.model.message import Message, MessageType, StatusCode, StatusReport
from edoc.model.record import Record, SubmissionBody, TransferBody
from edoc.model.state import Kind, State


async def sent(world: World) -> DocumentId:
    """Send a document and keep the recipient from taking it."""
    world[COMMUNE].submit("bao-cao-07", job([PROVINCE]))
    await world[COMMUNE].run()
    world.network.queue(PROVINCE, Lane.NORMAL).clear()
    return DocumentId(world[COMMUNE].status("bao-cao-07")["document_id"])


def receipt(world: World, code: StatusCode = StatusCode.ARRIVED, sender: OrganId = PROVINCE) -> StatusReport:
    """Return a true receipt for the document of the commune."""
    submission = world[COMMUNE].one(Kind.SUBMISSION)
    body = submission.body
    assert isinstance(body, SubmissionBody)
    assert body.package is not None
    refused = code is StatusCode.REFUSED
    return StatusReport(
        status_id=world.clock.mint(),
        document_id=submission.document_id,
        sender=Party(organ_id=sender),
        recipient=COMMUNE,
        code=code,
        event=EvidenceEvent.CONTENT_CONSIGNMENT_FAILURE if refused else EvidenceEvent.CONTENT_CONSIGNMENT,
        timestamp=world.clock.now(),
        container_sha256=body.package.sha256,
        signature_digests=body.signature_digests,
        fault="SEAL_NOT_ACCEPTED" if refused else "",
    )


async def answer(
    world: World, report: StatusReport, *, seal: Issued | None = None, by: OrganId = PROVINCE, body: bytes = b""
) -> bytes:
    """Let a status message arrive at the commune, signed by the province unless told otherwise."""
    content = body or forged.signed(report, seal or world[PROVINCE].seal, world.clock.now())
    message = Message(
        type=MessageType.STATUS,
        document_id=report.document_id,
        sender=by,
        recipient=COMMUNE,
        lane=Lane.NORMAL,
        sha256=sha256_of(content),
        size=len(content),
        body=content,
    )
    await forged.publish(world, by, message)
    await world[COMMUNE].run()
    return content


def transfer(world: World) -> tuple[Record, TransferBody]:
    record = world[COMMUNE].one(Kind.TRANSFER)
    assert isinstance(record.body, TransferBody)
    return record, record.body


class TestATrueAnswer:
    async def test_a_receipt_delivers_and_is_kept(self, world: World) -> None:
        await sent(world)
        report = receipt(world)
        content = await answer(world, report)
        record, body = transfer(world)
        assert record.state is State.DELIVERED
        assert body.receipt is not None
        assert await world[COMMUNE].store.read(body.receipt) == content
        assert [line.status_id for line in body.history] == [report.status_id]
        assert world[COMMUNE].evidence(report.document_id)[-1] is EvidenceEvent.CONTENT_CONSIGNMENT
        assert world[COMMUNE].states("bao-cao-07")[PROVINCE] == "DELIVERED"

    async def test_a_refusal_ends_the_transfer_with_its_reason(self, world: World) -> None:
        await sent(world)
        await answer(world, receipt(world, StatusCode.REFUSED))
        told = world[COMMUNE].status("bao-cao-07")["recipients"][0]
        assert told["state"] == "REFUSED"
        assert told["history"][0]["fault"] == "SEAL_NOT_ACCEPTED"
        assert world[COMMUNE].journal.events[-1].reason == "SEAL_NOT_ACCEPTED"

    async def test_it_overtakes_the_commit_of_our_own_sent(self, world: World) -> None:
        commune = world[COMMUNE]
        commune.submit("bao-cao-07", job([PROVINCE]))
        await commune.intake.take("bao-cao-07")
        await commune.work()
        await commune.work()
        publish = commune.broker.publish

        async def fast(message: Message) -> object:
            outcome = await publish(message)
            while await world[PROVINCE].run():
                pass
            await commune.receive()  # the receipt is here before publish returned
            assert transfer(world)[0].state is State.DELIVERED
            return outcome

        commune.broker.publish = fast  # type: ignore[method-assign, assignment]  # a broker faster than our disk
        await commune.work()
        assert transfer(world)[0].state is State.DELIVERED
        assert commune.states("bao-cao-07")[PROVINCE] == "DELIVERED"
        await world.pass_time(timedelta(days=2))
        assert len([1 for message, _ in world.network.published if message.type is MessageType.CONTAINER]) == 1

    async def test_a_commit_that_comes_between_makes_it_look_again(self, world: World) -> None:
        commune = world[COMMUNE]
        await sent(world)
        record, _ = transfer(world)
        commune.journal.rows[record.key].record = replace(record, state=State.QUEUED)
        get = commune.journal.get
        moves = [State.SENT]

        async def moving(key: object) -> Record | None:
            found = await get(key)  # type: ignore[arg-type]  # handed through
            if found is not None and found.key.kind is Kind.TRANSFER and moves:
                commune.journal.rows[record.key].record = replace(record, state=moves.pop())
            return found

        commune.journal.get = moving  # type: ignore[method-assign]  # our own SENT is committed in between
        await answer(world, receipt(world))
        assert transfer(world)[0].state is State.DELIVERED
        assert commune.alarms == []

    async def test_a_late_receipt_ends_a_transfer_that_was_held(self, world: World) -> None:
        await sent(world)
        record, _ = transfer(world)
        world[COMMUNE].journal.rows[record.key].record = replace(record, state=State.HELD)
        await answer(world, receipt(world))
        assert transfer(world)[0].state is State.DELIVERED

    async def test_later_codes_add_to_the_history_and_never_turn_back(self, world: World) -> None:
        await sent(world)
        codes = [StatusCode.ARRIVED, StatusCode.ACCEPTED, StatusCode.FINISHED, StatusCode.ASSIGNED, StatusCode.REFUSED]
        first = b""
        for code in codes:
            content = await answer(world, receipt(world, code))
            first = first or content
        record, body = transfer(world)
        assert record.state is State.DELIVERED
        assert [line.code for line in body.history] == codes
        assert body.receipt is not None
        assert await world[COMMUNE].store.read(body.receipt) == first


class TestNothingChanges:
    async def unchanged(self, world: World, alarm: str, before: Record) -> None:
        """Say that nothing changed but an alarm and the quarantine."""
        assert transfer(world)[0] == before
        assert world[COMMUNE].alarmed() == [alarm]
        assert len(world[COMMUNE].quarantined()) == 1
        assert world[COMMUNE].records(Kind.STATUS) == []
        assert world.network.messages(COMMUNE) == []

    async def test_by_an_answer_to_a_document_we_never_sent(self, world: World) -> None:
        await sent(world)
        before, _ = transfer(world)
        await answer(world, replace(receipt(world), document_id=world.clock.mint()))
        await self.unchanged(world, "RECEIPT_UNEXPECTED", before)

    async def test_by_an_answer_of_somebody_we_did_not_send_it_to(self, wide: World) -> None:
        await sent(wide)
        before, _ = transfer(wide)
        await answer(wide, receipt(wide, sender=CENTRE), seal=wide[CENTRE].seal, by=CENTRE)
        await self.unchanged(wide, "RECEIPT_UNEXPECTED", before)

    async def test_by_an_answer_about_another_container(self, world: World) -> None:
        await sent(world)
        before, _ = transfer(world)
        await answer(world, replace(receipt(world), container_sha256=Sha256("ab" * 32)))
        await self.unchanged(world, "RECEIPT_MISMATCH", before)

    @pytest.mark.parametrize("digests", [(), (Sha256("cd" * 32),)])
    async def test_by_a_receipt_that_does_not_bind_our_seals(self, world: World, digests: tuple[Sha256, ...]) -> None:
        await sent(world)
        before, _ = transfer(world)
        await answer(world, replace(receipt(world), signature_digests=digests))
        await self.unchanged(world, "RECEIPT_MISMATCH", before)

    async def test_by_an_answer_signed_by_another_organisation(self, wide: World) -> None:
        await sent(wide)
        before, _ = transfer(wide)
        await answer(wide, receipt(wide), seal=wide[CENTRE].seal)
        await self.unchanged(wide, "RECEIPT_NOT_ACCEPTED", before)

    async def test_by_a_true_answer_that_another_organisation_brings(self, wide: World) -> None:
        await sent(wide)
        before, _ = transfer(wide)
        await answer(wide, receipt(wide), by=CENTRE)
        await self.unchanged(wide, "SENDER_NOT_ATTESTED", before)

    async def test_by_an_altered_answer(self, world: World) -> None:
        await sent(world)
        before, _ = transfer(world)
        report = receipt(world, StatusCode.REFUSED)
        body = forged.signed(report, world[PROVINCE].seal, world.clock.now())
        assert b">02<" in body
        await answer(world, report, body=body.replace(b">02<", b">01<"))
        await self.unchanged(world, "RECEIPT_NOT_ACCEPTED", before)

    async def test_by_an_unsigned_answer(self, world: World) -> None:
        await sent(world)
        before, _ = transfer(world)
        report = receipt(world)
        await answer(world, report, body=write_status(report))
        await self.unchanged(world, "RECEIPT_NOT_ACCEPTED", before)

    async def test_by_what_is_no_status_message(self, world: World) -> None:
        await sent(world)
        before, _ = transfer(world)
        await answer(world, receipt(world), body=b"<edXML/>")
        assert transfer(world)[0] == before
        assert len(world[COMMUNE].quarantined()) == 1

    async def test_by_the_same_answer_again(self, world: World) -> None:
        await sent(world)
        report = receipt(world)
        body = await answer(world, report)
        after, _ = transfer(world)
        events = list(world[COMMUNE].journal.events)
        await answer(world, report, body=body)
        assert transfer(world)[0] == after
        assert world[COMMUNE].journal.events == events
        assert world[COMMUNE].alarms == []

    async def test_for_another_document_by_a_receipt_replayed(self, world: World) -> None:
        await sent(world)
        body = await answer(world, receipt(world))
        world[COMMUNE].submit("bao-cao-08", job([PROVINCE]))
        await world[COMMUNE].run()
        world.network.queue(PROVINCE, Lane.NORMAL).clear()
        second = world[COMMUNE].records(Kind.TRANSFER)[1]
        await answer(world, replace(read_status(body), document_id=second.document_id), body=body)
        assert world[COMMUNE].records(Kind.TRANSFER)[1] == second


async def test_a_receipt_that_cannot_be_judged_is_asked_for_again_and_counts_when_the_crl_is_there(
    world: World,
) -> None:
    world[COMMUNE].submit("bao-cao-07", job([PROVINCE]))
    await world[COMMUNE].run()
    world[COMMUNE].revocation.lists = []
    await world.run()
    assert transfer(world)[0].state is State.SENT
    assert world[COMMUNE].alarmed() == ["RECEIPT_NOT_ACCEPTED"]
    world.refresh_crls()
    await world.pass_time(timedelta(hours=13))
    assert transfer(world)[0].state is State.DELIVERED
    assert len(world[PROVINCE].delivered()) == 1
