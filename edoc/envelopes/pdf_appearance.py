"""The look of a seal on the page: the agency's image beside a person's signature, or a line of text at the top right.

Rules (Decree 30/2020, Annex I): the image has its real size and covers about a third of the person's signature, on its
left; on separate attachments and copies there is black upright text of 10 points in place of it, at the top right of
page 1.  Both stand upright and in place as a reader shows the page, turned or cropped as it may be.  Where an image has
no place, the seal is invisible, and a note says why.

Does not sign, and does not choose between image and text: :mod:`edoc.exchange.attachments` does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name

from edoc.envelopes.pdf_image import seal_image
from edoc.envelopes.pdf_pages import Page, Rectangle, page_at, place_of
from edoc.envelopes.pdf_reading import PdfObject
from edoc.envelopes.pdf_text import LINE_POINTS, POINTS, add_font, drawn, fitted, unknown_letters, width_of
from edoc.model.appearance import Appearance

_COVERED: Final = 1 / 3
_RIGHT_MM: Final = 15.0  # the narrowest margin that the decree allows on the right
_TOP_MM: Final = 8.0
_EDGE_MM: Final = 5.0  # of a page too narrow for margins

# The form is turned against the page's own turn, so that it stands upright (ISO 32000-1, 12.5.5, algorithm 8.1).
_MATRICES: Final = {90: (0, 1, -1, 0, 0, 0), 180: (-1, 0, 0, -1, 0, 0), 270: (0, -1, 1, 0, 0, 0)}

NO_IMAGE: Final = "the seal is invisible: no image of it is configured"
NO_PLACE: Final = "the seal is invisible: no signature of a person is shown, and no place is configured for its image"
NO_PAGE: Final = "the seal is invisible: the PDF has no such page as is configured for its image"
NO_ROOM: Final = "the seal is invisible: the page is too small for it"
CERTIFIED: Final = "the seal is invisible: an earlier signature certifies the PDF and leaves no room for a visible one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What a widget shows: on which page, where in user space, and the form that draws it."""

    page: Page
    rectangle: Rectangle
    size: tuple[float, float]  # upright
    content: bytes
    resource: tuple[str, str, Callable[[PdfObject], PdfObject]]  # kind, name, and what adds it to a revision


def design(
    reader: PdfObject, appearance: Appearance, signatures: Sequence[PdfObject]
) -> tuple[Drawing | None, tuple[str, ...]]:
    """Return what to draw, and notes.

    `signatures` are the fields that may be a person's signature, the likeliest first.  Raises EdocError
    SEAL_IMAGE_UNFIT, and what pyHanko raises on broken pages.
    """
    if appearance.text:
        return _text(reader, appearance.text)
    if not appearance.image:
        return None, (NO_IMAGE,)
    return _image(reader, appearance, signatures)


def _image(
    reader: PdfObject, appearance: Appearance, signatures: Sequence[PdfObject]
) -> tuple[Drawing | None, tuple[str, ...]]:
    image = seal_image(appearance.image)
    beside = next(filter(None, (place_of(reader, field) for field in signatures)), None)
    place = appearance.place
    if beside is not None:
        page, (left, top, right, bottom) = beside
        width = page.length(appearance.image_width_mm)
        height = width * image.aspect
        corner = (left + (right - left) * _COVERED - width, (top + bottom - height) / 2)
    elif place is not None:
        found = page_at(reader, place.page)
        if found is None:
            return None, (NO_PAGE,)
        page = found
        width = page.length(appearance.image_width_mm)
        height = width * image.aspect
        corner = (page.length(place.x_mm), page.length(place.y_mm))
    else:
        return None, (NO_PLACE,)
    content = b"%s 0 0 %s 0 0 cm /Seal Do" % (_number(width), _number(height))
    return _drawing(page, corner, (width, height), content, ("/XObject", "/Seal", image.add_to))


def _text(reader: PdfObject, text: str) -> tuple[Drawing | None, tuple[str, ...]]:
    page = page_at(reader, 1)
    if page is None:
        return None, (NO_PAGE,)
    points = 1 / page.unit
    margin, edge = page.length(_RIGHT_MM), page.length(_EDGE_MM)
    lines = fitted(text, (page.size[0] - margin - edge) / points)
    width = max(map(width_of, lines)) * points
    height = len(lines) * LINE_POINTS * points
    corner = (page.size[0] - margin - width, page.length(_TOP_MM))
    content = drawn(lines, POINTS * points, (width, height))
    drawing, notes = _drawing(page, corner, (width, height), content, ("/Font", "/F", lambda to: add_font(to, lines)))
    lacking = unknown_letters(lines)
    return drawing, (*notes, f"the font of the text block lacks “{lacking}”") if lacking else notes


def _drawing(
    page: Page,
    corner: tuple[float, float],
    size: tuple[float, float],
    content: bytes,
    resource: tuple[str, str, Callable[[PdfObject], PdfObject]],
) -> tuple[Drawing | None, tuple[str, ...]]:
    """Return the drawing at `corner` as shown, moved onto the page where it would stick out."""
    if size[0] > page.size[0] or size[1] > page.size[1]:
        return None, (NO_ROOM,)
    left = min(max(corner[0], 0.0), page.size[0] - size[0])
    top = min(max(corner[1], 0.0), page.size[1] - size[1])
    rectangle = page.user((left, top, left + size[0], top + size[1]))
    return Drawing(page=page, rectangle=rectangle, size=size, content=content, resource=resource), ()


def add_appearance(writer: PdfObject, field: PdfObject, drawing: Drawing) -> None:
    """Give the widget `field` its rectangle and its normal appearance."""
    kind, name, add = drawing.resource
    width, height = drawing.size
    named = generic.DictionaryObject({pdf_name(name): add(writer)})
    form = {
        pdf_name("/Type"): pdf_name("/XObject"),
        pdf_name("/Subtype"): pdf_name("/Form"),
        pdf_name("/BBox"): _numbers((0, 0, width, height)),
        pdf_name("/Resources"): generic.DictionaryObject({pdf_name(kind): named}),
    }
    if drawing.page.turn:
        form[pdf_name("/Matrix")] = _numbers(_MATRICES[drawing.page.turn])
        characteristics = {pdf_name("/R"): generic.NumberObject(drawing.page.turn)}
        field[pdf_name("/MK")] = generic.DictionaryObject(characteristics)
    stream = generic.StreamObject(form, stream_data=b"q " + drawing.content + b" Q")
    field[pdf_name("/Rect")] = _numbers(drawing.rectangle)
    field[pdf_name("/AP")] = generic.DictionaryObject({pdf_name("/N"): writer.add_object(stream)})


def _numbers(values: Sequence[float]) -> PdfObject:
    return generic.ArrayObject([generic.FloatObject(_number(value).decode()) for value in values])


def _number(value: float) -> bytes:
    return f"{value:.3f}".rstrip("0").rstrip(".").encode()
