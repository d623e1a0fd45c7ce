"""What an edXML header carries in the place of a signature, told apart by name.

Rules: signatures found in today's traffic are placeholders: the element stands in the edXML namespace, SHA-1, one
constant value, a “certificate” of eleven characters, a transform that does not exist.  A placeholder is not
“tampered”; it says nothing.

Does not verify: what could be a signature goes to ``validate_xades``.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator

from lxml import etree

from edoc.envelopes.xml import DS, local_name, namespace
from edoc.errors import EdocError
from edoc.signatures.algorithms import ENVELOPED, EXCLUSIVE_C14N, WEAK_NAMES
from edoc.signatures.certificates import read_certificate
from edoc.signatures.xml_structure import header_of


def placeholders(root: etree._Element) -> tuple[str, ...]:
    """Return a description of each placeholder signature in the header of `root`, for people."""
    header = header_of(root)
    if header is None:
        return ()
    found = [element for element in header if local_name(element) == "Signature"]
    return tuple(text for text in map(_describe, found) if text)


def misplaced(root: etree._Element) -> bool:
    """Say whether a ds:Signature stands anywhere in `root`: used when none stands where it counts."""
    return next(root.iter(f"{{{DS}}}Signature"), None) is not None


def _describe(signature: etree._Element) -> str:
    """Return what makes `signature` a placeholder, or an empty text when it may be a signature."""
    if not len(signature) and not (signature.text or "").strip():
        return "placeholder: an empty Signature element"
    wrong_namespace = namespace(signature) != DS
    certificates = list(signature.iter("{*}X509Certificate"))
    readable = any(_readable(element) for element in certificates)
    if not wrong_namespace and readable:
        return ""
    return "placeholder: " + "; ".join(_oddities(signature, wrong_namespace, certificates, readable))


def _oddities(
    signature: etree._Element, wrong_namespace: bool, certificates: list[etree._Element], readable: bool
) -> Iterator[str]:
    if wrong_namespace:
        yield f"Signature stands in the namespace {namespace(signature) or '(none)'}, not in XML-Signature's"
    for element in signature.iter("{*}SignatureMethod", "{*}DigestMethod"):
        uri = element.get("Algorithm") or ""
        if uri in WEAK_NAMES:
            yield f"weak algorithm {WEAK_NAMES[uri]}"
    for element in signature.iter("{*}Transform"):
        uri = element.get("Algorithm") or ""
        if uri not in {ENVELOPED, EXCLUSIVE_C14N}:
            yield f"unknown transform {uri[:80]}"
    if not certificates:
        yield "no certificate"
    elif not readable:
        yield f"a “certificate” of {len((certificates[0].text or '').strip())} characters that is none"


def _readable(element: etree._Element) -> bool:
    try:
        read_certificate(binascii.a2b_base64("".join((element.text or "").split())))
    except (binascii.Error, ValueError, EdocError):
        return False
    return True
