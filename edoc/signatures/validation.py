"""Validation: bytes, trust material and an instant in; verdicts out (EN 319 102-1, 5.3 and 5.5).

The steps, in order: format (5.2.2), signing certificate (5.2.3), cryptography and references (5.2.7) are *facts*;
then X.509 validation (5.2.6) with revocation (5.2.5), time-stamps (5.4), and constraints (5.2.8): algorithm, usage,
and the pin that binds the certificate to the organisation expected.  A whole file's verdict is its worst signature's.

Rules: pure.  Every failure of a parser becomes an indication, never a traceback.

Does not fetch, and does not decide what the exchange does with a verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, Final

from edoc.envelopes.status import read_status
from edoc.envelopes.xml import parse
from edoc.errors import EdocError
from edoc.model.identifiers import OrganId
from edoc.model.message import StatusReport
from edoc.model.trust import TrustMaterial
from edoc.model.verdict import SignatureReport, Verdict
from edoc.signatures.chain import warm
from edoc.signatures.cms import read_cms
from edoc.signatures.facts import unreadable
from edoc.signatures.judgement import ANY_SEAL, NOBODY, Expectation, combine, judge
from edoc.signatures.validate_cades import cms_facts
from edoc.signatures.validate_package import PackageFacts, validate_container, validate_package
from edoc.signatures.validate_pades import pdf_reports
from edoc.signatures.validate_xml import xml_reports

__all__ = [
    "PackageFacts",
    "validate_detached_cms",
    "validate_file",
    "validate_manifest",
    "validate_package",
    "validate_pdf",
    "validate_status",
    "warm",
]

MAX_STATUS: Final = 1024 * 1024
MAX_XML: Final = 256 * 1024 * 1024
MAX_CMS: Final = 16 * 1024 * 1024

_SIGNED_DATA: Final = bytes.fromhex("06092a864886f70d010702")

_NONE: Final = Verdict(indication=None, sub_indication=None, signatures=())


def validate_status(data: bytes, material: TrustMaterial) -> tuple[StatusReport, Verdict]:
    """Read and validate a status message; the seal of its From is expected.

    An unsigned one has the indication None.  Raises the EdocErrors of ``read_status``.
    """
    report = read_status(data)
    return report, combine(xml_reports(parse(data, limit=MAX_STATUS), material))


def validate_manifest(
    cms: bytes, material: TrustMaterial, sender_of: Callable[[bytes], OrganId] | None = None
) -> tuple[bytes, Verdict]:
    """Return the content that the SignedData `cms` carries, and the verdict on it.

    `sender_of` reads from the content whose seal is expected (its errors pass through); without it the seal of any
    pinned organisation will do, and the report names it.  Raises EdocError SIGNATURE_UNREADABLE.
    """
    signature = read_cms(cms)
    content = signature.content or b""
    expected = ANY_SEAL if sender_of is None else Expectation(organisation=sender_of(content))
    facts = cms_facts(signature, content, form="CAdES", scope="the content inside")
    return content, combine((judge(facts, "", expected, material),))


def validate_detached_cms(
    content: bytes, cms: bytes, material: TrustMaterial, expected: Expectation = NOBODY
) -> Verdict:
    """Validate the SignedData `cms` over `content` beside it (the directory's signature, for instance)."""
    try:
        facts = cms_facts(read_cms(cms), content, form="CAdES", scope="the file beside it")
    except EdocError as error:
        facts = unreadable("CAdES", str(error))
    return combine((judge(facts, "", expected, material),))


def validate_pdf(file: BinaryIO, material: TrustMaterial) -> Verdict:
    """Validate every signature of the PDF in the seekable `file`; none is the indication None."""
    return combine(pdf_reports(file, "", material))


def validate_file(file: BinaryIO, material: TrustMaterial) -> Verdict:
    """Validate whatever the seekable `file` is: ASiC container, PDF, edXML or XML, CMS.

    Nothing signed is the indication None.  A file that looks like one of these and cannot be read is TOTAL-FAILED,
    FORMAT_FAILURE, with the fault in its checks.
    """
    file.seek(0)
    head = file.read(1024)
    file.seek(0)
    try:
        if head.startswith(b"PK\x03\x04"):
            is_asic = head[30:38] == b"mimetype" and b"application/vnd.etsi.asic-" in head
            return validate_container(file, material) if is_asic else _NONE
        if b"%PDF-" in head:
            return validate_pdf(file, material)
        if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            return combine(xml_reports(parse(file.read(MAX_XML + 1), limit=MAX_XML, long_text=True), material))
        if head[:1] == b"\x30" and _SIGNED_DATA in head[:40]:
            return combine(_lone_cms(file.read(MAX_CMS), material))
    except EdocError as error:
        return combine((judge(unreadable("", str(error)), "", NOBODY, material),))
    return _NONE


def _lone_cms(data: bytes, material: TrustMaterial) -> tuple[SignatureReport, ...]:
    """Validate a CMS file by itself; of a detached one the content is not at hand."""
    signature = read_cms(data)
    scope = "the content inside" if signature.content is not None else "content that is not at hand"
    return (judge(cms_facts(signature, signature.content, form="CAdES", scope=scope), "", ANY_SEAL, material),)
