"""Signed XML that is no container: status messages and edXML documents.

Rules: the only signature that counts stands last in edXMLHeader and covers the whole document.  Placeholders and
weak algorithms are told apart by name.

Does not read what a status says: :mod:`edoc.envelopes.status` does.
"""

from __future__ import annotations

from lxml import etree

from edoc.envelopes.xml import EDXML
from edoc.errors import EdocError
from edoc.model.identifiers import OrganId, parse_organ_id
from edoc.model.trust import TrustMaterial
from edoc.model.verdict import SignatureReport
from edoc.signatures.facts import SignatureFacts, placeholder, unreadable, weak
from edoc.signatures.judgement import Expectation, judge
from edoc.signatures.recognise import misplaced, placeholders, weaknesses
from edoc.signatures.validate_xades import enveloped_facts
from edoc.signatures.xml_structure import header_of, signatures_of

MAX_SIGNATURES = 8


def xml_reports(root: etree._Element, material: TrustMaterial) -> tuple[SignatureReport, ...]:
    """Return the reports on the signatures of the parsed document `root`; the seal of its From is expected."""
    expected = Expectation(organisation=_sender(root))
    return tuple(judge(facts, "", expected, material) for facts in _facts(root))


def _facts(root: etree._Element) -> list[SignatureFacts]:
    found = placeholders(root)
    if found:
        return [placeholder(one.check, one.detail) for one in found[:MAX_SIGNATURES]]
    signatures = signatures_of(root) if header_of(root) is not None else ()
    if signatures:
        return [_signature_facts(signature) for signature in signatures[:MAX_SIGNATURES]]
    if misplaced(root):
        return [unreadable("XMLDSig", "a ds:Signature stands elsewhere than in edXMLHeader: it is not accepted")]
    return []


def _signature_facts(signature: etree._Element) -> SignatureFacts:
    """Return the facts of `signature`; one that cannot be read for its SHA-1 is weak, which is not “broken”."""
    facts = enveloped_facts(signature)
    names = weaknesses(signature)
    if facts.certificate is None and names:
        return weak(f"{', '.join(names)} is not allowed: nothing was verified")
    return facts


def _sender(root: etree._Element) -> OrganId | None:
    header = header_of(root)
    if header is None:
        return None
    found = header.findall(f"{{{EDXML}}}MessageHeader/{{{EDXML}}}From/{{{EDXML}}}OrganId")
    try:
        return parse_organ_id((found[0].text or "").strip()) if len(found) == 1 else None
    except EdocError:  # whose seal would fit is then unknown: any pinned one is asked for
        return None
