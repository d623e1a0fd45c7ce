"""Exit codes: a contract with scripts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edoc.cli.exit_codes import MEANING, Exit, exit_codes_page, exit_of_error, exit_of_indication, worst
from edoc.errors import EdocError, catalogue
from edoc.model.verdict import Indication

PAGE = Path(__file__).parents[2] / "docs" / "exit-codes.md"
ORDER = [Exit.FAILED, Exit.INDETERMINATE, Exit.UNSIGNED, Exit.OK]


def test_the_page_is_made_from_the_code_and_tells_every_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == exit_codes_page()
    assert set(MEANING) == set(Exit)


@given(st.lists(st.sampled_from(ORDER), min_size=1))
def test_failed_outranks_indeterminate_outranks_unsigned_outranks_passed(codes: list[Exit]) -> None:
    assert worst(codes) is next(code for code in ORDER if code in codes)


@given(st.lists(st.sampled_from(ORDER)), st.lists(st.sampled_from([code for code in Exit if code >= 64]), min_size=1))
def test_no_answer_outranks_every_answer(answers: list[Exit], errors: list[Exit]) -> None:
    assert worst([*answers, *errors]) is max(errors)


def test_each_indication_has_its_number() -> None:
    assert [exit_of_indication(one) for one in (*Indication, None)] == [0, 1, 2, 3]


@pytest.mark.parametrize("fault", catalogue().values(), ids=lambda fault: fault.code)
def test_no_error_looks_like_an_answer(fault: object) -> None:
    code = exit_of_error(EdocError(catalogue()[getattr(fault, "code", "")]))
    assert code >= 64
