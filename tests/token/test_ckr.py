"""Every row of the table of return values."""

from __future__ import annotations

import pytest

from edoc.token.ckr import LOGIN_NOT_TRIED, TABLE, Reaction, name_of, reaction_to

EXPECTED = {
    Reaction.GONE: {0x03, 0x32, 0xE0, 0xE1},
    Reaction.SESSION_LOST: {0xB0, 0xB3, 0x60, 0x82, 0x90, 0x91, 0x101},
    Reaction.MODULE_BROKEN: {0x02, 0x05, 0x06, 0x30, 0x190},
    Reaction.PIN: {0xA0, 0xA1, 0xA2, 0xA3, 0xA4},
}


def test_the_table_has_these_rows_and_no_other() -> None:
    assert {code: row.reaction for code, row in TABLE.items()} == {
        code: reaction for reaction, codes in EXPECTED.items() for code in codes
    }


@pytest.mark.parametrize("code", sorted(TABLE))
def test_a_row_has_a_name_that_people_can_look_up(code: int) -> None:
    assert name_of(code).startswith("CKR_")
    assert name_of(code).endswith(f"(0x{code:X})")


@pytest.mark.parametrize("code", [0x21, 0x54, 0x63, 0x68, 0x70, 0x150])
def test_a_code_that_is_not_in_the_table_refuses_the_request_only(code: int) -> None:
    assert reaction_to(code) is Reaction.REFUSED


@pytest.mark.parametrize("code", [0x80000000, 0x80000123, -1])
def test_a_vendors_own_code_or_a_loaders_says_nothing_so_the_module_is_broken(code: int) -> None:
    assert reaction_to(code) is Reaction.MODULE_BROKEN


def test_no_answer_about_the_pin_counts_as_not_tried() -> None:
    assert not LOGIN_NOT_TRIED & EXPECTED[Reaction.PIN]
    assert 0x32 not in LOGIN_NOT_TRIED  # removed during the call: nobody knows
