"""What arrives: delivered with a verdict and an admission, or refused with the reason, or held."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from fakes import forged
from fakes.jobs import job
from fakes.sealed import plain_pdf
from fakes.world import CENTRE, COMMUNE, PROVINCE, Bureau, World

from edoc.errors import EdocError
from edoc.errors.exchange import DISK_FULL
from edoc.errors.sandbox import SANDBOX_DOWN, SANDBOX_UNREADABLE
from edoc.exchange.office import Policy
from edoc.model.document import Lane
from edoc.model.evidence import EvidenceEvent
from edoc.model.identifiers import DocumentId, FileRef
from edoc.model.message import MessageType
from edoc.model.reading import PackageRead
from edoc.model.record import ReceptionBody, StatusBody
from edoc.model.state import Kind, State
from edoc.model.trust import TrustMaterial


async def send(world: World, name: str = "bao-cao-07") -> DocumentId:
    """Send a document as far as the recipient's queue."""
    commune = world[COMMUNE]
    commune.submit(name, job([PROVINCE]))
    await commune.run()
    return DocumentId(commune.status(name)["document_id"])


def refusal(office: Bureau) -> StatusBody:
    """Return the only answer of `office`, which must be a refusal."""
    body = office.one(Kind.STATUS).body
    assert isinstance(body, StatusBody)
    assert body.report.code == "02"
    return body


class TestDelivery:
    async def test_the_folder_holds_all_files_of_the_contract(self, world: World) -> None:
        world[COMMUNE].submit("bao-cao-07", job([PROVINCE], {"Báo cáo.pdf": plain_pdf(), "b.txt": b"x"}))
        await world.run()
        (document_id,) = world[PROVINCE].delivered()
        found = world[PROVINCE].opened(document_id)
        assert set(found) == {
            "01-Báo cáo.pdf",
            "02-b.txt",
            "document.json",
            "document.xml",
            "evidence.json",
            "package.asice",
            "verification.json",
            "verification.txt",
        }
        described = json.loads(found["document.json"])
        assert described["document_id"] == document_id == world[COMMUNE].status("bao-cao-07")["document_id"]
        assert described["sender"]["code"] == COMMUNE
        assert described["container_sha256"] == world[COMMUNE].status("bao-cao-07")["package_sha256"]
        assert [each["file"] for each in described["attachments"]] == ["01-Báo cáo.pdf", "02-b.txt"]
        verdict = json.loads(found["verification.json"])
        assert verdict["indication"] == "TOTAL-PASSED"
        assert [each["format"] for each in verdict["signatures"]] == ["XAdES", "PAdES"]
        assert COMMUNE in found["verification.txt"].decode()

    async def test_the_evidence_file_tells_who_brought_it_and_that_it_was_consigned(self, world: World) -> None:
        document_id = await send(world)
        await world.run()
        evidence = json.loads(world[PROVINCE].opened(document_id)["evidence.json"])
        assert evidence["attested_sender"] == COMMUNE
        assert evidence["admission"] is None
        assert [event["event"] for event in evidence["events"]] == ["ContentConsignment"]

    async def test_the_plain_edxml_file_comes_with_it_when_the_office_wants_it(self, world: World) -> None:
        world[PROVINCE].inbox_edxml = True
        world[PROVINCE].start()
        document_id = await send(world)
        await world.run()
        assert b"AttachmentEncoded" in world[PROVINCE].opened(document_id)["document.edxml"]

    async def test_nothing_reaches_the_inbox_without_a_stored_verdict_and_admission(self, world: World) -> None:
        await send(world)
        await world[PROVINCE].receive()
        record = world[PROVINCE].one(Kind.RECEPTION)
        assert record.state is State.STAGED
        assert isinstance(record.body, ReceptionBody)
        assert record.body.verdict is not None
        assert record.body.verdict.passed
        assert record.body.admission is not None
        assert record.body.admission.admitted
        assert world[PROVINCE].delivered() == []

    async def test_a_delivery_that_fails_for_a_while_is_made_later_once(self, world: World) -> None:
        document_id = await send(world)
        world[PROVINCE].sandbox.faults.plan("verify_package", EdocError(SANDBOX_DOWN), EdocError(SANDBOX_DOWN))
        await world.run()
        assert world[PROVINCE].delivered() == [document_id]
        assert world[PROVINCE].alarms == []

    async def test_a_document_that_cannot_be_unpacked_is_held_for_a_person(self, world: World) -> None:
        await send(world)
        await world[PROVINCE].receive()

        async def unreadable(_folder: object) -> None:
            raise EdocError(SANDBOX_UNREADABLE)

        world[PROVINCE].fs_inbox.of(COMMUNE).deliver = unreadable  # type: ignore[method-assign, assignment]  # a file system's whim
        await world[PROVINCE].run()
        assert world[PROVINCE].state(Kind.RECEPTION) is State.HELD
        assert world[PROVINCE].alarmed() == ["SANDBOX_UNREADABLE"]
        assert world[PROVINCE].records(Kind.STATUS) == []
        assert len(world[PROVINCE].staged()) == 1


class TestTheSameAgain:
    async def test_a_duplicate_delivery_is_delivered_once_and_answered_with_the_stored_receipt(
        self, world: World
    ) -> None:
        world.network.duplicate = 1
        document_id = await send(world)
        await world.run()
        assert world[PROVINCE].delivered() == [document_id]
        assert len(world[PROVINCE].records(Kind.STATUS)) == 1
        assert world[COMMUNE].states("bao-cao-07")[PROVINCE] == "DELIVERED"

    async def test_the_same_container_later_brings_the_same_receipt_byte_for_byte(self, world: World) -> None:
        document_id = await send(world)
        (sent,) = world.network.messages(PROVINCE)
        await world.run()
        await forged.publish(world, COMMUNE, sent)
        await world.run()
        receipts = [message.body for message, _ in world.network.published if message.type is MessageType.STATUS]
        assert (len(receipts), len(set(receipts))) == (2, 1)
        assert world[PROVINCE].evidence(document_id) == [EvidenceEvent.CONTENT_CONSIGNMENT]
        assert len(world[PROVINCE].token.requests) == 1

    @pytest.mark.parametrize("waits", [True, False], ids=["one after the other", "side by side"])
    async def test_two_copies_under_way_at_once_become_one_document(self, world: World, waits: bool) -> None:
        province = world[PROVINCE]
        world.network.duplicate = 1
        document_id = await send(world)
        stream = province._streams[Lane.NORMAL]
        deliveries = [await anext(stream), await anext(stream)]
        verify = province.sandbox.verify_package
        verified = 0

        async def verifying(container: FileRef, material: TrustMaterial) -> PackageRead:
            nonlocal verified
            verified += 1
            if waits and verified == 2:
                await asyncio.sleep(0.05)  # the other copy is committed meanwhile
            return await verify(container, material)

        province.sandbox.verify_package = verifying  # type: ignore[method-assign]  # in a certain order
        await asyncio.gather(*[province.arrivals.take(delivery) for delivery in deliveries])
        assert verified == 2
        assert len(province.broker.settled) == 2
        await world.run()
        assert province.delivered() == [document_id]
        assert province.quarantined() == {}
        assert len(province.records(Kind.STATUS)) == 1
        assert world[COMMUNE].states("bao-cao-07")[PROVINCE] == "DELIVERED"

    async def test_it_is_not_delivered_again_after_the_dms_took_the_folder(self, world: World) -> None:
        document_id = await send(world)
        (sent,) = world.network.messages(PROVINCE)
        await world.run()
        taken = world[PROVINCE].folder / "inbox" / document_id
        taken.rename(world[PROVINCE].folder / "taken")
        await forged.publish(world, COMMUNE, sent)
        await world.run()
        assert world[PROVINCE].delivered() == []

    async def test_the_same_id_with_other_content_is_refused_and_the_first_one_stands(self, world: World) -> None:
        document_id = await send(world)
        await world.run()
        first = world[PROVINCE].opened(document_id)
        made = forged.document(world, COMMUNE, [PROVINCE])
        object.__setattr__(made, "document_id", document_id)
        body = forged.package(made, world[COMMUNE].seal, world.clock.now())
        for _ in range(2):
            await forged.publish(world, COMMUNE, forged.message(body, document_id, COMMUNE, PROVINCE))
            await world[PROVINCE].run()
        assert world[PROVINCE].opened(document_id) == first
        assert world[PROVINCE].state(Kind.RECEPTION) is State.DELIVERED
        answers = [record.body for record in world[PROVINCE].records(Kind.STATUS)]
        assert [(one.report.code, one.report.fault) for one in answers if isinstance(one, StatusBody)] == [
            ("01", ""),
            ("02", "DOCUMENT_CONFLICT"),
        ]
        (put_away,) = world[PROVINCE].quarantined().values()
        assert put_away["package.asice"] == body
        await world.run()
        assert world[COMMUNE].states("bao-cao-07")[PROVINCE] == "DELIVERED", "it refuses other bytes than ours"

    async def test_a_container_refused_once_is_not_answered_again(self, world: World) -> None:
        made = forged.document(world, COMMUNE, [CENTRE])
        body = forged.package(made, world[COMMUNE].seal, world.clock.now())
        again = forged.message(body, made.document_id, COMMUNE, PROVINCE)
        await forged.publish(world, COMMUNE, again, again)
        await world[PROVINCE].run()
        await forged.publish(world, COMMUNE, again)
        await world[PROVINCE].run()
        assert refusal(world[PROVINCE]).report.fault == "NOT_FOR_US"
        assert len(world[PROVINCE].quarantined()) == 1
        assert world[PROVINCE].staged() == []


class TestAdmission:
    async def test_from_and_attested_sender_disagree_quarantine_alarm_no_answer(self, wide: World) -> None:
        made = forged.document(wide, COMMUNE, [PROVINCE])
        body = forged.package(made, wide[COMMUNE].seal, wide.clock.now())
        await forged.publish(wide, CENTRE, forged.message(body, made.document_id, COMMUNE, PROVINCE))
        await wide.run()
        province = wide[PROVINCE]
        assert province.delivered() == []
        assert province.alarmed() == ["SENDER_NOT_ATTESTED"]
        assert province.records(Kind.STATUS) == []
        (put_away,) = province.quarantined().values()
        assert put_away["package.asice"] == body
        assert json.loads(put_away["error.json"])["code"] == "SENDER_NOT_ATTESTED"

    async def test_the_true_sender_is_heard_after_a_thief_came_first(self, wide: World) -> None:
        await send(wide)
        stolen = wide.network.messages(PROVINCE)[0]
        honest = wide.network.queue(PROVINCE, Lane.NORMAL).pop()
        await forged.publish(wide, CENTRE, stolen)
        await wide[PROVINCE].run()
        wide.network.queue(PROVINCE, Lane.NORMAL).append(honest)
        await wide.run()
        assert wide[COMMUNE].states("bao-cao-07")[PROVINCE] == "DELIVERED"

    async def test_what_is_not_addressed_to_us_is_refused(self, world: World) -> None:
        made = forged.document(world, COMMUNE, [CENTRE])
        body = forged.package(made, world[COMMUNE].seal, world.clock.now())
        await forged.publish(world, COMMUNE, forged.message(body, made.document_id, COMMUNE, PROVINCE))
        await world[PROVINCE].run()
        assert refusal(world[PROVINCE]).report.fault == "NOT_FOR_US"

    async def test_levels_that_may_not_talk_are_refused(self, world: World) -> None:
        world[PROVINCE].policy = Policy(talk=frozenset({("central", "province")}))
        world[PROVINCE].start()
        await send(world)
        await world.run()
        assert refusal(world[PROVINCE]).report.fault == "LEVEL_FORBIDDEN"
        assert world[COMMUNE].states("bao-cao-07")[PROVINCE] == "REFUSED"

    async def test_headers_that_name_another_document_are_refused(self, world: World) -> None:
        made = forged.document(world, COMMUNE, [PROVINCE])
        body = forged.package(made, world[COMMUNE].seal, world.clock.now())
        await forged.publish(world, COMMUNE, forged.message(body, world.clock.mint(), COMMUNE, PROVINCE))
        await world[PROVINCE].run()
        assert refusal(world[PROVINCE]).report.fault == "HINT_MISMATCH"
        assert world[PROVINCE].delivered() == []

    async def test_an_organisation_that_the_directory_does_not_know_is_refused(self, world: World) -> None:
        await send(world)
        world.publish_directory(without=COMMUNE)
        await world[PROVINCE].run()
        assert refusal(world[PROVINCE]).report.fault == "SENDER_UNKNOWN"


class TestVerdict:
    async def assert_refused(self, world: World, sub_indication: str) -> None:
        """Everything that a refused document must show, at both ends."""
        province, commune = world[PROVINCE], world[COMMUNE]
        await province.run()
        assert province.delivered() == []
        assert province.state(Kind.RECEPTION) is State.QUARANTINED
        report = refusal(province).report
        assert report.event is EvidenceEvent.CONTENT_CONSIGNMENT_FAILURE
        assert report.fault == "SEAL_NOT_ACCEPTED"
        assert sub_indication in report.description
        (put_away,) = province.quarantined().values()
        assert set(put_away) == {"package.asice", "error.json", "error.txt"}
        assert sub_indication in put_away["error.txt"].decode()
        assert province.staged() == []
        world[COMMUNE].revocation.lists = list(world.crls())
        await commune.run()
        told = commune.status("bao-cao-07")["recipients"][0]
        assert told["state"] == "REFUSED"
        assert told["history"][0]["fault"] == "SEAL_NOT_ACCEPTED"
        assert commune.evidence(commune.status("bao-cao-07")["document_id"])[-1] is (
            EvidenceEvent.CONTENT_CONSIGNMENT_FAILURE
        )

    async def test_a_seal_revoked_before_it_arrived_is_refused(self, world: World) -> None:
        await send(world)
        world.pki.revoke(world[COMMUNE].seal.certificate, world.clock.now() - timedelta(hours=1))
        world[PROVINCE].revocation.lists = list(world.crls())
        await self.assert_refused(world, "REVOKED")

    async def test_a_key_that_is_not_pinned_to_the_sender_is_refused(self, world: World) -> None:
        await send(world)
        other = world.pki.seal(COMMUNE, "Một con dấu khác", kind="ec")
        world[COMMUNE].seal, kept = other, world[COMMUNE].seal
        world.publish_directory()
        world[COMMUNE].seal = kept
        await self.assert_refused(world, "SIG_CONSTRAINTS_FAILURE")

    async def test_a_certificate_that_expired_under_way_is_refused(self, world: World) -> None:
        ends = world.clock.now() + timedelta(days=2)
        world[COMMUNE].seal = world.pki.seal(COMMUNE, "Con dấu sắp hết hạn", kind="ec", not_after=ends)
        world[COMMUNE].token.issued = world[COMMUNE].seal
        world.publish_directory()
        await send(world)
        await world.clock.advance(timedelta(days=3))
        world[PROVINCE].revocation.lists = list(world.crls())
        await self.assert_refused(world, "OUT_OF_BOUNDS")

    async def test_an_altered_attachment_is_refused(self, world: World) -> None:
        made = forged.document(world, COMMUNE, [PROVINCE])
        body = forged.tampered(made, world[COMMUNE].seal, world.clock.now())
        await forged.publish(world, COMMUNE, forged.message(body, made.document_id, COMMUNE, PROVINCE))
        await world[PROVINCE].run()
        assert "HASH_FAILURE" in refusal(world[PROVINCE]).report.description
        assert world[PROVINCE].delivered() == []

    async def test_the_seal_of_another_organisation_does_not_count(self, wide: World) -> None:
        made = forged.document(wide, COMMUNE, [PROVINCE])
        body = forged.package(made, wide[CENTRE].seal, wide.clock.now())
        await forged.publish(wide, COMMUNE, forged.message(body, made.document_id, COMMUNE, PROVINCE))
        await wide[PROVINCE].run()
        assert refusal(wide[PROVINCE]).report.fault == "SEAL_NOT_ACCEPTED"

    @pytest.mark.parametrize("body", [b"", b"not a container", b"PK\x03\x04" + bytes(100)])
    async def test_what_is_no_container_is_refused_to_who_brought_it(self, world: World, body: bytes) -> None:
        await forged.publish(world, COMMUNE, forged.message(body, world.clock.mint(), COMMUNE, PROVINCE))
        await world[PROVINCE].run()
        assert refusal(world[PROVINCE]).report.fault == "BAD_CONTAINER"
        assert world[PROVINCE].state(Kind.RECEPTION) is State.QUARANTINED

    async def test_content_that_kills_its_reader_is_refused(self, world: World) -> None:
        await send(world)
        world[PROVINCE].sandbox.faults.plan("verify_package", EdocError(SANDBOX_UNREADABLE))
        await world[PROVINCE].run()
        assert refusal(world[PROVINCE]).report.fault == "SANDBOX_UNREADABLE"

    async def test_a_refused_package_does_not_use_up_the_identity_of_its_document(self, world: World) -> None:
        made = forged.document(world, COMMUNE, [PROVINCE])
        seal, now = world[COMMUNE].seal, world.clock.now()
        bad, good = forged.tampered(made, seal, now), forged.package(made, seal, now)
        await forged.publish(world, COMMUNE, forged.message(bad, made.document_id, COMMUNE, PROVINCE))
        await world[PROVINCE].run()
        await forged.publish(world, COMMUNE, forged.message(good, made.document_id, COMMUNE, PROVINCE))
        await world[PROVINCE].run()
        assert world[PROVINCE].delivered() == [made.document_id]


async def test_a_full_disk_keeps_the_message_at_the_broker_until_there_is_room(world: World) -> None:
    document_id = await send(world)
    stage = world[PROVINCE].fs_inbox.of(COMMUNE).stage
    failures = [EdocError(DISK_FULL, what="staging")] * 3

    async def full(*args: object) -> object:
        if failures:
            assert world[PROVINCE].broker.settled == []
            raise failures.pop()
        return await stage(*args)  # type: ignore[arg-type]  # handed through

    world[PROVINCE].fs_inbox.of(COMMUNE).stage = full  # type: ignore[method-assign, assignment]  # a full disk
    await world.run()
    assert failures == []
    assert world[PROVINCE].delivered() == [document_id]
    assert world[PROVINCE].quarantined() == {}
