"""Which document a reference means: edXML's own ids read as far as they say something, and compared.

Rules: the raw id decides first, then what it is made of (organisation, year, number, notation), then số, ký hiệu and
organisation.  Real ids contradict themselves (a date 2014/02/30, an id with another date than the document's), so a
form that says nothing is no error and a date never forbids a match.  Text is compared composed (NFC), without hidden
characters and without regard to case; zeros count.  Organisations are compared by code, through `canonical`, with
which the caller brings its directory's aliases and the old codes.

Does not look anything up, and does not decide for the caller when several documents match equally well.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import NamedTuple

from edoc.model.document import Document, Reference

Canonical = Callable[[str], str]
"""Return the code under which an organisation is compared; the same text for a code nobody knows."""

MAX_RAW = 500
"""Characters of an id that are looked at; the longest that the field's forms can make is about a hundred."""

_ORGAN = r"[A-Z0-9]+(?:\.[A-Z0-9]+)*"
_COMMAS = re.compile(rf"({_ORGAN}) *, *([0-9/.-]{{4,10}}) *, *([^,]+)", re.ASCII)
_HYPHENS = re.compile(rf"({_ORGAN})-(\d{{4}})-(.+)", re.ASCII)
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)
_YEAR = re.compile(r"\d{4}", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """What an edXML DocumentId is made of; `notation` is empty in the forms that have none.

    `day` is None when the id has only a year, or a day that no calendar has: then the year still counts.
    """

    organ_id: str
    year: int
    day: date | None
    number: str
    notation: str


class Match(IntEnum):
    """How well a reference and a document fit, the better the greater."""

    NONE = 0
    CODE_OF_ANOTHER_YEAR = 1  # số, ký hiệu, organisation; but the reference's date lies in another year
    CODE = 2  # số, ký hiệu and organisation
    DERIVED_ID = 3  # organisation, year, số and, where both have one, ký hiệu
    RAW_ID = 4


class Triple(NamedTuple):
    """Số, ký hiệu and organisation as they are compared: two documents with one triple are a duplicate to alert."""

    number: str
    notation: str
    organ_id: str


def same(code: str) -> str:
    """Return `code`: the Canonical of a caller without aliases."""
    return code


def derive(raw: str) -> Derived | None:
    """Return what the DocumentId `raw` is made of; None for a UUID, an empty text and anything else.

    Forms: ``organ,yyyy/MM/dd,number/notation`` (dd/MM/yyyy too), ``organ,year,number``, ``organ-year-number``.
    """
    text = _plain(raw[:MAX_RAW])
    match = _COMMAS.fullmatch(text) or _HYPHENS.fullmatch(text)
    if match is None or _UUID.fullmatch(text):  # the first groups of some UUIDs read as organisation and year
        return None
    organ_id, when, code = match.groups()
    stated = _stated(when)
    number, _, notation = (part.strip() for part in code.partition("/"))
    if stated is None or not number:
        return None
    year, day = stated
    return Derived(organ_id=organ_id, year=year, day=day, number=number, notation=notation)


def correlates(reference: Reference, document: Document, canonical: Canonical = same) -> Match:
    """Return how well `reference` (edXML ResponseFor) fits `document`: by raw id, by derived id, by code."""
    raw = _plain(reference.document_id)
    if raw and raw == _plain(document.correlation_id):
        return Match.RAW_ID
    meant = derive(reference.document_id)
    if meant is not None and any(_equal(meant, one, canonical) for one in _identities(document)):
        return Match.DERIVED_ID
    number, _, notation = reference.code.partition("/")
    organ_id = _plain(reference.organ_id) or (meant.organ_id if meant else "")
    asked = _triple(number, notation, organ_id, canonical)
    if not (asked.number and asked.organ_id) or asked != triple(document, canonical):
        return Match.NONE
    stated = _stated(_plain(reference.promulgation_date)[:10])
    if stated is not None and stated[0] != document.promulgation_date.year:
        return Match.CODE_OF_ANOTHER_YEAR
    return Match.CODE


def best(
    reference: Reference, documents: Iterable[Document], canonical: Canonical = same
) -> tuple[Match, tuple[Document, ...]]:
    """Return the best match among `documents` and all that match that well; several mean that a person decides."""
    found: tuple[Match, tuple[Document, ...]] = (Match.NONE, ())
    for document in documents:
        match = correlates(reference, document, canonical)
        if match > found[0]:
            found = (match, (document,))
        elif match and match is found[0]:
            found = (match, (*found[1], document))
    return found


def triple(document: Document, canonical: Canonical = same) -> Triple:
    """Return số, ký hiệu and organisation of `document` as they are compared (Decree 30/2020: alert on a duplicate).

    Numbers begin again with every calendar year: look among the documents of the same year.
    """
    return _triple(document.code.number, document.code.notation, document.sender.organ_id, canonical)


def _identities(document: Document) -> Iterable[Derived]:
    """Return the derived ids of `document`: of its DocumentId, and of its header, because the two may differ."""
    stated = derive(document.correlation_id)
    if stated is not None:
        yield stated
    yield Derived(
        organ_id=document.sender.organ_id,
        year=document.promulgation_date.year,
        day=document.promulgation_date,
        number=document.code.number,
        notation=document.code.notation,
    )


def _equal(one: Derived, other: Derived, canonical: Canonical) -> bool:
    first = _triple(one.number, one.notation, one.organ_id, canonical)
    second = _triple(other.number, other.notation, other.organ_id, canonical)
    notations = {first.notation, second.notation} - {""}  # “organ,year,number” leaves it out
    return (
        one.year == other.year
        and (first.organ_id, first.number) == (second.organ_id, second.number)
        and len(notations) < 2
    )


def _triple(number: str, notation: str, organ_id: str, canonical: Canonical) -> Triple:
    return Triple(_plain(number).casefold(), _plain(notation).casefold(), canonical(_plain(organ_id)))


def _stated(text: str) -> tuple[int, date | None] | None:
    """Return year and day of a date's text; the day is None when there is none or it does not exist."""
    if _YEAR.fullmatch(text):
        return int(text), None
    if match := _YEAR_FIRST.fullmatch(text):
        year, month, day = (int(part) for part in match.groups())
    elif match := _DAY_FIRST.fullmatch(text):
        day, month, year = (int(part) for part in match.groups())
    else:
        return None
    try:
        return year, date(year, month, day)
    except ValueError:  # 2014/02/30 has been met: its year is all that it says
        return year, None


def _plain(text: str) -> str:
    visible = "".join(each for each in text if unicodedata.category(each) != "Cf")  # U+200B, bidi marks
    return " ".join(unicodedata.normalize("NFC", visible).split())
