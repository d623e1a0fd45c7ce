"""What an `.edxml` file in the outbox becomes: a document of any business type travels, a status is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.jobs import TEXT, read_json
from fakes.world import COMMUNE, PROVINCE, World

from edoc.envelopes.edxml import read_inline, write_inline
from edoc.model.document import Attachment, AttachmentRole, Document, Party
from edoc.model.identifiers import DocumentId, OrganId, sha256_of
from edoc.model.state import Kind

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "edxml"
SENDER, RECIPIENT = Party(organ_id=OrganId(COMMUNE)), Party(organ_id=OrganId(PROVINCE))
FILE = Attachment(
    number=1,
    name="phu-luc.txt",
    media_type="text/plain",
    size=len(TEXT),
    sha256=sha256_of(TEXT),
    role=AttachmentRole.MAIN,
)


def vector(name: str) -> bytes:
    return (VECTORS / f"{name}.edxml").read_bytes()


def ours(name: str) -> tuple[Document, bytes]:
    """Return the document of a vector as the commune writes it to the province, and that as an .edxml file."""
    read, _ = read_inline(vector(name), DocumentId("6f1c2b1e-0a6b-4a57-9a54-0d4c7c2b9a10"), SENDER)
    document = replace(read.document, recipients=(RECIPIENT,), attachments=(FILE,))
    return document, write_inline(document, [TEXT])


def drop(world: World, name: str, data: bytes) -> None:
    outbox = world[COMMUNE].folder / "outbox"
    (outbox / f".{name}.tmp").write_bytes(data)
    (outbox / f".{name}.tmp").rename(outbox / name)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("document-new", "new"),
        ("recall", "recall"),
        ("recall-several", "recall"),
        ("update-receivers", "update"),
        ("replacement-several", "replacement"),
    ],
)
async def test_a_document_of_any_business_type_travels_with_its_type_and_its_payload(
    world: World, name: str, kind: str
) -> None:
    document, data = ours(name)
    drop(world, "cv.edxml", data)
    await world.run()
    assert world[COMMUNE].states("cv.edxml") == {"": "PACKED", PROVINCE: "DELIVERED"}
    (folder,) = world[PROVINCE].delivered()
    received = read_json(world[PROVINCE].folder / "inbox" / folder / "document.json")
    assert received["business_type"] == kind
    assert received["business_reason"] == document.business_reason
    assert [each["document_id"] for each in received["reply_to"]] == [each.document_id for each in document.reply_to]
    assert [each["document_id"] for each in received["replaces"]] == [each.document_id for each in document.replaces]
    assert (received["update"] is None) is (document.update is None)
    (record,) = world[PROVINCE].records(Kind.RECEPTION)
    body: Any = record.body
    assert body.document.unknown == document.unknown


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("status-03", "NOT_A_DOCUMENT"),
        ("status-unknown-code", "NOT_A_DOCUMENT"),
        ("old-soap", "OLD_DIALECT"),
        ("old-soap-mime", "OLD_DIALECT"),
        ("namespace-wrong", "NOT_EDXML"),
        ("malformed-cut", "MALFORMED_XML"),
        ("malformed-empty", "EMPTY_FILE"),
        ("forbidden-entity-bomb", "XML_FORBIDDEN"),
        ("date-impossible", "HEADER_INVALID"),
        ("payload-damaged", "ATTACHMENT_UNREADABLE"),
        ("payload-none", "SENDER_MISMATCH"),
    ],
)
async def test_what_is_no_document_of_ours_is_answered_in_failed_and_the_next_job_goes_on(
    world: World, name: str, code: str
) -> None:
    drop(world, "bad.edxml", vector(name))
    drop(world, "good.edxml", ours("document-new")[1])
    await world.run()
    told = world[COMMUNE].status("bad.edxml")["error"]
    assert told["code"] == code
    assert told["next_vi"]
    assert world[COMMUNE].states("good.edxml") == {"": "PACKED", PROVINCE: "DELIVERED"}
    assert [path.name for path in (world[COMMUNE].folder / "failed").iterdir()]
