"""Material for visible seals: an image, pages that are turned or cropped, and what a reader shows of them.

Does not look into the PDF's structure to say what is shown: poppler renders it.
"""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fakes.sealed import NOW, World
from fakes.signer import sign_digest
from fpdf import FPDF
from PIL import Image, ImageDraw
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from edoc.envelopes.pdf import PdfRevision, prepare_revision
from edoc.model.appearance import Appearance
from edoc.model.signers import NO_RULES, SignerRules
from edoc.signatures import cades, pades
from edoc.signatures.cms import signer_kind
from edoc.signatures.creation import SealCertificate

DPI = 72

poppler = pytest.mark.skipif(
    subprocess.run(("which", "pdftoppm"), capture_output=True, check=False).returncode != 0,
    reason="poppler-utils is not installed: nothing renders the pages",
)


def seal_png(width: int = 300, height: int = 300) -> bytes:
    """Return a seal: an opaque red disc on a transparent ground, its upper half brighter than its lower."""
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((0, 0, width - 1, height - 1), fill=(255, 0, 0, 255))
    draw.rectangle((width // 3, height * 2 // 3, width * 2 // 3, height * 5 // 6), fill=(150, 0, 0, 255))
    target = io.BytesIO()
    image.save(target, "PNG")
    return target.getvalue()


def blank_pdf(
    pages: int = 1,
    *,
    turn: int = 0,
    crop: tuple[int, int, int, int] | None = None,
    unit: float = 1.0,
    inherited: bool = False,
) -> bytes:
    """Return an empty A4 PDF (595.28 × 841.89) whose pages are turned, cropped, or counted in another unit."""
    made = FPDF(format="A4")
    made.set_creation_date(NOW)
    for _ in range(pages):
        made.add_page()
    writer = IncrementalPdfFileWriter(io.BytesIO(bytes(made.output())))
    for number in range(pages):
        reference, _ = writer.find_page_for_modification(number)
        page = reference.get_object()
        holder = page["/Parent"] if inherited else page
        if turn:
            holder[pdf_name("/Rotate")] = generic.NumberObject(turn)
        if crop:
            holder[pdf_name("/CropBox")] = generic.ArrayObject([generic.NumberObject(edge) for edge in crop])
        if unit != 1:
            page[pdf_name("/UserUnit")] = generic.FloatObject(str(unit))
        writer.mark_update(page.raw_get("/Parent") if inherited else reference)
        writer.mark_update(reference)
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def sealed_so(
    content: bytes, world: World, appearance: Appearance, rules: SignerRules = NO_RULES
) -> tuple[PdfRevision, bytes]:
    """Return `content` with the agency's seal that looks like `appearance`, and what was prepared for it."""
    target = io.BytesIO()
    revision = prepare_revision(
        io.BytesIO(content),
        target,
        certificates=(world.seal.der,),
        name="UBND xã",
        reason="",
        at=NOW,
        appearance=appearance,
        kind_of=lambda contents: signer_kind(contents, rules),
    )
    if not revision.digest:
        return revision, content
    certificate = SealCertificate.read(world.seal.der)
    prepared = pades.prepare(revision.digest, certificate, certificate.algorithm)
    value = sign_digest(world.seal, prepared.algorithm, prepared.digest)
    target.seek(revision.contents_offset)
    target.write(pades.contents(cades.finish(prepared, value), revision.contents_digits))
    return revision, target.getvalue()


def shown(folder: Path, content: bytes, page: int = 1) -> Any:
    """Return page `page` of `content` as poppler shows it, one pixel per point on paper."""
    (folder / "shown.pdf").write_bytes(content)
    subprocess.run(
        ("pdftoppm", "-r", str(DPI), "-cropbox", "-f", str(page), "-l", str(page), "-singlefile", "shown.pdf", "shown"),
        cwd=folder,
        check=True,
        timeout=60,
        capture_output=True,
    )
    return Image.open(folder / "shown.ppm").convert("RGB")


def reds(image: Any, low: int = 100) -> list[tuple[int, int]]:
    """Return the red pixels (x, y)."""
    width, height = image.size
    pixels = image.load()
    return [
        (x, y)
        for y in range(height)
        for x in range(width)
        if pixels[x, y][0] >= low and pixels[x, y][1] < 80 and pixels[x, y][2] < 80
    ]


def bounds(points: list[tuple[int, int]]) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of `points`."""
    columns, rows = [x for x, _ in points], [y for _, y in points]
    return min(columns), min(rows), max(columns) + 1, max(rows) + 1
