"""PDF files, opened: one reader, and the form fields that hold signatures.

Rules: a PDF may come from anybody; pyHanko reads it, lazily, from the open file, so that memory does not grow with
it.  Fields are walked within a budget.  What pyHanko raises on a broken file leaves here as EdocError.

Does not write and does not verify.
"""

from __future__ import annotations

import errno
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final, TypeAlias

from pyhanko.pdf_utils import generic, misc
from pyhanko.pdf_utils.reader import PdfFileReader

from edoc.errors import EdocError
from edoc.errors.verification import NOT_A_PDF, PDF_BROKEN, PDF_ENCRYPTED

# pyHanko's objects carry no usable types; they are walked here and leave as our own values.
PdfObject: TypeAlias = Any

PDF_EXCEPTIONS: Final = (
    misc.PdfError,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    RecursionError,
    NotImplementedError,
    zlib.error,
)
"""What pyHanko raises on broken files, besides its own errors."""

MAX_FIELDS: Final = 5000
MAX_DEPTH: Final = 20


def open_pdf(file: BinaryIO, *, strict: bool) -> PdfObject:
    """Return a reader on the seekable `file`; EdocError NOT_A_PDF, PDF_ENCRYPTED or PDF_BROKEN."""
    file.seek(0)
    if b"%PDF-" not in file.read(1024):  # ISO 32000-1, 7.5.2; readers accept it within the first 1024 octets
        raise EdocError(NOT_A_PDF)
    with parsing():
        reader = PdfFileReader(file, strict=strict)
        encrypted = reader.encrypted
        if not encrypted:
            reader.root["/Pages"]
    if encrypted:
        raise EdocError(PDF_ENCRYPTED)
    return reader


@contextmanager
def parsing() -> Iterator[None]:
    """Turn what pyHanko raises on a broken file into EdocError PDF_BROKEN."""
    try:
        yield
    except PDF_EXCEPTIONS as error:
        raise EdocError(PDF_BROKEN, cause=f"{type(error).__name__}: {error}") from error
    except OSError as error:
        # A pointer to before the start: a file on disk answers so, one in memory with ValueError.
        if error.errno != errno.EINVAL:
            raise
        raise EdocError(PDF_BROKEN, cause=f"{type(error).__name__}: {error}") from error


def signature_fields(reader: PdfObject) -> Iterator[tuple[str, PdfObject]]:
    """Yield (qualified name, field) of every signature field that has a value (ISO 32000-1, 12.7.3 and 12.8)."""
    form = entry(reader.root, "/AcroForm")
    if form is None:
        return
    budget = MAX_FIELDS
    pending = [(field, "", "", 0) for field in reversed(items(entry(form, "/Fields")))]
    while pending:
        field, prefix, kind, depth = pending.pop()
        budget -= 1
        if budget < 0 or depth > MAX_DEPTH:
            raise EdocError(PDF_BROKEN, cause="too many form fields")
        if not isinstance(field, generic.DictionaryObject):
            continue
        name = ".".join(part for part in (prefix, str(entry(field, "/T", ""))) if part)
        kind = str(entry(field, "/FT", kind))
        if kind == "/Sig" and "/V" in field:
            yield name, field
        pending.extend((kid, name, kind, depth + 1) for kid in reversed(items(entry(field, "/Kids"))))


def all_field_names(reader: PdfObject) -> frozenset[str]:
    """Return the names of the top fields of the form."""
    form = entry(reader.root, "/AcroForm")
    fields = [] if form is None else items(entry(form, "/Fields"))
    return frozenset(str(entry(field, "/T", "")) for field in fields if isinstance(field, generic.DictionaryObject))


def entry(dictionary: PdfObject, key: str, default: PdfObject = None) -> PdfObject:
    """Return a value of `dictionary`, resolved (the dictionaries' own ``get`` does not resolve references)."""
    if key not in dictionary:
        return default
    return dictionary[key]


def items(array: PdfObject) -> list[PdfObject]:
    """Return the elements of an array, each resolved; nothing for what is no array."""
    return [one.get_object() for one in array] if isinstance(array, generic.ArrayObject) else []


def looks_signed(file: BinaryIO) -> bool:
    """Say whether the file holds “/ByteRange” anywhere, looking at it piece by piece."""
    file.seek(0)
    carried = b""
    while piece := file.read(1024 * 1024):
        if b"/ByteRange" in carried + piece:
            return True
        carried = piece[-10:]
    return False
