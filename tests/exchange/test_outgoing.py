"""A document's way out: accepted, sealed, packed, and told truly at each step."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from fakes.jobs import TEXT, job
from fakes.sealed import plain_pdf, seal_pdf
from fakes.world import CENTRE, COMMUNE, PROVINCE, STRANGER, World

from edoc.envelopes.asic import Container
from edoc.exchange.office import Policy
from edoc.model.evidence import EvidenceEvent
from edoc.model.record import SubmissionBody
from edoc.model.signing import Purpose
from edoc.model.state import Kind, State


def body(world: World) -> SubmissionBody:
    found = world[COMMUNE].one(Kind.SUBMISSION).body
    assert isinstance(found, SubmissionBody)
    return found


def container(world: World) -> Container:
    package = body(world).package
    assert package is not None
    with open(package.ref, "rb") as file:  # noqa: PTH123 -- a ref is text
        return Container.open(io.BytesIO(file.read()))


class TestTheWayOut:
    async def test_the_status_file_tells_every_state_as_it_is(self, world: World) -> None:
        commune, province = world[COMMUNE], world[PROVINCE]
        commune.submit("bao-cao-07", job([PROVINCE], {"a.pdf": plain_pdf()}))
        await commune.intake.take("bao-cao-07")
        assert commune.states("bao-cao-07") == {"": "ACCEPTED"}
        await commune.work()
        assert commune.state(Kind.SUBMISSION) is State.SEALED
        assert commune.states("bao-cao-07") == {"": "ACCEPTED"}, "PACKED follows at once and is told then"
        await commune.work()
        assert commune.states("bao-cao-07") == {"": "PACKED", PROVINCE: "QUEUED"}
        await commune.work()
        assert commune.states("bao-cao-07") == {"": "PACKED", PROVINCE: "SENT"}
        await province.run()
        assert commune.states("bao-cao-07") == {"": "PACKED", PROVINCE: "SENT"}, "no receipt, not delivered"
        await commune.run()
        assert commune.states("bao-cao-07") == {"": "PACKED", PROVINCE: "DELIVERED"}

    async def test_the_source_moves_to_sent_as_it_was_written(self, world: World) -> None:
        commune = world[COMMUNE]
        written = job([PROVINCE], {"a.pdf": plain_pdf()})
        commune.submit("bao-cao-07", written)
        await world.run()
        sent = commune.folder / "sent" / "bao-cao-07"
        assert {path.name: path.read_bytes() for path in sent.iterdir()} == written

    async def test_nothing_is_left_in_work(self, world: World) -> None:
        commune = world[COMMUNE]
        commune.submit("bao-cao-07", job([PROVINCE], {"a.pdf": plain_pdf()}))
        await world.run()
        for folder in ("claimed", "work"):
            assert list((commune.folder / "state" / folder).iterdir()) == [], folder

    async def test_the_acceptance_is_evidence(self, world: World) -> None:
        commune = world[COMMUNE]
        commune.submit("bao-cao-07", job([PROVINCE]))
        await world.run()
        document_id = commune.one(Kind.SUBMISSION).document_id
        assert commune.evidence(document_id) == [
            EvidenceEvent.SUBMISSION_ACCEPTANCE,
            EvidenceEvent.CONTENT_CONSIGNMENT,
        ]

    async def test_every_recipient_has_a_transfer_and_gets_the_same_bytes(self, wide: World) -> None:
        commune = wide[COMMUNE]
        commune.submit("bao-cao-07", job([PROVINCE, CENTRE]))
        await wide.run()
        assert commune.states("bao-cao-07") == {"": "PACKED", PROVINCE: "DELIVERED", CENTRE: "DELIVERED"}
        document_id = commune.one(Kind.SUBMISSION).document_id
        at_province, at_centre = (wide[code].opened(document_id)["package.asice"] for code in (PROVINCE, CENTRE))
        assert at_province == at_centre

    async def test_one_slow_recipient_does_not_hold_up_the_other(self, wide: World) -> None:
        wide.network.full.add(CENTRE)
        wide[COMMUNE].submit("bao-cao-07", job([PROVINCE, CENTRE]))
        await wide.run()
        assert wide[COMMUNE].states("bao-cao-07") == {"": "PACKED", PROVINCE: "DELIVERED", CENTRE: "QUEUED"}


class TestSeals:
    async def test_a_pdf_gets_the_seal_as_an_incremental_update(self, world: World) -> None:
        original = plain_pdf()
        world[COMMUNE].submit("bao-cao-07", job([PROVINCE], {"a.pdf": original}))
        await world.run()
        sealed = container(world).read("attachments/1.pdf", 10**7)
        assert sealed.startswith(original)
        assert b"ETSI.CAdES.detached" in sealed[len(original) :]

    async def test_a_pdf_that_we_sealed_already_is_left_as_it_is(self, world: World) -> None:
        sealed = seal_pdf(plain_pdf(), world[COMMUNE].seal)
        world[COMMUNE].submit("bao-cao-07", job([PROVINCE], {"a.pdf": sealed}))
        await world.run()
        assert container(world).read("attachments/1.pdf", 10**7) == sealed
        assert [request.purpose for request in world[COMMUNE].token.requests] == [Purpose.DOCUMENT]

    async def test_other_files_travel_unchanged(self, world: World) -> None:
        world[COMMUNE].submit("bao-cao-07", job([PROVINCE]))
        await world.run()
        assert container(world).read("attachments/1.txt", 1000) == TEXT

    async def test_the_package_holds_what_the_design_says_in_that_order(self, world: World) -> None:
        world[COMMUNE].submit("bao-cao-07", job([PROVINCE], {"a.pdf": plain_pdf(), "b.txt": TEXT}))
        await world.run()
        assert container(world).names == (
            "mimetype",
            "envelope.xml",
            "attachments/1.pdf",
            "attachments/2.txt",
            "META-INF/manifest.xml",
            "META-INF/signatures001.xml",
        )

    async def test_a_job_sealed_twice_by_a_repeated_stage_leaves_one_package(self, world: World) -> None:
        commune = world[COMMUNE]
        commune.submit("bao-cao-07", job([PROVINCE], {"a.pdf": plain_pdf()}))
        await commune.intake.take("bao-cao-07")
        record = commune.one(Kind.SUBMISSION)
        await commune.outgoing.seal(record)  # its commit was lost
        await world.run()
        assert commune.states("bao-cao-07")[PROVINCE] == "DELIVERED"


Mend = Callable[[World], dict[str, bytes]]

REFUSED: dict[str, Mend] = {
    "SENDER_MISMATCH": lambda _: job([PROVINCE], sender=PROVINCE),
    "SECRET_DOCUMENT": lambda _: job([PROVINCE], secrecy="tối mật"),
    "RECIPIENT_SELF": lambda _: job([COMMUNE]),
    "RECIPIENT_UNKNOWN": lambda _: job([PROVINCE, STRANGER]),
    "ATTACHMENT_MISSING": lambda _: {
        name: content for name, content in job([PROVINCE], {"a.txt": TEXT, "b.txt": TEXT}).items() if name != "b.txt"
    },
    "ATTACHMENT_UNDECLARED": lambda _: job([PROVINCE]) | {"ghi-chu.txt": TEXT},
    "ATTACHMENT_DIGEST": lambda _: job(
        [PROVINCE], {"a.txt": TEXT}, attachments=[{"file": "a.txt", "role": "main", "sha256": "ab" * 32}]
    ),
    "DESCRIPTION_INVALID": lambda _: {"document.json": b"{", "a.txt": TEXT},
    "NO_DESCRIPTION": lambda _: {"a.txt": TEXT},
    "TWO_DESCRIPTIONS": lambda _: job([PROVINCE]) | {"document.xml": b"<edXML/>"},
    "EMPTY_FILE": lambda _: job([PROVINCE], {"a.txt": b""}),
}


class TestRefusals:
    @pytest.mark.parametrize("code", REFUSED)
    async def test_what_may_not_leave_ends_in_failed_with_the_reason_in_both_languages(
        self, world: World, code: str
    ) -> None:
        commune = world[COMMUNE]
        commune.submit("bao-cao-07", REFUSED[code](world))
        await world.run()
        answered = commune.failed("bao-cao-07")
        told = commune.status("bao-cao-07")
        assert told["state"] == "FAILED"
        assert told["error"]["code"] == code
        error = told["error"]
        assert answered["error.json"].decode().count(code) == 1
        assert all(error[name] for name in ("text_vi", "text_en", "next_vi", "next_en"))
        assert error["text_vi"] != error["text_en"]
        assert not re.search(r"\{[a-z_]+\}", error["text_vi"] + error["text_en"]), "every fact is filled in"
        text = answered["error.txt"].decode()
        assert error["text_vi"] in text
        assert error["next_en"] in text

    @pytest.mark.parametrize("code", REFUSED)
    async def test_nothing_is_signed_published_or_left_of_what_was_refused(self, world: World, code: str) -> None:
        commune = world[COMMUNE]
        commune.submit("bao-cao-07", REFUSED[code](world))
        await world.run()
        record = commune.one(Kind.SUBMISSION)
        assert commune.token.requests == []
        assert world.network.published == []
        assert record.state is State.FAILED
        assert commune.evidence(record.document_id)[-1] is EvidenceEvent.SUBMISSION_REJECTION
        assert commune.journal.events[-1].reason == code
        assert list((commune.folder / "state" / "claimed").iterdir()) == []
        assert commune.alarms == []

    async def test_a_level_that_may_not_be_written_to_is_refused(self, world: World) -> None:
        commune = world[COMMUNE]
        commune.policy = Policy(talk=frozenset({("commune", "central")}))
        commune.start()
        commune.submit("bao-cao-07", job([PROVINCE]))
        await world.run()
        assert commune.status("bao-cao-07")["error"]["code"] == "LEVEL_FORBIDDEN"
        assert commune.token.requests == []

    async def test_a_document_without_files_is_refused(self, world: World) -> None:
        commune = world[COMMUNE]
        commune.submit("bao-cao-07", job([PROVINCE], {}))
        await world.run()
        assert commune.status("bao-cao-07")["error"]["code"] in {"ATTACHMENT_NONE", "DESCRIPTION_INVALID"}

    async def test_a_mended_job_leaves_under_the_same_name(self, world: World) -> None:
        commune = world[COMMUNE]
        commune.submit("bao-cao-07", job([STRANGER]))
        await world.run()
        commune.submit("bao-cao-07", job([PROVINCE]))
        await world.run()
        assert commune.states("bao-cao-07") == {"": "PACKED", PROVINCE: "DELIVERED"}
