"""The font of text blocks: TeX Gyre Termes, which has the metrics of Times and every Vietnamese letter.

Rules: the font travels with the package (fonts/, with its licence); its letters of Latin and Vietnamese are cut
out once per process, as a CFF program of some 20 kB that a PDF with a text block carries.  Widths are in 1/1000 of the
font's size, as the font itself counts (1000 units per em).

Does not lay text out.
"""

from __future__ import annotations

import io
import pkgutil
import unicodedata
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from fontTools import subset
from fontTools.ttLib import TTFont

FILE: Final = "texgyretermes-regular.otf"
NAME: Final = "EDOCAA+TeXGyreTermes-Regular"
"""With the tag that marks a subset (ISO 32000-1, 9.6.4): the same letters in every file, so the same tag."""

_LETTERS: Final = (
    *range(0x20, 0x7F),
    *range(0xA0, 0x180),  # Latin-1, Latin Extended-A
    *(0x1A0, 0x1A1, 0x1AF, 0x1B0),  # Ơ ơ Ư ư
    *range(0x1EA0, 0x1EFA),  # Ạ … ỹ
    *(0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2026),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Font:
    """The cut font: glyph and advance by character, and its program, compressed."""

    glyphs: dict[str, int]
    widths: dict[str, int]
    ascent: int
    descent: int
    cap_height: int
    box: tuple[int, int, int, int]
    program: bytes = field(repr=False)  # CFF in zlib

    def width(self, text: str, size: float) -> float:
        """Return the width of `text` set at `size`, in the unit of `size`."""
        return sum(self.widths.get(letter, self.widths["?"]) for letter in text) * size / 1000

    def missing(self, text: str) -> str:
        """Return the characters of `text` that the font does not have."""
        return "".join(sorted({letter for letter in text if letter not in self.glyphs}))


def composed(text: str) -> str:
    """Return `text` as the font can show it: composed letters, plain spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


@lru_cache(maxsize=1)
def font() -> Font:
    """Return the font, cut at the first call (0.3 s)."""
    whole = TTFont(io.BytesIO(pkgutil.get_data(__name__, f"fonts/{FILE}") or b""))
    options = subset.Options()
    options.layout_features = []
    options.notdef_outline = True
    options.hinting = False  # rendered at any size: hints are half of the program
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=_LETTERS)
    cutter.subset(whole)
    names = whole.getBestCmap()
    advances = whole["hmtx"]
    head, metrics = whole["head"], whole["OS/2"]
    return Font(
        glyphs={chr(code): whole.getGlyphID(name) for code, name in names.items()},
        widths={chr(code): int(advances[name][0]) for code, name in names.items()},
        ascent=int(metrics.sTypoAscender),
        descent=int(metrics.sTypoDescender),
        cap_height=int(getattr(metrics, "sCapHeight", 0) or 662),
        box=(int(head.xMin), int(head.yMin), int(head.xMax), int(head.yMax)),
        program=zlib.compress(whole["CFF "].compile(whole), 9),
    )
