"""What an edXML header carries in the place of a signature, told apart by name.

Rules: signatures found in today's traffic are placeholders: the element stands in the edXML namespace, SHA-1, one
constant value, a “certificate” of eleven characters, a transform that does not exist.  A placeholder is not
“tampered”; it says nothing.  Three names: ``format.empty`` (an element without content), ``format.placeholder`` (no
certificate that could have signed), ``format.namespace`` (all that a signature needs, in a namespace where no reader
looks for one).

Does not verify: what could be a signature goes to ``validate_xades``.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from edoc.envelopes.xml import DS, local_name, namespace
from edoc.errors import EdocError
from edoc.signatures.algorithms import ENVELOPED, EXCLUSIVE_C14N, WEAK_NAMES
from edoc.signatures.certificates import read_certificate
from edoc.signatures.xml_structure import header_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """Something that stands in the place of a signature and is none: the id of the check, and why, for people."""

    check: str
    detail: str


def placeholders(root: etree._Element) -> tuple[Recognised, ...]:
    """Return what stands in the header of `root` in the place of a signature and is none."""
    header = header_of(root)
    if header is None:
        return ()
    found = [element for element in header if local_name(element) == "Signature"]
    return tuple(one for one in map(_recognise, found) if one is not None)


def misplaced(root: etree._Element) -> bool:
    """Say whether a ds:Signature stands anywhere in `root`: used when none stands where it counts."""
    return next(root.iter(f"{{{DS}}}Signature"), None) is not None


def weaknesses(signature: etree._Element) -> tuple[str, ...]:
    """Return the names of the algorithms of `signature` that count no more (SHA-1, MD5), each once."""
    uris = (element.get("Algorithm") or "" for element in signature.iter("{*}SignatureMethod", "{*}DigestMethod"))
    return tuple(dict.fromkeys(WEAK_NAMES[uri] for uri in uris if uri in WEAK_NAMES))


def _recognise(signature: etree._Element) -> Recognised | None:
    """Return what makes `signature` none, or None when it may be a signature."""
    if not len(signature) and not (signature.text or "").strip():
        return Recognised(check="format.empty", detail="placeholder: an empty Signature element")
    wrong_namespace = namespace(signature) != DS
    certificates = list(signature.iter("{*}X509Certificate"))
    readable = any(_readable(element) for element in certificates)
    if not wrong_namespace and readable:
        return None
    oddities = "; ".join(_oddities(signature, wrong_namespace, certificates, readable))
    if readable:
        return Recognised(check="format.namespace", detail=f"not an XML signature: {oddities}")
    return Recognised(check="format.placeholder", detail=f"placeholder: {oddities}")


def _oddities(
    signature: etree._Element, wrong_namespace: bool, certificates: list[etree._Element], readable: bool
) -> Iterator[str]:
    if wrong_namespace:
        yield f"Signature stands in the namespace {namespace(signature) or '(none)'}, not in XML-Signature's"
    for name in weaknesses(signature):
        yield f"weak algorithm {name}"
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
