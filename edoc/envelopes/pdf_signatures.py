"""Signatures in a PDF, as they stand: octets, ranges and revisions, not yet believed.

Rules: a byte range has two parts, starts at 0, and leaves out exactly one hexadecimal string, the signature's own
Contents: anything else could hide text.  What was added after a signed revision is compared object by object; only
further signatures and their validation material are harmless.

Does not parse the CMS: :mod:`edoc.signatures.validate_pades` does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, Final

from pyhanko.pdf_utils import generic

from edoc.envelopes.pdf_reading import PDF_EXCEPTIONS, PdfObject, entry, items, open_pdf, parsing, signature_fields
from edoc.errors import EdocError
from edoc.errors.verification import PDF_BROKEN

MAX_SIGNATURES: Final = 64
MAX_CONTENTS: Final = 4 * 1024 * 1024
_PIECE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfSignature:
    """One signature: `problem` says why its place cannot be accepted, `later` what was changed after it."""

    name: str  # of the field
    kind: str  # SubFilter without the slash
    contents: bytes = field(repr=False)
    byte_range: tuple[int, int, int, int]
    revision: int  # from 1
    revisions: int
    at: datetime | None  # the M entry
    permits_more: bool  # False: its DocMDP or FieldMDP forbids another signature
    problem: str = ""
    later: str = ""

    @property
    def covers_all(self) -> bool:
        """Say whether nothing follows the signed revision."""
        return self.revision == self.revisions and not self.later


def read_signatures(file: BinaryIO) -> tuple[PdfSignature, ...]:
    """Return the signatures of the PDF in the seekable `file`; EdocError NOT_A_PDF, PDF_ENCRYPTED, PDF_BROKEN.

    Files that bend the format's rules are read as well, as long as the signed revision is the last one: then every
    octet is signed, and how to read them is no longer the question.
    """
    try:
        return _read(file, strict=True)
    except EdocError as error:
        if error.fault is not PDF_BROKEN:
            raise
    return _read(file, strict=False)


def _read(file: BinaryIO, *, strict: bool) -> tuple[PdfSignature, ...]:
    return _signatures(file, open_pdf(file, strict=strict))


def _signatures(file: BinaryIO, reader: PdfObject) -> tuple[PdfSignature, ...]:
    with parsing():
        fields = list(signature_fields(reader))[:MAX_SIGNATURES]
        return tuple(_signature(file, reader, name, one) for name, one in fields)


def digest_of(file: BinaryIO, byte_range: tuple[int, int, int, int], algorithm: str) -> bytes:
    """Return the digest of the two parts of `file` that `byte_range` names (ISO 32000-1, 12.8.1)."""
    hasher = hashlib.new(algorithm)
    for piece in _pieces(file, byte_range):
        hasher.update(piece)
    return hasher.digest()


def _pieces(file: BinaryIO, byte_range: tuple[int, int, int, int]) -> Iterator[bytes]:
    for start, size in (byte_range[:2], byte_range[2:]):
        file.seek(start)
        left = size
        while left > 0 and (piece := file.read(min(left, _PIECE))):
            left -= len(piece)
            yield piece


def _signature(file: BinaryIO, reader: PdfObject, name: str, holder: PdfObject) -> PdfSignature:
    value = holder["/V"]
    numbers = tuple(int(number) for number in value["/ByteRange"])
    octets = contents_of(value)
    size = file.seek(0, 2)
    problem = _place_problem(file, numbers, octets, size)
    byte_range = (0, 0, 0, 0) if len(numbers) != 4 else (numbers[0], numbers[1], numbers[2], numbers[3])
    complete = byte_range[2] + byte_range[3] == size
    revisions = int(reader.xrefs.total_revisions)
    revision = revisions if complete else int(reader.xrefs.get_last_change(holder.raw_get("/V").reference)) + 1
    return PdfSignature(
        name=name,
        kind=str(entry(value, "/SubFilter", "")).lstrip("/"),
        contents=octets,
        byte_range=byte_range,
        revision=revision,
        revisions=revisions,
        at=_moment(entry(value, "/M")),
        permits_more=permits_more(value, holder),
        problem=problem,
        later="" if problem or complete else _later_changes(reader, holder, name, revision == revisions),
    )


def contents_of(value: PdfObject) -> bytes:
    """Return the Contents of the signature `value`, padding and all."""
    contents = value.raw_get("/Contents", decrypt=generic.EncryptedObjAccess.RAW)
    return bytes(contents if isinstance(contents, bytes) else contents.original_bytes)


def _place_problem(file: BinaryIO, numbers: tuple[int, ...], contents: bytes, size: int) -> str:
    """Return why the byte range does not leave out exactly the Contents string, or an empty text."""
    if len(numbers) != 4 or numbers[0] != 0 or min(numbers) < 0:
        return "the byte range is not two parts from the start"
    _, first, second, rest = numbers
    if second <= first or second + rest > size:
        return "the byte range reaches beyond the file"
    if second - first > 2 * MAX_CONTENTS + 2 or len(contents) > MAX_CONTENTS:
        return "the place of the signature is too large"
    file.seek(first)
    gap = file.read(second - first)
    try:
        plain = gap[:1] == b"<" and gap[-1:] == b">" and bytes.fromhex(gap[1:-1].decode("ascii")) == contents
    except ValueError:  # also what is not ASCII
        plain = False
    return "" if plain else "the byte range leaves out something else than the signature"


def permits_more(value: PdfObject, holder: PdfObject) -> bool:
    """Say whether the signature `value` in the field `holder` allows another (ISO 32000-2, 12.8.2.2, 12.8.2.4)."""
    for reference in items(entry(value, "/Reference")):
        parameters = entry(reference, "/TransformParams", {})
        method = str(entry(reference, "/TransformMethod", ""))
        if method == "/DocMDP" and int(entry(parameters, "/P", 2)) == 1:
            return False
        if method == "/FieldMDP" and not _leaves_new_fields(parameters):
            return False
    lock = entry(holder, "/Lock", {})
    return not lock or (int(entry(lock, "/P", 2)) != 1 and _leaves_new_fields(lock))


def _leaves_new_fields(parameters: PdfObject) -> bool:
    """Say whether a field that is not there yet stays free: All locks it, Exclude locks what it does not name."""
    return str(entry(parameters, "/Action", "/Include")) == "/Include"


def _moment(stated: PdfObject) -> datetime | None:
    if stated is None:
        return None
    try:
        moment: datetime = generic.parse_pdf_date(str(stated), strict=False)
    except PDF_EXCEPTIONS:
        return None
    return moment if moment.tzinfo is not None else None


def _later_changes(reader: PdfObject, holder: PdfObject, name: str, last: bool) -> str:
    """Return what was done after the signed revision besides adding signatures and validation material."""
    if last:  # no revision follows, and yet the signed octets end before the file
        return "octets after the signed revision"
    if not reader.strict:
        return "the file bends the format's rules: later revisions cannot be compared"
    from pyhanko.sign import diff_analysis as diff  # noqa: PLC0415 -- 0.2 s to import, for PDFs that grew after signing
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature  # noqa: PLC0415 -- the same

    harmless = diff.ModificationLevel.LTA_UPDATES
    policy = diff.StandardDiffPolicy(
        global_rules=[
            diff.CatalogModificationRule(),
            diff.DocInfoRule().as_qualified(harmless),
            diff.XrefStreamRule().as_qualified(harmless),
            diff.ObjectStreamRule().as_qualified(harmless),
            diff.DSSCompareRule().as_qualified(harmless),
            diff.MetadataUpdateRule().as_qualified(harmless),
        ],
        # Without the rule for other fields: text that is filled in later is a change.
        form_rule=diff.FormUpdatingRule(field_rules=[diff.SigFieldCreationRule(), diff.SigFieldModificationRule()]),
    )
    try:
        embedded = EmbeddedPdfSignature(reader, holder, name)
        embedded.coverage = embedded.evaluate_signature_coverage()
        result = embedded.evaluate_modifications(policy)
    except PDF_EXCEPTIONS as error:
        return f"later revisions cannot be compared ({type(error).__name__})"
    return f"changed after signing: {result}" if isinstance(result, diff.SuspiciousModification) else ""


def find_signature(file: BinaryIO, reader: PdfObject, certificate: bytes) -> bool:
    """Say whether an undamaged signature that holds `certificate` (DER) covers `file`, open as `reader`, to its end.

    A quick look for the sender's side, no validation: the digest of the byte range stands in the signature.
    """
    try:
        found = _signatures(file, reader)
    except EdocError:
        return False
    unchanged = any(one.covers_all for one in found)
    return unchanged and any(
        not one.problem
        and not one.later
        and certificate in one.contents
        and digest_of(file, one.byte_range, "sha256") in one.contents
        for one in found
    )
