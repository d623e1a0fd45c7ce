"""Who belongs to a broker, and where mail for everybody else goes."""

from __future__ import annotations

from datetime import date

from fakes.directory import REFORM, TAN_BIEN, TAN_LAP, TAY_NINH, THANH_BINH, VPCP, XA_TAN_BIEN, tay_ninh

from edoc.cli.broker import members_and_routes
from edoc.model.identifiers import OrganId

TODAY = date(2026, 11, 22)


def test_members_are_those_of_the_offices_own_domain_that_exist_today() -> None:
    members, _ = members_and_routes(tay_ninh(), TAN_LAP, TODAY)
    assert {(one.organ_id, one.level) for one in members} == {
        (TAY_NINH, "province"),
        (TAN_LAP, "commune"),
        (XA_TAN_BIEN, "commune"),
    }


def test_before_the_reform_the_district_was_a_member() -> None:
    members, _ = members_and_routes(tay_ninh(), TAN_LAP, REFORM.replace(year=2024))
    assert (TAN_BIEN, "district") in {(one.organ_id, one.level) for one in members}


def test_a_code_of_another_broker_goes_to_the_relay_under_each_of_its_codes() -> None:
    _, routes = members_and_routes(tay_ninh(), TAN_LAP, TODAY)
    assert routes[VPCP] == TAY_NINH
    assert routes[OrganId("G22")] == TAY_NINH


def test_a_former_code_and_a_merged_unit_go_to_who_answers_today() -> None:
    _, routes = members_and_routes(tay_ninh(), TAN_LAP, TODAY)
    assert routes[OrganId("000.20.31.H53")] == TAN_LAP
    assert routes[THANH_BINH] == TAN_LAP


def test_a_unit_without_an_answering_one_is_routed_nowhere() -> None:
    _, routes = members_and_routes(tay_ninh(), TAN_LAP, TODAY)
    assert TAN_BIEN not in routes


def test_seen_from_the_centre_the_province_lies_behind_the_centres_relay() -> None:
    members, routes = members_and_routes(tay_ninh(), VPCP, TODAY)
    assert [one.organ_id for one in members] == [VPCP]
    assert routes[TAN_LAP] == VPCP
