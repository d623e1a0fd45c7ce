"""Reading one level of an edXML message: children by name, in any order, and what nobody asked for.

Rules: elements are compared by (namespace, local name), never by prefix.  A known element that stands twice is
refused, because two readers would choose differently.  A leaf with children is refused for the same reason.
Whatever no reader asks for is kept as XML text with its place; elements of our own namespace are never kept.

Does not know the header's fields: :mod:`edoc.envelopes.edxml_read` does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import date

from lxml import etree

from edoc.envelopes import xml
from edoc.envelopes.text import shown
from edoc.errors import EdocError
from edoc.errors.package import HEADER_INCOMPLETE, HEADER_INVALID

_EDXML = f"{{{xml.EDXML}}}"
_YEAR_FIRST = re.compile(r"(\d{4})[/-](\d{1,2})[/-](\d{1,2})(?:[ T].*)?", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})(?:[ T].*)?", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)

UNKNOWN = f"{{{xml.EDOC}}}unknown"
"""Every text in ``Document.unknown`` is one of these: it tells the place (``in``) of the element that it holds."""

HOME = "MessageHeader"

ORDER: Mapping[str, Sequence[str]] = {
    HOME: (
        "From",
        "To",
        "DocumentId",
        "Code",
        "PromulgationInfo",
        "DocumentType",
        "Subject",
        "Content",
        "SignerInfo",
        "DueDate",
        "OtherInfo",
        "ResponseFor",
        "SteeringType",
        "ToPlaces",
    ),
    "Bussiness": (
        "DocumentId",
        "BussinessDocType",
        "BussinessDocReason",
        "Paper",
        "BussinessDocumentInfo",
        "ReplacementInfoList",
        "StaffInfo",
    ),
    "OtherInfo": (
        "Priority",
        "SphereOfPromulgation",
        "TyperNotation",
        "PromulgationAmount",
        "PageAmount",
        "Direction",
        "Appendixes",
    ),
}
"""Where an element that is put back has its place (QCVN 102): payload that the model has no field for, counts that are
no numbers (“2 bản”), a block that holds nothing but an unknown element.  What is not named goes to the end."""


class Block:
    """The children of one element; a missing element is a block without children."""

    __slots__ = ("_children", "_foreign", "_register", "_taken", "element", "path")

    def __init__(self, element: etree._Element | None, path: str, register: list[Block]) -> None:
        self.element = element
        self.path = path
        self._register = register
        self._children: dict[str, list[etree._Element]] = {}
        self._foreign = False
        self._taken: set[str] = set()
        register.append(self)
        for child in () if element is None else element:
            before, found, name = str(child.tag).partition(_EDXML)
            if found and not before:
                self._children.setdefault(name, []).append(child)
            else:
                self._foreign = True

    def _one(self, name: str) -> etree._Element | None:
        self._taken.add(name)
        found = self._children.get(name)
        if not found:
            return None
        if len(found) > 1:
            raise EdocError(HEADER_INVALID, element=f"{self.path}/{name}", value=f"{len(found)} × <{name}>")
        return found[0]

    def has(self, name: str) -> bool:
        """Return whether there is a child `name`."""
        return name in self._children

    def skip(self, *names: str) -> None:
        """Leave the children `names` out of what is kept as unknown."""
        self._taken.update(names)

    def leave(self, name: str) -> None:
        """Keep the child `name` as unknown although it was asked for: its value has no place in the model."""
        self._taken.discard(name)

    def text(self, name: str) -> str:
        """Return the text of the child `name` exactly as it stands, empty when it is absent."""
        return self._text(self._one(name), name)

    def token(self, name: str) -> str:
        """Return the text of the child `name` without surrounding white space: codes, dates, numbers."""
        return self.text(name).strip()

    def required(self, name: str) -> str:
        """Return the text of the child `name`; EdocError HEADER_INCOMPLETE when it is absent or blank."""
        text = self.text(name)
        if not text or text.isspace():
            raise EdocError(HEADER_INCOMPLETE, element=f"{self.path}/{name}")
        return text

    def present(self, name: str) -> str:
        """Return the text of the child `name`, which may be empty; EdocError HEADER_INCOMPLETE when it is absent."""
        if name not in self._children:
            raise EdocError(HEADER_INCOMPLETE, element=f"{self.path}/{name}")
        return self.text(name)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the texts of all children `name`."""
        self._taken.add(name)
        return tuple(self._text(each, name) for each in self._children.get(name, ()))

    def day(self, name: str) -> date | None:
        """Return the date in the child `name`, None when it is absent or empty; both spellings of the field are read.

        ``yyyy/MM/dd`` is the rule, some producers write ``dd/MM/yyyy``.  EdocError HEADER_INVALID for no date.
        """
        text = self.token(name)
        if not text:
            return None
        parts = [int(part) for part in match.groups()] if (match := _YEAR_FIRST.fullmatch(text)) else []
        if match := _DAY_FIRST.fullmatch(text):
            parts = [int(part) for part in reversed(match.groups())]
        try:
            return date(*parts)
        except (TypeError, ValueError) as error:
            raise self.invalid(name, text) from error

    def required_day(self, name: str) -> date:
        """Return the date in the child `name`; EdocError HEADER_INCOMPLETE when it is absent or empty."""
        found = self.day(name)
        if found is None:
            raise EdocError(HEADER_INCOMPLETE, element=f"{self.path}/{name}")
        return found

    def number(self, name: str) -> int | None:
        """Return the count in the child `name`; anything but a number (“2 bản”) is left to the unknown elements."""
        text = self.token(name)
        if _NUMBER.fullmatch(text):
            return int(text)
        if text:
            self.leave(name)
        return None

    def block(self, name: str) -> Block:
        """Return the child `name` as a block."""
        return Block(self._one(name), f"{self.path}/{name}", self._register)

    def level(self, name: str) -> Block:
        """Return the child `name` as a block with a path of its own: it is one of the message's named levels."""
        return Block(self._one(name), name, self._register)

    def blocks(self, name: str) -> list[Block]:
        """Return all children `name` as blocks; paths count from 1."""
        self._taken.add(name)
        children = enumerate(self._children.get(name, ()), start=1)
        return [Block(child, f"{self.path}/{name}[{index}]", self._register) for index, child in children]

    def invalid(self, name: str, value: str) -> EdocError:
        """Return the error that says that the child `name` cannot be understood."""
        return EdocError(HEADER_INVALID, element=f"{self.path}/{name}", value=shown(value))

    def unknown(self) -> list[str]:
        """Return what nobody asked for, as XML text, each with its place."""
        if self.element is None or not (self._foreign or self._children.keys() - self._taken):
            return []
        rest = [child for child in self.element if self._is_unknown(child)]
        order = ORDER.get(self.path.rpartition("/")[2], ())
        rest.sort(key=lambda child: rank(order, child))
        return [_kept(child, self.path) for child in rest]

    def _is_unknown(self, child: etree._Element) -> bool:
        place = xml.namespace(child)
        if place == xml.EDXML and xml.local_name(child) in self._taken:
            return False
        # A signature is known but not kept: it signed another message.  Whatever speaks in our own namespace, at any
        # depth, describes another sealing and must never be sealed again.
        ours = next(child.iter(f"{{{xml.EDOC}}}*"), None) is not None
        return xml.is_plain(child) and place != xml.DS and not ours

    def _text(self, element: etree._Element | None, name: str) -> str:
        if element is None:
            return ""
        if len(element):
            raise self.invalid(name, f"<{xml.local_name(element[0])}>")
        return element.text or ""


def rank(order: Sequence[str], child: etree._Element) -> int:
    """Return the position of `child` in `order`, past its end for an element that is not in it."""
    name = xml.local_name(child)
    return order.index(name) if name in order and xml.namespace(child) == xml.EDXML else len(order)


def _kept(child: etree._Element, path: str) -> str:
    # The wrapper makes the text stand alone: it fixes the prefix of edXML, and because it has a default namespace of
    # its own, an element without one keeps its xmlns="" wherever it is put.  Exclusive C14N loses a prefix that occurs
    # inside a value only (xsi:type); edXML has none.
    spaces = {None: xml.EDOC, "edXML": xml.EDXML}
    wrapper = etree.Element(UNKNOWN, nsmap=spaces)  # type: ignore[arg-type]  # the stubs know no default namespace
    wrapper.set("in", path)
    wrapper.append(deepcopy(child))
    wrapper[0].tail = None
    try:
        return xml.canonical(wrapper).decode()
    except etree.C14NError as error:  # a relative namespace URI has no canonical form (xml-c14n, 1.3)
        element = f"{path}/{xml.local_name(child)}"
        raise EdocError(HEADER_INVALID, element=element, value=_relative(child), cause=str(error)) from error


def _relative(element: etree._Element) -> str:
    """Return the first namespace in `element` that is no absolute URI, as it is declared."""
    found = (uri for each in element.iter() for uri in each.nsmap.values() if uri and ":" not in uri)
    return shown(f'xmlns="{next(found, "")}"')
