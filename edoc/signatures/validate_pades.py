"""PAdES signatures: the facts of each signature in a PDF, and the reports on them.

Rules: the signature must leave out nothing but itself.  What was added later must be signatures or their validation
material; other changes make it INDETERMINATE, FORMAT_FAILURE, and the scope says which revision was signed
(EN 319 102-1, 5.2.2; ISO 32000-2, 12.8.1).  The bytes are hashed as a stream.

Does not read PDF objects: :mod:`edoc.envelopes.pdf_signatures` does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, Final

from edoc.errors import EdocError
from edoc.model.trust import TrustMaterial
from edoc.model.verdict import SignatureReport, SubIndication
from edoc.signatures.cms import read_cms, trimmed
from edoc.signatures.facts import FORMAT_CLAUSE, SignatureFacts, unreadable
from edoc.signatures.judgement import NOBODY, judge
from edoc.signatures.validate_cades import cms_facts

if TYPE_CHECKING:
    from edoc.envelopes.pdf_signatures import PdfSignature

_FORMATS: Final = {"ETSI.CAdES.detached": "PAdES", "adbe.pkcs7.detached": "PKCS#7"}
_DOCUMENT_TIMESTAMP: Final = "ETSI.RFC3161"


def pdf_reports(file: BinaryIO, path: str, material: TrustMaterial) -> tuple[SignatureReport, ...]:
    """Return the reports on all signatures of the PDF in the seekable `file`.

    Document time-stamps are no signatures and are left out.  A PDF that cannot be read at all, although it looks like
    one, is reported only when it holds the mark of a signature.
    """
    from edoc.envelopes.pdf_reading import looks_signed  # noqa: PLC0415 -- pyHanko takes 0.15 s to import
    from edoc.envelopes.pdf_signatures import read_signatures  # noqa: PLC0415 -- the same

    try:
        found = read_signatures(file)
    except EdocError as error:
        if not looks_signed(file):
            return ()
        return (judge(unreadable("PAdES", str(error)), path, NOBODY, material),)
    signatures = (one for one in found if one.kind != _DOCUMENT_TIMESTAMP)
    return tuple(judge(_facts(file, one), path, NOBODY, material) for one in signatures)


def _facts(file: BinaryIO, signature: PdfSignature) -> SignatureFacts:
    from edoc.envelopes.pdf_signatures import digest_of  # noqa: PLC0415 -- pyHanko takes 0.15 s to import

    scope = f"revision {signature.revision} of {signature.revisions}, field {signature.name}"
    form = _FORMATS.get(signature.kind)
    if form is None:
        return unreadable("PAdES", f"SubFilter {signature.kind or '(none)'} is not accepted", scope)
    if signature.problem:
        return unreadable(form, signature.problem, scope)
    try:
        cms = read_cms(trimmed(signature.contents))
    except EdocError as error:
        return unreadable(form, str(error), scope)
    facts = cms_facts(cms, lambda name: digest_of(file, signature.byte_range, name), form=form, scope=scope)
    if signature.later:
        sub = SubIndication.FORMAT_FAILURE
        facts.findings.refused("revisions", FORMAT_CLAUSE, sub, signature.later)
    elif not signature.covers_all:
        facts.findings.passed("revisions", FORMAT_CLAUSE, "later revisions add signatures only")
    # In a PDF the time stands in M; signing-time is for the older format (EN 319 142-1, 6.3).
    return replace(facts, signing_time=signature.at or facts.signing_time)
