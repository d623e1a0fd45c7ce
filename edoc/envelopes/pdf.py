"""PDF revisions: room for one more seal at the end of a file, nothing before it touched.

Rules: incremental update only, so that earlier signatures stay good.  The seal is a signature field without
appearance, SubFilter ETSI.CAdES.detached, with the time in M (EN 319 142-1, 6.3).  The file is copied as a stream;
memory does not grow with it.  A seal of the same certificate is left as it is; so is a PDF whose earlier signature
forbids another.

Does not sign, and does not draw Decree 30's image of the seal: where nothing is configured to place it, the seal is
invisible, and a note says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import BinaryIO, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from edoc.envelopes.pdf_reading import (
    PDF_EXCEPTIONS,
    PdfObject,
    all_field_names,
    broken,
    entry,
    open_pdf,
    signature_fields,
)
from edoc.envelopes.pdf_signatures import digest_of, find_signature, permits_more
from edoc.errors import EdocError
from edoc.errors.verification import PDF_BROKEN

_CMS_BYTES: Final = 1024
"""Room in the CMS for all but certificate and names: a signature of 4096 bits, attributes, tags."""

_VIETNAM: Final = timezone(timedelta(hours=7))
_BYTE_RANGE_WIDTH: Final = 64
_INVISIBLE: Final = "the seal is invisible: no place is configured for its image"


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfRevision:
    """A PDF with room for a seal: the SHA-256 over the byte range, and where the signature goes.

    `already_sealed`: it carries a signature by the seal's certificate.  `forbidden`: an earlier signature's DocMDP or
    FieldMDP forbids another.  In both cases nothing was written.
    """

    digest: bytes = b""
    contents_offset: int = 0  # of the first hexadecimal digit
    contents_digits: int = 0
    already_sealed: bool = False
    forbidden: bool = False
    notes: tuple[str, ...] = ()


class _Contents(generic.PdfObject):  # type: ignore[misc]  # pyHanko has no types
    """The place of the signature: zeros in hexadecimal; it remembers where it was written."""

    def __init__(self, digits: int) -> None:
        self.digits = digits
        self.offset = 0

    def write_to_stream(self, stream: BinaryIO, handler: object = None, container_ref: object = None) -> None:  # noqa: ARG002 -- pyHanko's interface
        self.offset = stream.tell()
        stream.write(b"<" + b"0" * self.digits + b">")


class _ByteRange(generic.PdfObject):  # type: ignore[misc]  # pyHanko has no types
    """The byte range: blanks at first, filled when the file's size is known."""

    def __init__(self) -> None:
        self.offset = 0

    def write_to_stream(self, stream: BinaryIO, handler: object = None, container_ref: object = None) -> None:  # noqa: ARG002 -- pyHanko's interface
        self.offset = stream.tell()
        stream.write(b"[]".ljust(_BYTE_RANGE_WIDTH))


def prepare_revision(
    source: BinaryIO, target: BinaryIO, *, certificates: Sequence[bytes], name: str, reason: str, at: datetime
) -> PdfRevision:
    """Write `source` and a revision with an empty seal to `target`; return what to sign and where it goes.

    `source` is seekable; `target` is empty and open for reading and writing.  `certificates` (DER) is the seal's, then
    those that its signature will carry besides; `name`
    and `reason` are shown by readers, empty ones are left out; `at` is aware.
    Raises EdocError NOT_A_PDF, PDF_ENCRYPTED, PDF_BROKEN.
    """
    facts = _Facts(name=name, reason=reason, at=at, digits=contents_digits(certificates))
    try:
        return _prepare(open_pdf(source, strict=True), source, target, certificates[0], facts)
    except EdocError as error:
        if error.fault is not PDF_BROKEN:
            raise
    # Many producers bend the rules, and readers show such files all the same.
    target.seek(0)
    target.truncate()
    revision = _prepare(open_pdf(source, strict=False), source, target, certificates[0], facts)
    return replace(revision, notes=("the PDF bends the format's rules", *revision.notes))


def _prepare(reader: PdfObject, source: BinaryIO, target: BinaryIO, certificate: bytes, facts: _Facts) -> PdfRevision:
    try:
        if _is_signed(reader) and find_signature(source, certificate):
            return PdfRevision(already_sealed=True)
        if not all(permits_more(field["/V"], field) for _, field in signature_fields(reader)):
            return PdfRevision(forbidden=True, notes=("an earlier signature forbids further ones",))
        return _write(reader, target, facts, (*_notes(reader), _INVISIBLE))
    except PDF_EXCEPTIONS as error:
        raise broken(error) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    name: str
    reason: str
    at: datetime
    digits: int


def _is_signed(reader: PdfObject) -> bool:
    return next(signature_fields(reader), None) is not None


def _notes(reader: PdfObject) -> Iterator[str]:
    form = entry(reader.root, "/AcroForm")
    if form is not None and "/XFA" in form:
        yield "the PDF holds an XFA form, which some readers show instead of its pages"


def _write(reader: PdfObject, target: BinaryIO, facts: _Facts, notes: tuple[str, ...]) -> PdfRevision:
    writer = IncrementalPdfFileWriter.from_reader(reader)
    contents, byte_range = _Contents(facts.digits), _ByteRange()
    seal = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Sig"),
            pdf_name("/Filter"): pdf_name("/Adobe.PPKLite"),
            pdf_name("/SubFilter"): pdf_name("/ETSI.CAdES.detached"),
            pdf_name("/ByteRange"): byte_range,
            pdf_name("/Contents"): contents,
            pdf_name("/M"): generic.pdf_date(facts.at.astimezone(_VIETNAM)),
        }
    )
    for key, text in (("/Name", facts.name), ("/Reason", facts.reason)):
        if text:
            seal[pdf_name(key)] = generic.pdf_string(text)
    _add_field(writer, writer.add_object(seal), _free_name(reader))
    writer.write(target)
    size = target.tell()
    end = contents.offset + contents.digits + 2
    ranges = (0, contents.offset, end, size - end)
    target.seek(byte_range.offset)
    target.write(b"[%d %d %d %d]" % ranges)
    digest = digest_of(target, ranges, "sha256")
    return PdfRevision(digest=digest, contents_offset=contents.offset + 1, contents_digits=contents.digits, notes=notes)


def contents_digits(certificates: Sequence[bytes]) -> int:
    """Return how many hexadecimal digits a B-B seal with `certificates` (DER, the seal's first) needs at the most.

    The CMS holds the certificates and, twice, the name of the seal's issuer, which its certificate holds too.  No more
    room than that: readers go through the digits one by one.
    """
    return 2 * (len(certificates[0]) + sum(map(len, certificates)) + _CMS_BYTES)


def _free_name(reader: PdfObject) -> str:
    taken = all_field_names(reader)
    return next(name for name in (f"edoc-seal-{number}" for number in range(1, len(taken) + 2)) if name not in taken)


def _add_field(writer: PdfObject, seal: PdfObject, name: str) -> None:
    """Add a signature field without appearance, as a widget of the first page (ISO 32000-1, 12.7.4.5)."""
    page, _ = writer.find_page_for_modification(0)
    field = generic.DictionaryObject(
        {
            pdf_name("/FT"): pdf_name("/Sig"),
            pdf_name("/T"): generic.pdf_string(name),
            pdf_name("/V"): seal,
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/Widget"),
            pdf_name("/Rect"): generic.ArrayObject([generic.NumberObject(0)] * 4),
            pdf_name("/F"): generic.NumberObject(132),  # print, locked
            pdf_name("/P"): page,
        }
    )
    reference = writer.add_object(field)
    writer.register_annotation(page, reference)
    _register(writer, reference)


def _register(writer: PdfObject, field: PdfObject) -> None:
    """Put the field into the form and mark the form as signed (SigFlags 3: signatures exist, append only)."""
    root = writer.root
    if "/AcroForm" not in root:
        form = generic.DictionaryObject({pdf_name("/Fields"): generic.ArrayObject([field])})
        form[pdf_name("/SigFlags")] = generic.NumberObject(3)
        root[pdf_name("/AcroForm")] = writer.add_object(form)
        writer.update_root()
        return
    form = root["/AcroForm"]
    # The form, and its list of fields, may be direct objects or objects of their own: mark whatever holds them.
    if "/Fields" in form:
        fields = form["/Fields"]  # follows a reference, as setdefault would not
        fields.append(field)
        writer.update_container(fields)
    else:
        form[pdf_name("/Fields")] = generic.ArrayObject([field])
    form[pdf_name("/SigFlags")] = generic.NumberObject(3)
    writer.update_container(form)
