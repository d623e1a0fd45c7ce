"""What the office's folders say."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

from fakes.clock import START
from fakes.jobs import job
from fakes.records import document_id, record
from fakes.values import document, signature, verdict
from fakes.world import CENTRE, COMMUNE, PROVINCE, World

from edoc.errors import FaultReport
from edoc.exchange.reports import error_json, error_text, evidence_json, status_json, verification_json
from edoc.exchange.reports import verification_text as text_of
from edoc.model.identifiers import Sha256
from edoc.model.message import StatusCode
from edoc.model.record import BusinessStatus, ReceptionBody, TransferBody
from edoc.model.state import Kind, State
from edoc.model.verdict import Admission, Indication, SubIndication

FAULT = FaultReport(code="RECIPIENT_UNKNOWN", facts={"recipient": "H99"}, cause="private")


class TestErrors:
    def test_the_file_for_programs_has_code_and_disposition_and_both_languages(self) -> None:
        told = json.loads(error_json(FAULT))
        assert (told["code"], told["disposition"]) == ("RECIPIENT_UNKNOWN", "permanent")
        assert "H99" in told["text_vi"]
        assert "H99" in told["text_en"]
        assert told["next_vi"]
        assert told["next_en"]

    def test_the_file_for_people_has_what_and_what_to_do_in_both_languages(self) -> None:
        told = error_text(FAULT)
        for lang in ("vi", "en"):
            assert FAULT.text(lang) in told
            assert FAULT.next_step(lang) in told

    def test_the_private_cause_stays_private(self) -> None:
        assert "private" not in error_text(FAULT) + error_json(FAULT).decode()


class TestStatus:
    def test_recipients_are_told_in_one_order_with_their_histories(self) -> None:
        line = BusinessStatus(code=StatusCode.ARRIVED, at=START, description="đã đến")
        first = replace(record(1), key=record(1).key._replace(peer="A1"), body=TransferBody(history=(line,)))
        second = replace(record(1), key=record(1).key._replace(peer="B1"), state=State.HELD, fault=FAULT)
        told = json.loads(status_json(record(1, Kind.SUBMISSION, state=State.PACKED), [second, first]))
        assert [each["organ_id"] for each in told["recipients"]] == ["A1", "B1"]
        assert told["recipients"][0]["history"][0]["code"] == "01"
        assert told["recipients"][1]["error"]["code"] == "RECIPIENT_UNKNOWN"
        assert told["document_id"] == document_id(1)

    async def test_of_two_changes_at_once_the_later_one_is_told_last(self, wide: World) -> None:
        commune = wide[COMMUNE]
        commune.submit("bao-cao-07", job([PROVINCE, CENTRE]))
        await commune.run()
        first, second = commune.records(Kind.TRANSFER)
        report = commune.spool.report
        slow = asyncio.Event()
        calls = 0

        async def stalled(*args: object, **kwargs: object) -> None:
            nonlocal calls
            calls += 1
            if calls == 1:
                await slow.wait()
            await report(*args, **kwargs)  # type: ignore[arg-type]  # handed through

        commune.outgoing._spool.report = stalled  # type: ignore[method-assign]  # a slow disk
        commune.journal.rows[first.key].record = replace(first, state=State.DELIVERED)
        telling = asyncio.create_task(commune.outgoing.report(first.document_id))
        await asyncio.sleep(0.01)
        commune.journal.rows[second.key].record = replace(second, state=State.DELIVERED)
        later = asyncio.create_task(commune.outgoing.report(first.document_id))
        await asyncio.sleep(0.01)
        slow.set()
        await asyncio.gather(telling, later)
        assert commune.states("bao-cao-07") == {"": "PACKED", PROVINCE: "DELIVERED", CENTRE: "DELIVERED"}


RECEIVED = ReceptionBody(container_sha256=Sha256("ab" * 32), size=3, attested_sender=COMMUNE, received_at=START)


class TestVerification:
    def test_the_file_for_programs_lists_every_signature(self) -> None:
        inner = signature("attachments/1.pdf", Indication.INDETERMINATE, SubIndication.TRY_LATER)
        told = json.loads(verification_json("package.asice", verdict(signature(), inner)))
        assert (told["indication"], told["sub_indication"]) == ("INDETERMINATE", "TRY_LATER")
        assert [each["path"] for each in told["signatures"]] == ["META-INF/signatures001.xml", "attachments/1.pdf"]

    def test_no_signature_is_no_indication(self) -> None:
        told = json.loads(verification_json("a.pdf", verdict()))
        assert told["indication"] is None
        assert told["signatures"] == []

    def test_the_file_for_people_names_sender_verdict_and_digest(self) -> None:
        told = text_of(document(), RECEIVED, verdict(signature())).decode()
        assert "TOTAL-PASSED" in told
        assert "UBND xã Tân Lập" in told
        assert "ab" * 32 in told


class TestEvidence:
    def test_a_fault_of_admission_is_told(self) -> None:
        body = replace(RECEIVED, admission=Admission(attested_sender=COMMUNE, fault=FAULT))
        told = json.loads(evidence_json(body, document_id(1), []))
        assert told["admission"]["code"] == "RECIPIENT_UNKNOWN"
        assert told["attested_sender"] == COMMUNE
