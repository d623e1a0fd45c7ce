"""PDF revisions: room for one more seal at the end of a file, nothing before it touched.

Rules: incremental update only, so that earlier signatures stay good.  The seal is a signature field, SubFilter
ETSI.CAdES.detached, with the time in M (EN 319 142-1, 6.3); how it looks is drawn in the same revision.  The file is
copied as a stream; memory does not grow with it.  A seal of the same certificate is left as it is; so is a PDF whose
earlier signature forbids another.  A PDF that a strict reader refuses is repaired first, when nobody has signed it.

Does not sign and does not draw: :mod:`edoc.envelopes.pdf_appearance` draws.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import BinaryIO, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from edoc.envelopes.pdf_appearance import CERTIFIED, Drawing, add_appearance, design
from edoc.envelopes.pdf_pages import page_at
from edoc.envelopes.pdf_reading import (
    PdfObject,
    all_field_names,
    entry,
    items,
    looks_signed,
    open_pdf,
    parsing,
    signature_fields,
)
from edoc.envelopes.pdf_repair import repair
from edoc.envelopes.pdf_signatures import contents_of, digest_of, find_signature, permits_more
from edoc.errors import EdocError
from edoc.errors.verification import PDF_BROKEN
from edoc.model.appearance import NOTHING, Appearance
from edoc.model.signers import SignerKind

_CMS_BYTES: Final = 1024
"""Room in the CMS for all but certificate and names: a signature of 4096 bits, attributes, tags."""

_VIETNAM: Final = timezone(timedelta(hours=7))
_BYTE_RANGE_WIDTH: Final = 64
_REPAIRED: Final = "the PDF breaks the format's rules: it was repaired before it was sealed"
_BENT: Final = "the PDF bends the format's rules; it is signed, so it was not repaired"
_DOCUMENT_TIMESTAMP: Final = "/ETSI.RFC3161"


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfRevision:
    """A PDF with room for a seal: the SHA-256 over the byte range, and where the signature goes.

    `already_sealed`: it carries a signature by the seal's certificate.  `forbidden`: an earlier signature's DocMDP or
    FieldMDP forbids another.  In both cases nothing was written.  `signatures` were there before.
    """

    digest: bytes = b""
    contents_offset: int = 0  # of the first hexadecimal digit
    contents_digits: int = 0
    already_sealed: bool = False
    forbidden: bool = False
    signatures: int = 0
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


def _unknown(_: bytes) -> SignerKind:
    return SignerKind.UNKNOWN


def prepare_revision(  # noqa: PLR0913 -- what a seal says, how it looks, and where to write
    source: BinaryIO,
    target: BinaryIO,
    *,
    certificates: Sequence[bytes],
    name: str,
    reason: str,
    at: datetime,
    appearance: Appearance = NOTHING,
    kind_of: Callable[[bytes], SignerKind] = _unknown,
    spare: Callable[[], BinaryIO] = io.BytesIO,
) -> PdfRevision:
    """Write `source` and a revision with an empty seal to `target`; return what to sign and where it goes.

    `source` is seekable; `target` is empty and open for reading and writing.  `certificates` (DER) is the seal's, then
    those that its signature will carry besides; `name` and `reason` are shown by readers, empty ones are left out; `at`
    is aware.  `kind_of` tells from a signature's Contents whose it is; `spare` opens an empty file for a repair.
    Raises EdocError NOT_A_PDF, PDF_ENCRYPTED, PDF_BROKEN, SEAL_IMAGE_UNFIT.
    """
    facts = _Facts(
        name=name,
        reason=reason,
        at=at,
        certificate=certificates[0],
        digits=contents_digits(certificates),
        appearance=appearance,
        kind_of=kind_of,
    )
    try:
        return _prepare(open_pdf(source, strict=True), source, target, facts)
    except EdocError as error:
        if error.fault is not PDF_BROKEN:
            raise
    return _prepare_broken(source, target, facts, spare)


def _prepare_broken(source: BinaryIO, target: BinaryIO, facts: _Facts, spare: Callable[[], BinaryIO]) -> PdfRevision:
    target.seek(0)
    target.truncate()
    if looks_signed(source):
        # Many producers bend the rules, and readers show such files all the same.  A rewrite would end the signature.
        revision = _prepare(open_pdf(source, strict=False), source, target, facts)
        return replace(revision, notes=(_BENT, *revision.notes))
    with spare() as repaired:
        repair(source, repaired)
        revision = _prepare(open_pdf(repaired, strict=True), repaired, target, facts)
    return replace(revision, notes=(_REPAIRED, *revision.notes))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    name: str
    reason: str
    at: datetime
    certificate: bytes
    digits: int
    appearance: Appearance
    kind_of: Callable[[bytes], SignerKind]


def _prepare(reader: PdfObject, source: BinaryIO, target: BinaryIO, facts: _Facts) -> PdfRevision:
    with parsing():
        fields = [field for _, field in signature_fields(reader)]
        count = sum(entry(field["/V"], "/SubFilter") != _DOCUMENT_TIMESTAMP for field in fields)
        if fields and find_signature(source, reader, facts.certificate):
            return PdfRevision(already_sealed=True, signatures=count)
        if not all(permits_more(field["/V"], field) for field in fields):
            notes = ("an earlier signature forbids further ones",)
            return PdfRevision(forbidden=True, signatures=count, notes=notes)
        drawing, remarks = _design(reader, fields, facts)
        revision = _write(reader, target, facts, drawing)
        return replace(revision, signatures=count, notes=(*_notes(reader), *remarks))


def _design(reader: PdfObject, fields: Sequence[PdfObject], facts: _Facts) -> tuple[Drawing | None, tuple[str, ...]]:
    if any(map(_certifies, fields)):
        return None, (CERTIFIED,)
    kinds = [(facts.kind_of(contents_of(field["/V"])), field) for field in fields]
    # Initials of those who drafted the document come before the signature of the one who answers for it.
    persons = [field for kind, field in reversed(kinds) if kind is SignerKind.PERSON]
    unknown = [field for kind, field in kinds if kind is SignerKind.UNKNOWN]
    return design(reader, facts.appearance, (*persons, *unknown))


def _certifies(field: PdfObject) -> bool:
    """Say whether a signature certifies the document: then a new visible field is a change (ISO 32000-2, 12.8.2.2)."""
    references = items(entry(field["/V"], "/Reference"))
    return any(str(entry(one, "/TransformMethod", "")) == "/DocMDP" for one in references)


def _notes(reader: PdfObject) -> Iterator[str]:
    form = entry(reader.root, "/AcroForm")
    if form is not None and "/XFA" in form:
        yield "the PDF holds an XFA form, which some readers show instead of its pages"


def _write(reader: PdfObject, target: BinaryIO, facts: _Facts, drawing: Drawing | None) -> PdfRevision:
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
    _add_field(writer, writer.add_object(seal), _free_name(reader), drawing)
    writer.write(target)
    size = target.tell()
    end = contents.offset + contents.digits + 2
    ranges = (0, contents.offset, end, size - end)
    target.seek(byte_range.offset)
    target.write(b"[%d %d %d %d]" % ranges)
    digest = digest_of(target, ranges, "sha256")
    return PdfRevision(digest=digest, contents_offset=contents.offset + 1, contents_digits=contents.digits)


def contents_digits(certificates: Sequence[bytes]) -> int:
    """Return how many hexadecimal digits a B-B seal with `certificates` (DER, the seal's first) needs at the most.

    The CMS holds the certificates and, twice, the name of the seal's issuer, which its certificate holds too.  No more
    room than that: readers go through the digits one by one.
    """
    return 2 * (len(certificates[0]) + sum(map(len, certificates)) + _CMS_BYTES)


def _free_name(reader: PdfObject) -> str:
    taken = all_field_names(reader)
    return next(name for name in (f"edoc-seal-{number}" for number in range(1, len(taken) + 2)) if name not in taken)


def _add_field(writer: PdfObject, seal: PdfObject, name: str, drawing: Drawing | None) -> None:
    """Add a signature field as a widget of the drawing's page, else of the first (ISO 32000-1, 12.7.4.5)."""
    shown = drawing.page if drawing is not None else page_at(writer.prev, 1)
    if shown is None:
        raise EdocError(PDF_BROKEN, cause="the PDF has no page")
    page = shown.reference
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
    if drawing is not None:
        add_appearance(writer, field, drawing)
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
