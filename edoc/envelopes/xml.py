"""The only XML parser of the house.

Rules: UTF-8 only, because one set of octets must not read as two documents.  A DOCTYPE is refused before libxml2
sees it, so there are no entities, no default attributes and nothing to fetch.  Size, depth, elements and attributes
are bounded.  Comments are dropped while parsing, so that text is never cut in two by one: what a reader sees is what
canonicalisation without comments digests.

Does not know edXML, and does not verify anything.
"""

from __future__ import annotations

import re

from lxml import etree

from edoc.errors import EdocError
from edoc.errors.package import MALFORMED_XML, XML_FORBIDDEN

EDXML = "http://www.mic.gov.vn/TBT/QCVN_102_2016"
OLD_EDOC = "http://www.e-doc.vn/Schema/"
EDOC = "urn:edoc:1"
DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
ASIC = "http://uri.etsi.org/02918/v1.2.1#"
MANIFEST_NS = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 100
MAX_ELEMENTS = 200_000
MAX_ATTRIBUTES = 64

# Everything that may stand before the root: white space, processing instructions, comments.  Possessive, so that no
# input makes it backtrack.
_PROLOG = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s++|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_ENCODING = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml\s[^>]*?encoding\s*=\s*[\"']([^\"']*)[\"']")


def parse(data: bytes, *, limit: int = MAX_BYTES, long_text: bool = False) -> etree._Element:
    """Return the root element of `data`.

    `limit` is in bytes.  `long_text` lifts libxml2's 10 MB per text node, for base64 inside `.edxml` files.
    Raises EdocError MALFORMED_XML (line) and XML_FORBIDDEN (line, what).
    """
    _refuse_early(data, limit)
    # A parser per document: lxml parsers keep an error log and a name dictionary that grow with what they read.
    parser = etree.XMLParser(
        encoding="utf-8",  # the declaration was checked; libxml2 must not guess another one
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        remove_comments=True,
        collect_ids=False,
        huge_tree=long_text,  # without a DOCTYPE it lifts only lengths and depth, and depth is checked below
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise EdocError(MALFORMED_XML, line=error.lineno or 1, cause=str(error)) from error
    _check_shape(root)
    return root


def canonical(element: etree._Element) -> bytes:
    """Return the exclusive canonical form of `element` without comments (W3C xml-exc-c14n)."""
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


def serialise(element: etree._Element) -> bytes:
    """Return `element` as a UTF-8 document with an XML declaration and a newline at its end."""
    return etree.tostring(element, encoding="UTF-8", xml_declaration=True) + b"\n"


def local_name(element: etree._Element) -> str:
    """Return the name of `element` without its namespace, empty for a processing instruction."""
    return element.tag.rpartition("}")[2] if is_plain(element) else ""


def namespace(element: etree._Element) -> str:
    """Return the namespace of `element`, empty when it has none."""
    return element.tag[1:].partition("}")[0] if is_plain(element) and element.tag.startswith("{") else ""


def is_plain(element: etree._Element) -> bool:
    """Return whether `element` is one, and no processing instruction (comments are gone after parsing)."""
    return not isinstance(element, etree._ProcessingInstruction)  # noqa: SLF001 -- lxml's node types have no other name


def _refuse_early(data: bytes, limit: int) -> None:
    if len(data) > limit:
        raise _forbidden(1, f"more than {limit} bytes", f"lớn hơn {limit} byte")
    if data.count(b"<") > 2 * MAX_ELEMENTS:
        raise _forbidden(1, f"more than {MAX_ELEMENTS} elements", f"nhiều hơn {MAX_ELEMENTS} phần tử")
    declared = _ENCODING.match(data)
    if declared and declared[1].lower() not in {b"utf-8", b"us-ascii"}:
        raise _forbidden(1, "an encoding other than UTF-8", "bảng mã khác UTF-8")
    prolog = _PROLOG.match(data)
    end = prolog.end() if prolog else 0
    if data.startswith(b"<!", end):
        line = data.count(b"\n", 0, end) + 1
        raise _forbidden(line, "a DOCTYPE", "khai báo DOCTYPE")


def _check_shape(root: etree._Element) -> None:
    if root.getroottree().docinfo.internalDTD is not None:  # the prolog check missed it: still refuse
        raise _forbidden(1, "a DOCTYPE", "khai báo DOCTYPE")
    level = [root]
    elements = depth = 0
    while level:
        depth += 1
        elements += len(level)
        if depth > MAX_DEPTH:
            raise _forbidden(_line(level[0]), f"nesting deeper than {MAX_DEPTH}", f"lồng sâu hơn {MAX_DEPTH}")
        for element in level:
            if len(element.attrib) > MAX_ATTRIBUTES:
                what, what_vi = f"more than {MAX_ATTRIBUTES} attributes", f"quá {MAX_ATTRIBUTES} thuộc tính"
                raise _forbidden(_line(element), what, what_vi)
        level = [child for element in level if len(element) for child in element]
    if elements > MAX_ELEMENTS:
        raise _forbidden(1, f"more than {MAX_ELEMENTS} elements", f"nhiều hơn {MAX_ELEMENTS} phần tử")


def _line(element: etree._Element) -> object:
    return element.sourceline


def _forbidden(line: object, what: str, what_vi: str) -> EdocError:
    return EdocError(XML_FORBIDDEN, line=line, what=what, what_vi=what_vi)
