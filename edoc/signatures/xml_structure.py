"""Where signatures stand in our XML, and how their parts are reached.

Rules: parts are reached by walking from parent to child, never by a search over the document and never by Id: a
signature that was moved or copied elsewhere is then simply not found.

Does not verify.
"""

from __future__ import annotations

import binascii

from lxml import etree

from edoc.envelopes.xml import ASIC, DS, EDXML
from edoc.errors import EdocError
from edoc.errors.verification import SIGNATURE_UNREADABLE

CONTAINER_ROOT = f"{{{ASIC}}}XAdESSignatures"


def signatures_of(root: etree._Element) -> tuple[etree._Element, ...]:
    """Return the ds:Signature elements that count: children of asic:XAdESSignatures, or of edXMLHeader."""
    parent = root if root.tag == CONTAINER_ROOT else header_of(root)
    return () if parent is None else tuple(parent.iterchildren(f"{{{DS}}}Signature"))


def header_of(root: etree._Element) -> etree._Element | None:
    """Return edXML/edXMLEnvelope/edXMLHeader, None unless there is exactly one."""
    element = root
    if root.tag != f"{{{EDXML}}}edXML":
        return None
    for name in ("edXMLEnvelope", "edXMLHeader"):
        found = list(element.iterchildren(f"{{{EDXML}}}{name}"))
        if len(found) != 1:
            return None
        element = found[0]
    return element


def only_child(parent: etree._Element, namespace: str, name: str) -> etree._Element:
    """Return the only child with that name; EdocError SIGNATURE_UNREADABLE when there is none or more than one."""
    found = list(parent.iterchildren(f"{{{namespace}}}{name}"))
    if len(found) != 1:
        raise EdocError(SIGNATURE_UNREADABLE, what=f"{len(found)} × {name}")
    return found[0]


def attribute(element: etree._Element, name: str) -> str:
    """Return an attribute, or an empty text."""
    value = element.get(name)
    return "" if value is None else str(value)


def text(element: etree._Element) -> str:
    """Return the text of an element without children; EdocError SIGNATURE_UNREADABLE when it has some."""
    if len(element):
        raise EdocError(SIGNATURE_UNREADABLE, what=f"elements inside {element.tag}")
    return (element.text or "").strip()


def octets(element: etree._Element) -> bytes:
    """Return the base64 content of an element, decoded; EdocError SIGNATURE_UNREADABLE when it is none."""
    compact = "".join(text(element).split())
    try:
        return binascii.a2b_base64(compact, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise EdocError(SIGNATURE_UNREADABLE, what=f"base64 in {element.tag}", cause=str(error)) from error
