"""Repair of PDFs that a strict reader refuses, before they are sealed: pikepdf (qpdf) writes them anew.

Rules: only a PDF that carries no signature is repaired, because the repair is a rewrite.  What is on the pages stays:
streams are copied as they are.  A file that was cut off is not repaired: half a document must not get a seal.  An
encrypted one is refused; qpdf would open it with an empty password and write it in the clear.

Does not look at a PDF that a strict reader takes.
"""

from __future__ import annotations

from typing import BinaryIO, Final

import pikepdf

from edoc.errors import EdocError
from edoc.errors.verification import PDF_BROKEN, PDF_ENCRYPTED

MAX_PAGES: Final = 100_000
_TAIL: Final = 4096

_EXCEPTIONS: Final = (
    pikepdf.PdfError,
    pikepdf.PasswordError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    RuntimeError,
    NotImplementedError,
    OSError,
)


def repair(source: BinaryIO, target: BinaryIO) -> None:
    """Write the PDF in the seekable `source` anew to `target`; EdocError PDF_ENCRYPTED, PDF_BROKEN."""
    size = source.seek(0, 2)
    source.seek(max(0, size - _TAIL))
    if b"%%EOF" not in source.read(_TAIL):
        raise EdocError(PDF_BROKEN, cause="the file has no end: it was cut off")
    source.seek(0)
    try:
        with pikepdf.open(source, suppress_warnings=True, attempt_recovery=True) as pdf:
            if pdf.is_encrypted:
                raise EdocError(PDF_ENCRYPTED)
            _check(pdf)
            pdf.save(
                target,
                compress_streams=False,
                stream_decode_level=pikepdf.StreamDecodeLevel.none,
                object_stream_mode=pikepdf.ObjectStreamMode.disable,
            )
    except pikepdf.PasswordError as error:
        raise EdocError(PDF_ENCRYPTED) from error
    except _EXCEPTIONS as error:
        raise EdocError(PDF_BROKEN, cause=f"{type(error).__name__}: {error}") from error


def _check(pdf: pikepdf.Pdf) -> None:
    """Refuse what has lost pages or their content.

    A page without content is refused too, empty as it may have been: where an object is missing, qpdf has nothing, and
    does not tell it from what was never there.
    """
    stated = int(pdf.Root.Pages.get("/Count", 0))
    found = len(pdf.pages)
    if found == 0 or found != stated:
        raise EdocError(PDF_BROKEN, cause=f"{found} pages are left of {stated}")
    if found > MAX_PAGES:
        raise EdocError(PDF_BROKEN, cause=f"{found} pages, at most {MAX_PAGES}")
    for number, page in enumerate(pdf.pages, 1):
        content = page.obj.get("/Contents")
        pieces = list(content) if isinstance(content, pikepdf.Array) else [content]
        if not all(isinstance(piece, pikepdf.Stream) for piece in pieces):
            raise EdocError(PDF_BROKEN, cause=f"the content of page {number} is lost")
