"""Which document a reference means: every form of id that was met, and how documents are found by it."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from envelopes.cases import DOCUMENT
from envelopes.strategies import documents, references
from hypothesis import given
from hypothesis import strategies as st

from edoc.model.correlation import Derived, Match, Triple, best, correlates, derive, triple
from edoc.model.document import Code, Document, Party, Reference
from edoc.model.identifiers import OrganId

G22 = "000.00.00.G22"
SENT = replace(
    DOCUMENT,
    sender=Party(organ_id=OrganId(G22)),
    code=Code(number="7816", notation="VPCP-TTĐT"),
    promulgation_date=date(2018, 9, 28),
    correlation_id="000.00.00.G22,2018/09/28,7816/VPCP-TTĐT",
)
ALIASES = {G22: "G22", "000.00.00.H53": "H53"}


def canonical(code: str) -> str:
    return ALIASES.get(code, code)


def made(number: str, notation: str = "", year: int = 2015, day: date | None = None, organ_id: str = G22) -> Derived:
    return Derived(organ_id=organ_id, year=year, day=day, number=number, notation=notation)


@pytest.mark.parametrize(
    ("raw", "derived"),
    [
        ("000.00.00.G22,2015/09/30,7816/VPCP-TTĐT", made("7816", "VPCP-TTĐT", day=date(2015, 9, 30))),
        ("000.00.00.G22,30/09/2015,7816/VPCP-TTĐT", made("7816", "VPCP-TTĐT", day=date(2015, 9, 30))),
        ("000.00.00.G22,2015-09-30,7816/VPCP-TTĐT", made("7816", "VPCP-TTĐT", day=date(2015, 9, 30))),
        (" 000.00.00.G22 , 2015/9/30 , 7816/ VPCP-TTĐT\n", made("7816", "VPCP-TTĐT", day=date(2015, 9, 30))),
        ("000.00.00.G22,2014/02/30,7806/VPCP-TTĐT", made("7806", "VPCP-TTĐT", year=2014)),
        ("000.00.00.G22,2014/13/45,7806/VPCP", made("7806", "VPCP", year=2014)),
        ("000.00.01.H01,2018,10", made("10", year=2018, organ_id="000.00.01.H01")),
        ("000.00.01.H01,2018,10/QĐ-UBND", made("10", "QĐ-UBND", year=2018, organ_id="000.00.01.H01")),
        ("H29.12-2026-0123", made("0123", year=2026, organ_id="H29.12")),
        ("H29.12-2026-0123/SNV-VP", made("0123", "SNV-VP", year=2026, organ_id="H29.12")),
        ("000.00.00.G22\u200b,2015,\u200b7816/VPCP", made("7816", "VPCP")),
        ("000.00.00.G22,2015/09/30,7816/2015/QĐ-TTg", made("7816", "2015/QĐ-TTg", day=date(2015, 9, 30))),
    ],
)
def test_an_id_is_taken_apart(raw: str, derived: Derived) -> None:
    assert derive(raw) == derived


@pytest.mark.parametrize(
    "raw",
    [
        "",
        " ",
        "6f1c2b1e-0a6b-4a57-9a54-0d4c7c2b9a10",
        "6F1C2B1E-0A6B-4A57-9A54-0D4C7C2B9A10",
        "12345678-2018-4a57-9a54-0d4c7c2b9a10",
        "{6f1c2b1e-0a6b-4a57-9a54-0d4c7c2b9a10}",
        "7816/VPCP-TTĐT",
        "000.00.00.G22,2015/09/30",
        "000.00.00.G22,2015/09/30,",
        "000.00.00.G22,2015/09/30,/VPCP",
        "000.00.00.G22,30 tháng 9,7816/VPCP",
        "000.00.00.G22,15/09,7816",
        "000.00.00.g22,2015,1",
        "a,b,c,d",
        "VB số 5",
        "x" * 100_000,
    ],
)
def test_what_says_nothing_is_no_error(raw: str) -> None:
    assert derive(raw) is None


@given(st.text())
def test_no_text_makes_it_fail(raw: str) -> None:
    found = derive(raw)
    assert found is None or (found.number and found.organ_id)


PARTS = st.sampled_from(
    ["000.00.00.G22", "H29", ",", "-", "/", "2015", "2014/02/30", "7816", "VPCP", "\u200b", " ", "0"]
)


@given(st.lists(PARTS, max_size=9).map("".join))
def test_nor_do_texts_of_its_own_pieces(raw: str) -> None:
    found = derive(raw)
    assert found is None or found.day is None or found.day.year == found.year


@given(references, documents)
def test_no_reference_makes_it_fail(reference: Reference, document: Document) -> None:
    correlates(reference, document)
    triple(document)


FORMS = ("{organ},{year}/03/09,{code}", "{organ},09/03/{year},{code}", "{organ},{year},{code}", "{organ}-{year}-{code}")


@given(
    st.sampled_from(FORMS),
    st.from_regex(r"[A-Y][0-9]{2}(\.[A-Z0-9]{1,4}){0,3}", fullmatch=True),
    st.integers(1000, 9999),
    st.from_regex(r"[0-9]{1,5}[a-z]?", fullmatch=True),
    st.sampled_from(["", "VPCP-TTĐT", "QĐ-UBND", "2015/QĐ-TTg"]),
)
def test_every_form_gives_back_what_it_was_made_of(
    form: str, organ: str, year: int, number: str, notation: str
) -> None:
    code = f"{number}/{notation}" if notation else number
    found = derive(form.format(organ=organ, year=year, code=code))
    assert found is not None
    assert (found.organ_id, found.year, found.number, found.notation) == (organ, year, number, notation)
    assert found.day in {None, date(year, 3, 9)}


@given(documents, st.uuids())
def test_a_bare_uuid_finds_its_document(document: Document, uuid: UUID) -> None:
    document = replace(document, correlation_id=str(uuid))
    assert correlates(Reference(document_id=str(uuid)), document) is Match.RAW_ID
    assert derive(str(uuid)) is None


@pytest.mark.parametrize(
    ("reference", "match"),
    [
        (Reference(document_id=SENT.correlation_id), Match.RAW_ID),
        (Reference(document_id=f" {SENT.correlation_id}\u200b"), Match.RAW_ID),
        (Reference(document_id=unicodedata.normalize("NFD", SENT.correlation_id)), Match.RAW_ID),
        (Reference(document_id="000.00.00.G22,28/09/2018,7816/VPCP-TTĐT"), Match.DERIVED_ID),
        (Reference(document_id="000.00.00.G22,2018,7816"), Match.DERIVED_ID),
        (Reference(document_id="000.00.00.G22-2018-7816"), Match.DERIVED_ID),
        (Reference(document_id="G22-2018-7816"), Match.DERIVED_ID),
        (Reference(document_id="000.00.00.G22,2018/02/30,7816/VPCP-TTĐT"), Match.DERIVED_ID),
        (Reference(document_id="000.00.00.G22,2017,7816/VPCP-TTĐT"), Match.NONE),
        (Reference(document_id="000.00.00.G22,2018,7816/VPCP-KTTH"), Match.NONE),
        (Reference(document_id="000.00.00.G22,2018,07816"), Match.NONE),
        (Reference(document_id="000.00.00.H41,2018,7816/VPCP-TTĐT"), Match.NONE),
        (Reference(organ_id=G22, code="7816/VPCP-TTĐT"), Match.CODE),
        (Reference(organ_id="G22", code=" 7816 / vpcp-ttđt "), Match.CODE),
        (Reference(organ_id=G22, code="7816/VPCP-TTĐT", promulgation_date="28/09/2018"), Match.CODE),
        (Reference(organ_id=G22, code="7816/VPCP-TTĐT", promulgation_date="2018/01/01"), Match.CODE),
        (Reference(organ_id=G22, code="7816/VPCP-TTĐT", promulgation_date="?"), Match.CODE),
        (
            Reference(organ_id=G22, code="7816/VPCP-TTĐT", promulgation_date="2015/09/30"),
            Match.CODE_OF_ANOTHER_YEAR,
        ),
        (Reference(organ_id=G22, code="7816"), Match.NONE),
        (Reference(code="7816/VPCP-TTĐT"), Match.NONE),
        (Reference(organ_id=G22, code=""), Match.NONE),
        (Reference(organ_id="H41", code="7816/VPCP-TTĐT"), Match.NONE),
        (
            Reference(organ_id=G22, code="7816/VPCP-TTĐT", document_id="6f1c2b1e-0a6b-4a57-9a54-0d4c7c2b9a10"),
            Match.CODE,
        ),
        (Reference(code="7816/VPCP-TTĐT", document_id="000.00.00.G22,2015/09/30,1/X"), Match.CODE),
        (Reference(), Match.NONE),
    ],
)
def test_a_reference_fits_by_raw_id_then_derived_id_then_code(reference: Reference, match: Match) -> None:
    assert correlates(reference, SENT, canonical) is match


def test_a_document_with_an_empty_id_is_still_found_by_what_its_header_says() -> None:
    sent = replace(SENT, correlation_id="")
    assert correlates(Reference(document_id="000.00.00.G22,2018,7816"), sent) is Match.DERIVED_ID
    assert correlates(Reference(document_id=""), sent) is Match.NONE


def test_an_id_that_contradicts_its_document_finds_it_all_the_same() -> None:
    """Met: the id says 2015/09/30, the document was issued on 2018/09/28."""
    sent = replace(SENT, correlation_id="000.00.00.G22,2015/09/30,7816/VPCP-TTĐT")
    assert correlates(Reference(document_id="000.00.00.G22,2015,7816"), sent) is Match.DERIVED_ID
    assert correlates(Reference(document_id="000.00.00.G22,2018,7816"), sent) is Match.DERIVED_ID


def test_without_aliases_an_old_and_a_new_code_are_two_organisations() -> None:
    assert correlates(Reference(organ_id="G22", code="7816/VPCP-TTĐT"), SENT) is Match.NONE


def test_the_best_match_wins_and_a_draw_is_told() -> None:
    last_year = replace(SENT, promulgation_date=date(2017, 9, 28), correlation_id="")
    other = replace(SENT, code=Code(number="1", notation="X"), correlation_id="x")
    asked = Reference(organ_id=G22, code="7816/VPCP-TTĐT", promulgation_date="2018/09/28")
    assert best(asked, [last_year, SENT, other]) == (Match.CODE, (SENT,))
    raw = replace(asked, document_id=SENT.correlation_id)
    assert best(raw, [last_year, SENT, other]) == (Match.RAW_ID, (SENT,))
    assert best(replace(asked, promulgation_date=""), [last_year, SENT]) == (Match.CODE, (last_year, SENT))
    assert best(asked, [other]) == (Match.NONE, ())
    assert best(asked, []) == (Match.NONE, ())


def test_a_duplicate_is_the_same_number_notation_and_organisation() -> None:
    assert triple(SENT, canonical) == Triple("7816", "vpcp-ttđt", "G22")
    renamed = Party(organ_id=OrganId("G22"))
    again = replace(SENT, sender=renamed, code=Code(number=" 7816", notation="VPCP-TTĐT\u200b"), subject="khác")
    assert triple(again, canonical) == triple(SENT, canonical)
    assert triple(replace(SENT, code=Code(number="07816", notation="VPCP-TTĐT"))) != triple(SENT)
