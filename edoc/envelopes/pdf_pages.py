"""Pages of a PDF as a reader shows them: crop box, rotation, unit; and where on them a field is.

Rules: a reader shows the crop box, turned clockwise by Rotate; a unit of user space is UserUnit/72 inch (ISO 32000-1,
7.7.3.3, 14.11.2; ISO 32000-2, 8.3.2.3).  “Shown” coordinates start at the top left corner of what the reader shows, to
the right and down, in units of user space.  The page tree is walked within a budget, from the near end.

Does not draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeAlias

from pyhanko.pdf_utils import generic

from edoc.envelopes.pdf_reading import MAX_DEPTH, PdfObject, entry, items

MAX_PAGES: Final = 5000
"""How many pages are looked through."""

_INHERITED: Final = ("/MediaBox", "/CropBox", "/Rotate")
_A4: Final = (0.0, 0.0, 595.276, 841.89)
_HIDDEN: Final = 0b100010  # annotation flags Hidden and NoView (ISO 32000-1, table 165)

Rectangle: TypeAlias = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: `reference` is pyHanko's, `box` what is shown of user space, `turn` 0, 90, 180 or 270 clockwise."""

    reference: PdfObject
    box: Rectangle
    turn: int
    unit: float  # of 1/72 inch

    @property
    def size(self) -> tuple[float, float]:
        """Return width and height as shown."""
        width, height = self.box[2] - self.box[0], self.box[3] - self.box[1]
        return (height, width) if self.turn in {90, 270} else (width, height)

    def length(self, millimetres: float) -> float:
        """Return a length on paper in units of user space."""
        return millimetres / 25.4 * 72 / self.unit

    def shown(self, rectangle: Rectangle) -> Rectangle:
        """Return left, top, right, bottom as shown of a rectangle in user space."""
        left, bottom, right, top = self.box
        x1, y1, x2, y2 = rectangle
        match self.turn:
            case 90:
                corners = ((y1 - bottom, x1 - left), (y2 - bottom, x2 - left))
            case 180:
                corners = ((right - x1, y1 - bottom), (right - x2, y2 - bottom))
            case 270:
                corners = ((top - y1, right - x1), (top - y2, right - x2))
            case _:
                corners = ((x1 - left, top - y1), (x2 - left, top - y2))
        return _ordered(*corners[0], *corners[1])

    def user(self, shown: Rectangle) -> Rectangle:
        """Return the rectangle of user space that is shown at left, top, right, bottom."""
        left, bottom, right, top = self.box
        u1, v1, u2, v2 = shown
        match self.turn:
            case 90:
                corners = ((left + v1, bottom + u1), (left + v2, bottom + u2))
            case 180:
                corners = ((right - u1, bottom + v1), (right - u2, bottom + v2))
            case 270:
                corners = ((right - v1, top - u1), (right - v2, top - u2))
            case _:
                corners = ((left + u1, top - v1), (left + u2, top - v2))
        return _ordered(*corners[0], *corners[1])


def pages(reader: PdfObject, *, last_first: bool = False) -> Iterator[Page]:
    """Yield the pages in order, or from the last to the first; at most as many nodes as the budget allows."""
    pending: list[tuple[PdfObject, dict[str, PdfObject], int]] = [(reader.root.raw_get("/Pages"), {}, 0)]
    for _ in range(2 * MAX_PAGES):
        if not pending:
            return
        reference, above, depth = pending.pop()
        node = reference.get_object()
        if not isinstance(node, generic.DictionaryObject) or depth > MAX_DEPTH:
            continue
        attributes = above | {key: node[key] for key in _INHERITED if key in node}
        kids = entry(node, "/Kids")
        if not isinstance(kids, generic.ArrayObject):
            if isinstance(reference, generic.IndirectObject):
                yield _page(reference, node, attributes)
            continue
        # The near end only: a tree may be one list of 50,000 kids.
        plain = list(kids)  # the references; an index of pyHanko's array would resolve them
        near = plain[-MAX_PAGES:] if last_first else plain[:MAX_PAGES][::-1]
        pending.extend((kid, attributes, depth + 1) for kid in near)


def page_at(reader: PdfObject, number: int) -> Page | None:
    """Return the page `number` (from 1, 0 is the last), None when there is none within the budget."""
    if number == 0:
        return next(pages(reader, last_first=True), None)
    return next(islice(pages(reader), number - 1, None), None)


def place_of(reader: PdfObject, field: PdfObject) -> tuple[Page, Rectangle] | None:
    """Return the page of a field's first visible widget and the rectangle as shown; None for an invisible field."""
    for widget in (field, *items(entry(field, "/Kids"))):
        rectangle = _visible(widget)
        page = None if rectangle is None else _page_of(reader, widget)
        if rectangle is not None and page is not None:
            return page, page.shown(rectangle)
    return None


def _visible(widget: PdfObject) -> Rectangle | None:
    if not isinstance(widget, generic.DictionaryObject) or int(entry(widget, "/F", 0)) & _HIDDEN:
        return None
    rectangle = _rectangle(entry(widget, "/Rect"))
    return rectangle if rectangle and rectangle[2] - rectangle[0] >= 1 and rectangle[3] - rectangle[1] >= 1 else None


def _page_of(reader: PdfObject, widget: PdfObject) -> Page | None:
    """Return the widget's page: P says it, but may be left out; then the pages' own lists do."""
    stated = widget.raw_get("/P") if "/P" in widget else None
    if isinstance(stated, generic.IndirectObject) and isinstance(stated.get_object(), generic.DictionaryObject):
        return _page_itself(stated)
    own = getattr(widget, "container_ref", None)
    for page in pages(reader, last_first=True):
        annotations = entry(page.reference.get_object(), "/Annots")
        if isinstance(annotations, generic.ArrayObject) and any(
            isinstance(one, generic.IndirectObject) and one.reference == own for one in annotations
        ):
            return page
    return None


def _page_itself(reference: PdfObject) -> Page:
    """Return a page by its reference; what it inherits is found upwards."""
    node = page = reference.get_object()
    attributes: dict[str, PdfObject] = {}
    for _ in range(MAX_DEPTH):
        attributes = {key: node[key] for key in _INHERITED if key in node} | attributes
        node = entry(node, "/Parent")
        if not isinstance(node, generic.DictionaryObject):
            break
    return _page(reference, page, attributes)


def _page(reference: PdfObject, node: PdfObject, attributes: Mapping[str, PdfObject]) -> Page:
    media = _rectangle(attributes.get("/MediaBox")) or _A4
    crop = _rectangle(attributes.get("/CropBox")) or media
    box = (max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3]))
    unit = entry(node, "/UserUnit", 1)
    return Page(
        reference=reference,
        box=box if box[0] < box[2] and box[1] < box[3] else media,
        turn=int(attributes.get("/Rotate", 0)) // 90 * 90 % 360,
        unit=float(unit) if float(unit) > 0 else 1.0,
    )


def _rectangle(array: PdfObject) -> Rectangle | None:
    if not isinstance(array, generic.ArrayObject) or len(array) != 4:
        return None
    x1, y1, x2, y2 = (float(one) for one in items(array))
    rectangle = _ordered(x1, y1, x2, y2)
    return rectangle if rectangle[0] < rectangle[2] and rectangle[1] < rectangle[3] else None


def _ordered(x1: float, y1: float, x2: float, y2: float) -> Rectangle:
    return (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
