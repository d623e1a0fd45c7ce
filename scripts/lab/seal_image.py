"""The image of an agency's seal: a red ring with a star on a transparent ground, as offices have it as PNG.

Rules: drawn by code, so that no real agency's seal is anywhere; about 600 dots per inch at 36 mm.
Does not place it.
"""

from __future__ import annotations

import io
import math

from PIL import Image, ImageDraw

_SIDE = 850
_RED = (218, 18, 26, 255)


def make_seal_image() -> bytes:
    """Return the PNG."""
    image = Image.new("RGBA", (_SIDE, _SIDE), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    for inset, width in ((8, 22), (150, 8)):
        draw.ellipse((inset, inset, _SIDE - inset, _SIDE - inset), outline=_RED, width=width)
    middle = _SIDE / 2
    tips = [
        (
            middle + radius * math.sin(math.pi * step / 5),
            middle - radius * math.cos(math.pi * step / 5),
        )
        for step, radius in ((step, 200 if step % 2 == 0 else 77) for step in range(10))
    ]
    draw.polygon(tips, fill=_RED)
    target = io.BytesIO()
    image.save(target, "PNG", optimize=True)
    return target.getvalue()
