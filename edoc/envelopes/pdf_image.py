"""The image of the seal, as a PDF holds it: decoded once, kept compressed.

Rules: PNG only, with its transparency as a soft mask (ISO 32000-1, 11.6.5.3); colours as they are.  The image is the
office's own, from its configuration; it is bounded all the same.  Kept by its octets.

Does not place it.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name

from edoc.envelopes.pdf_reading import PdfObject
from edoc.errors import EdocError
from edoc.errors.sealing import SEAL_IMAGE_UNFIT

MAX_PIXELS: Final = 4096 * 4096

_BROKEN: Final = (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error)
"""What Pillow raises on a broken PNG."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealImage:
    """An image in pixels: three octets of colour for each, one of opacity, both in zlib."""

    width: int
    height: int
    colours: bytes = field(repr=False)
    opacity: bytes = field(repr=False)

    @property
    def aspect(self) -> float:
        """Return height by width."""
        return self.height / self.width

    def add_to(self, writer: PdfObject) -> PdfObject:
        """Add the image to a revision and return its reference."""
        mask = writer.add_object(self._stream("/DeviceGray", self.opacity))
        image = self._stream("/DeviceRGB", self.colours)
        image[pdf_name("/SMask")] = mask
        return writer.add_object(image)

    def _stream(self, space: str, data: bytes) -> PdfObject:
        return generic.StreamObject(
            {
                pdf_name("/Type"): pdf_name("/XObject"),
                pdf_name("/Subtype"): pdf_name("/Image"),
                pdf_name("/Width"): generic.NumberObject(self.width),
                pdf_name("/Height"): generic.NumberObject(self.height),
                pdf_name("/ColorSpace"): pdf_name(space),
                pdf_name("/BitsPerComponent"): generic.NumberObject(8),
                pdf_name("/Filter"): pdf_name("/FlateDecode"),
            },
            encoded_data=data,
        )


@lru_cache(maxsize=4)
def seal_image(png: bytes) -> SealImage:
    """Return the image in `png`, decoded at the first call; EdocError SEAL_IMAGE_UNFIT."""
    from PIL import Image  # noqa: PLC0415 -- once per process, and only where a seal has an image

    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as opened:
            width, height = opened.size
            if width * height > MAX_PIXELS:
                raise EdocError(SEAL_IMAGE_UNFIT, detail=f"{width} × {height} pixels, at most {MAX_PIXELS} in all")
            pixels = opened.convert("RGBA")
    except (*_BROKEN, Image.DecompressionBombError) as error:
        raise EdocError(SEAL_IMAGE_UNFIT, detail="it is not a PNG image", cause=str(error)) from error
    return SealImage(
        width=width,
        height=height,
        colours=zlib.compress(pixels.convert("RGB").tobytes(), 9),
        opacity=zlib.compress(pixels.getchannel("A").tobytes(), 9),
    )
