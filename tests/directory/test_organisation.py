"""The directory's answers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from fakes.directory import (
    ISSUED,
    REFORM,
    TAN_BIEN,
    TAN_BINH,
    TAN_LAP,
    TAY_NINH,
    THANH_BINH,
    VPCP,
    XA_TAN_BIEN,
    merged,
    organisation,
    snapshot,
    tay_ninh,
)

from edoc.directory.organisation import Band, Finding, Level, SuccessionKind

BEFORE = REFORM - timedelta(days=1)
TODAY = date(2026, 11, 22)


def test_an_organisation_is_found_by_its_old_and_its_new_code() -> None:
    directory = tay_ninh()
    by_new = directory.organisation("H53.31.20", TODAY)
    by_old = directory.organisation("000.20.31.H53", TODAY)
    assert by_new is by_old
    assert by_new is not None
    assert by_new.code == TAN_LAP
    assert directory.same("000.20.31.H53", "H53.31.20")
    assert not directory.same(TAN_LAP, TAN_BINH)


def test_the_last_day_of_an_organisation_still_belongs_to_it() -> None:
    directory = tay_ninh()
    assert directory.organisation(TAN_BIEN, BEFORE) is not None
    assert directory.organisation(TAN_BIEN, REFORM) is None


def test_names_are_those_of_the_day() -> None:
    entry = tay_ninh().entry(TAN_LAP)
    assert entry is not None
    assert entry.name(BEFORE) == "UBND xã Tân Lập"
    assert entry.name(REFORM) == "Ủy ban nhân dân xã Tân Lập"


def test_a_level_is_data_of_a_day_and_not_of_a_code() -> None:
    directory = tay_ninh()
    assert directory.level(TAN_BIEN, BEFORE) is Level.DISTRICT
    assert directory.level(TAN_BIEN, REFORM) is None
    assert directory.level("H53.31.20", TODAY) is Level.COMMUNE
    assert directory.level("H53.31.99", TODAY) is None


def test_what_exists_resolves_to_itself() -> None:
    found = tay_ninh().resolve("G22", TODAY)
    assert found.finding is Finding.FOUND
    assert found.organisation is not None
    assert found.organisation.code == VPCP


def test_a_merged_unit_resolves_to_its_single_successor() -> None:
    found = tay_ninh().resolve(THANH_BINH, TODAY)
    assert found.finding is Finding.SUCCEEDED
    assert found.organisation is not None
    assert found.path == (THANH_BINH, TAN_LAP)


def test_a_split_unit_needs_a_decision_among_its_successors() -> None:
    found = tay_ninh().resolve(TAN_BINH, TODAY)
    assert found.finding is Finding.DECISION
    assert found.organisation is None
    assert found.candidates == (TAN_LAP, XA_TAN_BIEN)


def test_a_dissolved_unit_without_successor_needs_a_decision_too() -> None:
    found = tay_ninh().resolve(TAN_BIEN, TODAY)
    assert (found.finding, found.candidates) == (Finding.DECISION, ())


@pytest.mark.parametrize(("code", "on"), [("H99.1", TODAY), (XA_TAN_BIEN, BEFORE)])
def test_what_is_not_there_or_not_there_yet_is_unknown(code: str, on: date) -> None:
    assert tay_ninh().resolve(code, on).finding is Finding.UNKNOWN


def test_a_chain_of_successors_is_followed_to_its_end_and_a_circle_ends() -> None:
    last = REFORM - timedelta(days=1)
    chain = [
        organisation(f"H1.{i}", "Xã", Level.COMMUNE, valid_to=last, successors=(merged(f"H1.{i + 1}"),))
        for i in range(3000)
    ]
    end = organisation("H1.3000", "Xã cuối", Level.COMMUNE)
    found = snapshot([*chain, end]).resolve("H1.0", TODAY)
    assert found.finding is Finding.SUCCEEDED
    assert len(found.path) == 3001
    circle = [
        organisation("H1.A", "Xã A", Level.COMMUNE, valid_to=last, successors=(merged("H1.B"),)),
        organisation("H1.B", "Xã B", Level.COMMUNE, valid_to=last, successors=(merged("H1.A"),)),
    ]
    assert snapshot(circle).resolve("H1.A", TODAY).finding is Finding.UNKNOWN


def test_every_unit_of_a_split_succeeds_the_former_one_and_nobody_else_does() -> None:
    directory = tay_ninh()
    assert directory.succeeds(TAN_LAP, TAN_BINH, TODAY)
    assert directory.succeeds(XA_TAN_BIEN, TAN_BINH, TODAY)
    assert directory.succeeds(TAN_LAP, "000.20.31.H53", TODAY)
    assert not directory.succeeds(XA_TAN_BIEN, THANH_BINH, TODAY)
    assert not directory.succeeds(TAN_LAP, TAN_BINH, BEFORE)


def test_pins_are_found_by_any_code_and_outlive_their_organisation() -> None:
    directory = tay_ninh(pins={THANH_BINH: "ab" * 32, TAN_LAP: "cd" * 32})
    assert [pin.certificate_sha256 for pin in directory.pins(THANH_BINH)] == ["ab" * 32]
    assert [pin.organ_id for pin in directory.pins("000.20.31.H53")] == [TAN_LAP]
    assert directory.pins("H99") == ()
    assert len(directory.all_pins()) == 2


def test_a_relay_is_named_for_the_domain_an_organisation_lives_in() -> None:
    directory = tay_ninh()
    assert directory.domain(TAN_LAP) == "tay-ninh"
    assert directory.relays(TAN_LAP) == (VPCP,)
    assert directory.relays("G22") == (TAY_NINH,)
    assert directory.relays("H99") == ()


def test_a_directory_is_fresh_then_stale_in_its_last_third_then_expired() -> None:
    directory = snapshot([], issued_at=ISSUED, expires_at=ISSUED + timedelta(days=90))
    assert directory.band(ISSUED + timedelta(days=59)) is Band.FRESH
    assert directory.band(ISSUED + timedelta(days=60)) is Band.STALE
    assert directory.band(ISSUED + timedelta(days=90)) is Band.EXPIRED


@pytest.mark.parametrize(
    "text", ["tan lap", "TÂN LẬP", "ta\u0302n la\u0323\u0302p", "tân\u200blập", "H53.31.20", "000.20.31"]
)
def test_a_name_is_found_without_accents_case_and_invisible_characters(text: str) -> None:
    if "\u200b" in text:
        text = text.replace("\u200b", "\u200b ")
    assert TAN_LAP in [one.code for one in tay_ninh().find(text)]


def test_d_with_stroke_is_found_as_d_and_nothing_is_found_by_nothing() -> None:
    directory = snapshot([organisation("H61", "UBND tỉnh Đồng Tháp", Level.PROVINCE)])
    assert [one.code for one in directory.find("dong thap")] == ["H61"]
    assert directory.find("  ") == ()
    assert directory.find("cà mau") == ()


def test_a_succession_that_has_not_begun_is_not_followed() -> None:
    later = merged("H1.2", SuccessionKind.RENAME)
    one = organisation("H1.1", "Xã Một", Level.COMMUNE, valid_to=date(2025, 5, 1), successors=(later,))
    two = organisation("H1.2", "Xã Hai", Level.COMMUNE)
    assert snapshot([one, two]).resolve("H1.1", date(2025, 6, 1)).finding is Finding.DECISION
    assert snapshot([one, two]).resolve("H1.1", REFORM).finding is Finding.SUCCEEDED


def test_the_instant_of_issue_carries_a_zone() -> None:
    assert tay_ninh().issued_at == datetime(2026, 11, 1, tzinfo=UTC)
