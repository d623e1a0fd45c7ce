"""Which file gets the image of the seal, and which a line of text (Decree 30/2020, Annex I)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from fakes.jobs import job
from fakes.sealed import document_with, plain_pdf
from fakes.visible import blank_pdf, seal_png
from fakes.world import COMMUNE, PROVINCE, World

from edoc.exchange.attachments import appearance_of, copy_kind
from edoc.exchange.office import Office
from edoc.model.appearance import Place
from edoc.model.document import AttachmentRole, Code

PLACE = Place(page=1, x_mm=100, y_mm=200)
OFFICE = Office(code=COMMUNE, anchors=(), intermediates=(), seal_image=b"png", seal_width_mm=42, seal_place=PLACE)
AT = datetime(2026, 11, 22, 2, 0, 0, 123456, tzinfo=UTC)
DOCUMENT = document_with([])
AGENCY = "Ủy ban nhân dân xã Tân Lập"


def test_the_document_itself_shows_the_image() -> None:
    look = appearance_of(DOCUMENT, AttachmentRole.MAIN, OFFICE, AGENCY, AT)
    assert (look.image, look.image_width_mm, look.place, look.text) == (b"png", 42, PLACE, "")


@pytest.mark.parametrize("role", [AttachmentRole.APPENDIX, AttachmentRole.RELATED])
def test_a_separate_attachment_shows_number_and_time(role: AttachmentRole) -> None:
    look = appearance_of(DOCUMENT, role, OFFICE, AGENCY, AT)
    assert (look.image, look.text) == (b"", "123/UBND-VP; 2026-11-22T09:00:00+07:00")


def test_a_copy_shows_its_kind_the_agency_and_the_time() -> None:
    copy = replace(DOCUMENT, type_name="Bản sao y")
    look = appearance_of(copy, AttachmentRole.MAIN, OFFICE, AGENCY, AT)
    assert look.text == f"Sao y; {AGENCY}; 2026-11-22T09:00:00+07:00"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"type_name": "SAO  LỤC"}, "Sao lục"),
        ({"type_name": "Tri\u0301ch sao"}, "Trích sao"),
        ({"type_code": "TrS"}, "Trích sao"),
        ({"typer_notation": "SL"}, "Sao lục"),
        ({"code": Code(number="12", notation="SY-UBND")}, "Sao y"),
        ({"type_name": "Công văn"}, ""),
        ({"code": Code(number="12", notation="SYT-VP")}, ""),
        ({"subject": "Trích sao biên bản"}, ""),
    ],
)
def test_a_copy_is_known_by_its_type_or_notation(fields: dict[str, Any], kind: str) -> None:
    assert copy_kind(replace(DOCUMENT, **fields)) == kind


async def test_both_travel_in_one_document(world: World) -> None:
    commune = world[COMMUNE]
    commune.seal_image, commune.seal_place = seal_png(), PLACE
    commune.start()
    commune.submit("a", job([PROVINCE], {"a.pdf": blank_pdf(), "b.pdf": plain_pdf()}))
    await world.run()
    (folder,) = world[PROVINCE].delivered()
    main, annex = (data for name, data in world[PROVINCE].opened(folder).items() if name.endswith(".pdf"))
    assert (b"/Seal" in main, b"TeXGyreTermes" in main) == (True, False)
    assert (b"/Seal" in annex, b"TeXGyreTermes" in annex) == (False, True)
    assert commune.status("a")["notes"] == []


async def test_a_repair_is_told_in_the_status_file(world: World) -> None:
    commune = world[COMMUNE]
    broken = plain_pdf().replace(b"0000000000 65535 f", b"0000000000 65536 f", 1)
    commune.submit("a", job([PROVINCE], {"a.pdf": broken}))
    await world.run()
    assert any("a.pdf" in note and "repaired" in note for note in commune.status("a")["notes"])
