"""How the seal on a PDF looks to a reader: the agency's image, or a line of text (Decree 30/2020, Annex I).

Rules: lengths are millimetres on paper, counted from the top left corner of the page as a reader shows it.
Does not draw and does not decide which file gets which.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

SEAL_WIDTH_MM: Final = 36.0
"""Diameter of the seal of a commune, and of most agencies; ministries have wider ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the image goes when no person's signature shows the way: its top left corner."""

    page: int = 0  # from 1; 0 is the last
    x_mm: float
    y_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """What is drawn: `text` when it is given, else `image` (PNG octets), else nothing."""

    image: bytes = field(default=b"", repr=False)
    image_width_mm: float = SEAL_WIDTH_MM
    place: Place | None = None
    text: str = ""


NOTHING: Final = Appearance()
"""An invisible seal."""
