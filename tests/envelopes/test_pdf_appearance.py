"""The seal is seen where the decree wants it, upright and in its real size, however the page is turned or cropped."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fakes.sealed import NOW, World, make_world, plain_pdf
from fakes.visible import blank_pdf, bounds, poppler, reds, seal_png, sealed_so, shown
from lab.personal import sign_as_person
from lab.pki import AGENCY_POLICY_OID, PERSON_POLICY_OID
from pyhanko.pdf_utils.reader import PdfFileReader

from edoc.envelopes import pdf_appearance, pdf_font, pdf_image
from edoc.envelopes.pdf_signatures import read_signatures
from edoc.errors import EdocError
from edoc.model.appearance import NOTHING, Appearance, Place
from edoc.model.signers import SignerRules
from edoc.signatures.validation import validate_pdf

MM = 72 / 25.4
SIZE = 36 * MM
IMAGE = Appearance(image=seal_png())
PLACED = Appearance(image=seal_png(), place=Place(page=1, x_mm=20, y_mm=30))
RULES = SignerRules(person_policies=frozenset({PERSON_POLICY_OID}), agency_policies=frozenset({AGENCY_POLICY_OID}))
TEXT = "123/UBND-VP; 2026-11-22T09:00:00+07:00"
PAGES: dict[str, dict[str, Any]] = {
    "a4": {},
    "turned-90": {"turn": 90},
    "turned-180": {"turn": 180},
    "turned-270": {"turn": 270},
    "turned-back": {"turn": -90},
    "cropped": {"crop": (100, 150, 500, 700)},
    "cropped-90": {"crop": (100, 150, 500, 700), "turn": 90},
    "cropped-270": {"crop": (100, 150, 500, 700), "turn": 270},
    "inherited": {"crop": (50, 60, 500, 700), "turn": 270, "inherited": True},
    "unit": {"unit": 2.0},
}


@pytest.fixture(scope="module")
def world() -> World:
    return make_world()


def near(found: tuple[int, int, int, int], expected: tuple[float, float, float, float], within: float = 2) -> bool:
    return all(abs(one - other) <= within for one, other in zip(found, expected, strict=True))


def widget_of(content: bytes, name: str = "edoc-seal-1") -> Any:
    fields = PdfFileReader(io.BytesIO(content)).root["/AcroForm"]["/Fields"]
    return next(one.get_object() for one in fields if one.get_object()["/T"] == name)


def signed(world: World, content: bytes, box: tuple[int, int, int, int], **more: Any) -> bytes:
    person = world.pki.person("Nguyễn Văn Thọ", "H53.31.20")
    return sign_as_person(content, person, world.pki, name="Nguyễn Văn Thọ", box=box, **more)


@poppler
@pytest.mark.parametrize("kind", PAGES)
def test_a_placed_seal_is_shown_upright_at_its_place_in_its_real_size(kind: str, world: World, tmp_path: Path) -> None:
    _, content = sealed_so(blank_pdf(**PAGES[kind]), world, PLACED)
    image = shown(tmp_path, content)
    # poppler shows a page in its own units: with another UserUnit a point on paper is another number of pixels.
    unit = PAGES[kind].get("unit", 1.0)
    expected = (20 * MM / unit, 30 * MM / unit, (20 * MM + SIZE) / unit, (30 * MM + SIZE) / unit)
    found = reds(image)
    assert near(bounds(found), expected)
    assert len(found) > 0.7 * (SIZE / unit) ** 2
    dark = [point for point in found if image.getpixel(point)[0] < 200]
    assert bounds(dark)[1] > (expected[1] + expected[3]) / 2, "the darker bar belongs below the middle"
    assert bounds(dark)[2] - bounds(dark)[0] > bounds(dark)[3] - bounds(dark)[1], "and lies"


BESIDE: dict[str, tuple[dict[str, Any], tuple[int, int, int, int], tuple[float, float, float, float]]] = {
    # the page, the person's box in user space, the same box as shown (left, top, right, bottom)
    "a4": ({}, (330, 140, 480, 200), (330, 841.89 - 200, 480, 841.89 - 140)),
    "turned-90": ({"turn": 90}, (300, 300, 360, 450), (300, 300, 450, 360)),
    "turned-180": ({"turn": 180}, (100, 300, 250, 360), (595.28 - 250, 300, 595.28 - 100, 360)),
    "turned-270": (
        {"turn": 270},
        (300, 300, 360, 450),
        (841.89 - 450, 595.28 - 360, 841.89 - 300, 595.28 - 300),
    ),
    "cropped": ({"crop": (100, 150, 500, 700)}, (300, 300, 450, 360), (200, 340, 350, 400)),
}


@poppler
@pytest.mark.parametrize("kind", BESIDE)
def test_the_seal_covers_a_third_of_the_persons_signature_on_its_left(kind: str, world: World, tmp_path: Path) -> None:
    page, box, (left, top, right, bottom) = BESIDE[kind]
    before = signed(world, blank_pdf(**page), box)
    revision, content = sealed_so(before, world, IMAGE, RULES)
    assert content.startswith(before)
    assert revision.notes == ()
    edge, middle = left + (right - left) / 3, (top + bottom) / 2
    expected = (edge - SIZE, middle - SIZE / 2, edge, middle + SIZE / 2)
    assert near(bounds(reds(shown(tmp_path, content))), expected)


def test_the_rectangle_and_the_form_of_the_seal_belong_together(world: World) -> None:
    _, content = sealed_so(signed(world, blank_pdf(turn=90), (300, 300, 360, 450)), world, IMAGE, RULES)
    widget = widget_of(content)
    x1, y1, x2, y2 = (float(edge) for edge in widget["/Rect"])
    form = widget["/AP"]["/N"]
    assert (x2 - x1, y2 - y1) == pytest.approx((SIZE, SIZE), abs=0.01)
    assert [float(value) for value in form["/Matrix"]] == [0, 1, -1, 0, 0, 0]
    assert [float(value) for value in form["/BBox"]] == pytest.approx([0, 0, SIZE, SIZE], abs=0.01)
    assert widget["/MK"]["/R"] == 90
    # Turned by 90 degrees, what is shown to the right is up in user space: a third of 150 points reaches in.
    assert y2 == pytest.approx(300 + 50, abs=0.01)
    assert (x1 + x2) / 2 == pytest.approx(330, abs=0.01)


def test_the_signature_of_the_person_is_told_by_policy_and_not_by_order(world: World) -> None:
    agency = sign_as_person(
        blank_pdf(),
        world.pki.seal("H1", "Sở Nội vụ"),
        world.pki,
        name="Nguyễn Văn Thọ",
        box=(50, 600, 200, 700),
        field="Agency",
    )
    both = signed(world, agency, (330, 140, 480, 200), field="Person")
    _, content = sealed_so(both, world, IMAGE, RULES)
    assert float(widget_of(content)["/Rect"][2]) == pytest.approx(380, abs=0.01)


def test_of_two_persons_the_last_is_the_one_who_answers(world: World) -> None:
    drafted = signed(world, blank_pdf(), (50, 600, 110, 640), field="KyNhay")
    both = signed(world, drafted, (330, 140, 480, 200))
    _, content = sealed_so(both, world, IMAGE, RULES)
    assert float(widget_of(content)["/Rect"][2]) == pytest.approx(380, abs=0.01)


def test_a_signature_of_nobody_known_shows_the_way_when_no_other_does(world: World) -> None:
    _, content = sealed_so(signed(world, blank_pdf(), (330, 140, 480, 200)), world, IMAGE)
    assert float(widget_of(content)["/Rect"][2]) == pytest.approx(380, abs=0.01)


def test_the_seal_stands_on_the_page_of_the_persons_signature(world: World) -> None:
    _, content = sealed_so(signed(world, blank_pdf(4), (330, 140, 480, 200), page=2), world, PLACED, RULES)
    writer = PdfFileReader(io.BytesIO(content))
    page = writer.root["/Pages"]["/Kids"].raw_get(2)
    assert widget_of(content).raw_get("/P").idnum == page.idnum


def test_a_seal_that_would_stick_out_is_moved_onto_the_page(world: World) -> None:
    _, content = sealed_so(signed(world, blank_pdf(), (10, 10, 100, 40)), world, IMAGE, RULES)
    assert [float(edge) for edge in widget_of(content)["/Rect"]] == pytest.approx([0, 0, SIZE, SIZE], abs=0.01)


@pytest.mark.parametrize(
    ("content", "appearance", "note"),
    [
        (blank_pdf(), NOTHING, pdf_appearance.NO_IMAGE),
        (blank_pdf(), IMAGE, pdf_appearance.NO_PLACE),
        (blank_pdf(2), Appearance(image=seal_png(), place=Place(page=3, x_mm=1, y_mm=1)), pdf_appearance.NO_PAGE),
        (blank_pdf(crop=(0, 0, 50, 50)), PLACED, pdf_appearance.NO_ROOM),
    ],
    ids=["no image", "no place", "no such page", "no room"],
)
def test_a_seal_without_a_place_is_invisible_and_a_note_says_why(
    content: bytes, appearance: Appearance, note: str, world: World
) -> None:
    revision, written = sealed_so(content, world, appearance)
    assert revision.notes == (note,)
    assert "/AP" not in widget_of(written)
    assert [int(edge) for edge in widget_of(written)["/Rect"]] == [0, 0, 0, 0]


def test_the_last_page_is_found_from_the_end(world: World) -> None:
    _, content = sealed_so(blank_pdf(3), world, Appearance(image=seal_png(), place=Place(x_mm=20, y_mm=30)))
    last = PdfFileReader(io.BytesIO(content)).root["/Pages"]["/Kids"].raw_get(2)
    assert widget_of(content).raw_get("/P").idnum == last.idnum


@poppler
@pytest.mark.parametrize("kind", [kind for kind in PAGES if kind != "unit"])
def test_the_text_block_is_black_at_the_top_right_of_page_one(kind: str, world: World, tmp_path: Path) -> None:
    revision, content = sealed_so(blank_pdf(2, **PAGES[kind]), world, Appearance(text=TEXT))
    assert revision.notes == ()
    image = shown(tmp_path, content)
    dark = [(x, y) for y in range(image.height) for x in range(image.width) if max(image.getpixel((x, y))) < 160]
    left, top, right, bottom = bounds(dark)
    width = pdf_font.font().width(TEXT, 10)
    assert near((left, 0, right, 0), (image.width - 15 * MM - width, 0, image.width - 15 * MM, 0), 3)
    assert 8 * MM <= top < bottom <= 8 * MM + 13
    text = subprocess.run(
        ("pdftotext", "-l", "1", "shown.pdf", "-"), cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert " ".join(text.split()) == TEXT


@poppler
def test_a_long_text_block_breaks_into_lines_and_keeps_every_vietnamese_letter(world: World, tmp_path: Path) -> None:
    agency = "Ủy ban Mặt trận Tổ quốc và Văn phòng Đoàn đại biểu Quốc hội và Hội đồng nhân dân tỉnh Đắk Lắk, Ẵẳẫỵ Ởữặ Ỹ"
    _, content = sealed_so(blank_pdf(), world, Appearance(text=f"Trích sao; {agency}; 2026-11-22T16:00:00+07:00"))
    shown(tmp_path, content)
    text = subprocess.run(
        ("pdftotext", "shown.pdf", "-"), cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert len(text.strip().splitlines()) == 2
    assert agency in " ".join(text.split())


def test_letters_that_the_font_lacks_are_noted(world: World) -> None:
    revision, _ = sealed_so(blank_pdf(), world, Appearance(text="国; A"))
    assert revision.notes == ("the font of the text block lacks “国”",)


def test_the_font_has_times_metrics_a_thousand_units_and_every_vietnamese_letter() -> None:
    font = pdf_font.font()
    letters = "ĂăÂâĐđÊêÔôƠơƯưÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝàáâãèéêìíòóôõùúýĨĩŨũ" + "".join(map(chr, range(0x1EA0, 0x1EFA)))
    assert font.missing(letters) == ""
    assert [font.widths[letter] for letter in "Ai0 W"] == [722, 278, 500, 250, 944]


@pytest.mark.parametrize("appearance", [PLACED, Appearance(text=TEXT), IMAGE], ids=["placed", "text", "beside"])
def test_person_and_visible_seal_both_pass_and_nothing_changed_between(appearance: Appearance, world: World) -> None:
    before = signed(world, plain_pdf(), (330, 140, 480, 200))
    _, content = sealed_so(before, world, appearance, RULES)
    verdict = validate_pdf(io.BytesIO(content), world.material)
    assert [one.indication for one in verdict.signatures] == ["TOTAL-PASSED", "TOTAL-PASSED"]
    assert [one.policies for one in verdict.signatures] == [(PERSON_POLICY_OID,), (AGENCY_POLICY_OID,)]
    first, second = read_signatures(io.BytesIO(content))
    assert (first.later, second.covers_all) == ("", True)


@pytest.mark.parametrize("appearance", [PLACED, Appearance(text=TEXT)], ids=["image", "text"])
def test_a_strict_reader_that_is_not_ours_accepts_the_visible_seal(appearance: Appearance, world: World) -> None:
    from asn1crypto.x509 import Certificate  # noqa: PLC0415 -- for this test alone
    from pyhanko.sign.validation import validate_pdf_signature  # noqa: PLC0415 -- the same
    from pyhanko_certvalidator import ValidationContext  # noqa: PLC0415 -- the same

    _, content = sealed_so(signed(world, plain_pdf(), (330, 140, 480, 200)), world, appearance, RULES)
    roots, others = [Certificate.load(world.pki.root.der)], [Certificate.load(world.pki.issuing.der)]
    reader = PdfFileReader(io.BytesIO(content), strict=True)
    for signature in reader.embedded_signatures:
        status = validate_pdf_signature(signature, ValidationContext(roots, other_certs=others, moment=NOW))
        assert status.bottom_line


@pytest.mark.skipif(
    subprocess.run(("which", "pdfsig"), capture_output=True, check=False).returncode != 0,
    reason="poppler-utils is not installed: no other reader of signatures is at hand",
)
@pytest.mark.parametrize("appearance", [PLACED, Appearance(text=TEXT)], ids=["image", "text"])
def test_pdfsig_accepts_the_visible_seal(appearance: Appearance, world: World, tmp_path: Path) -> None:
    _, content = sealed_so(signed(world, plain_pdf(), (330, 140, 480, 200)), world, appearance, RULES)
    (tmp_path / "a.pdf").write_bytes(content)
    told = subprocess.run(
        ("pdfsig", "-nocert", "a.pdf"), cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert told.count("Signature is Valid.") == 2
    assert "Total document signed" in told


def test_the_image_is_decoded_once(world: World) -> None:
    pdf_image.seal_image.cache_clear()
    for _ in range(3):
        sealed_so(blank_pdf(), world, Appearance(image=seal_png(), place=Place(x_mm=1, y_mm=1)))
    assert pdf_image.seal_image.cache_info().misses == 1


@pytest.mark.parametrize(
    "png", [b"\x89PNG\r\n\x1a\nno", b"GIF89a", seal_png()[:80]], ids=["hollow", "other format", "cut off"]
)
def test_an_image_that_is_no_png_is_named(png: bytes, world: World) -> None:
    with pytest.raises(EdocError, match="SEAL_IMAGE_UNFIT"):
        sealed_so(blank_pdf(), world, Appearance(image=png, place=Place(x_mm=1, y_mm=1)))
