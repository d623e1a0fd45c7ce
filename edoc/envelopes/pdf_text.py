"""A few lines of black text, right-aligned: broken to a width, drawn, and the font object that goes with them.

Rules: Times' metrics, 10 points, upright (Decree 30/2020, Annex I).  Lines break after “;”, else between words.  The
font object names the glyphs in use, their widths and their letters, so that the text can be searched and copied
(ISO 32000-1, 9.7 and 9.10).

Does not place the block.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name

from edoc.envelopes.pdf_reading import PdfObject

if TYPE_CHECKING:
    from edoc.envelopes.pdf_font import Font

POINTS: Final = 10.0
LINE_POINTS: Final = 12.0
MAX_LINES: Final = 6
_FALLBACK: Final = "?"
_BLOCK: Final = 100  # entries in one bfchar section, the most that is allowed


def fitted(text: str, width: float) -> tuple[str, ...]:
    """Return `text` in lines of at most `width` points where its words allow it."""
    from edoc.envelopes.pdf_font import composed  # noqa: PLC0415 -- fontTools takes 0.2 s to import

    lines = _filled(composed(text).replace("; ", ";\0").split("\0"), width)
    broken = [piece for line in lines for piece in _filled(line.split(" "), width)]
    return tuple(broken[:MAX_LINES])


def _filled(pieces: Sequence[str], width: float) -> list[str]:
    """Return `pieces`, joined by spaces, in as few lines as `width` allows."""
    lines = [pieces[0]]
    for piece in pieces[1:]:
        longer = f"{lines[-1]} {piece}"
        if width_of(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(piece)
    return lines


def width_of(text: str) -> float:
    """Return the width of `text` in points."""
    from edoc.envelopes.pdf_font import font  # noqa: PLC0415 -- as above

    return font().width(text, POINTS)


def unknown_letters(lines: Sequence[str]) -> str:
    """Return the characters that the font does not have; they are drawn as a question mark."""
    from edoc.envelopes.pdf_font import font  # noqa: PLC0415 -- as above

    return font().missing("".join(lines))


def drawn(lines: Sequence[str], size: float, box: tuple[float, float]) -> bytes:
    """Return the operators that draw `lines` at `size`, right-aligned in a `box` (width, height), all in one unit."""
    from edoc.envelopes.pdf_font import font  # noqa: PLC0415 -- as above

    used = font()
    step = LINE_POINTS / POINTS * size
    first = box[1] - (step + used.cap_height / 1000 * size) / 2
    parts = [b"BT /F %.3f Tf 0 g" % size]
    for number, line in enumerate(lines):
        left = box[0] - used.width(line, size)
        glyphs = "".join(f"{used.glyphs.get(letter, used.glyphs[_FALLBACK]):04X}" for letter in line)
        parts.append(b"1 0 0 1 %.3f %.3f Tm <%s> Tj" % (left, first - number * step, glyphs.encode()))
    return b"\n".join((*parts, b"ET"))


def add_font(writer: PdfObject, lines: Sequence[str]) -> PdfObject:
    """Add the font with the letters of `lines` to a revision and return its reference."""
    from edoc.envelopes.pdf_font import NAME, font  # noqa: PLC0415 -- as above

    used = font()
    letters = {used.glyphs[letter]: letter for letter in (*"".join(lines), _FALLBACK) if letter in used.glyphs}
    descendant = {
        "/Type": pdf_name("/Font"),
        "/Subtype": pdf_name("/CIDFontType0"),
        "/BaseFont": pdf_name(f"/{NAME}"),
        "/CIDSystemInfo": _dictionary(
            {
                "/Registry": generic.pdf_string("Adobe"),
                "/Ordering": generic.pdf_string("Identity"),
                "/Supplement": generic.NumberObject(0),
            }
        ),
        "/FontDescriptor": _descriptor(writer, used),
        "/W": _widths(letters, used.widths.__getitem__),
    }
    outer = {
        "/Type": pdf_name("/Font"),
        "/Subtype": pdf_name("/Type0"),
        "/BaseFont": pdf_name(f"/{NAME}-Identity-H"),
        "/Encoding": pdf_name("/Identity-H"),
        "/DescendantFonts": generic.ArrayObject([writer.add_object(_dictionary(descendant))]),
        "/ToUnicode": writer.add_object(generic.StreamObject(stream_data=_to_unicode(letters))),
    }
    return writer.add_object(_dictionary(outer))


def _descriptor(writer: PdfObject, used: Font) -> PdfObject:
    from edoc.envelopes.pdf_font import NAME  # noqa: PLC0415 -- as above

    program = generic.StreamObject(
        {pdf_name("/Subtype"): pdf_name("/CIDFontType0C"), pdf_name("/Filter"): pdf_name("/FlateDecode")},
        encoded_data=used.program,
    )
    descriptor = {
        "/Type": pdf_name("/FontDescriptor"),
        "/FontName": pdf_name(f"/{NAME}"),
        "/Flags": generic.NumberObject(4),
        "/FontBBox": generic.ArrayObject([generic.NumberObject(edge) for edge in used.box]),
        "/ItalicAngle": generic.NumberObject(0),
        "/Ascent": generic.NumberObject(used.ascent),
        "/Descent": generic.NumberObject(used.descent),
        "/CapHeight": generic.NumberObject(used.cap_height),
        "/StemV": generic.NumberObject(84),
        "/FontFile3": writer.add_object(program),
    }
    return writer.add_object(_dictionary(descriptor))


def _dictionary(entries: dict[str, PdfObject]) -> PdfObject:
    return generic.DictionaryObject({pdf_name(key): value for key, value in entries.items()})


def _widths(letters: dict[int, str], width: Callable[[str], int]) -> PdfObject:
    array = generic.ArrayObject()
    for glyph in sorted(letters):
        array.append(generic.NumberObject(glyph))
        array.append(generic.ArrayObject([generic.NumberObject(width(letters[glyph]))]))
    return array


def _to_unicode(letters: dict[int, str]) -> bytes:
    pairs = [f"<{glyph:04X}> <{letters[glyph].encode('utf-16-be').hex().upper()}>" for glyph in sorted(letters)]
    sections = [pairs[start : start + _BLOCK] for start in range(0, len(pairs), _BLOCK)]
    body = "\n".join(f"{len(one)} beginbfchar\n" + "\n".join(one) + "\nendbfchar" for one in sections)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        f"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n{body}\n"
        "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    ).encode("ascii")
