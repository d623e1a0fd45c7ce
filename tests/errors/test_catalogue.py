"""Every fault says what is wrong and what to do, in two languages, from the same facts."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

import pytest
from typer.main import get_command

from edoc.cli.main import app
from edoc.errors import EdocError, Fault, catalogue

FAULTS = list(catalogue().values())


def facts(template: str) -> set[str]:
    """The facts of a text; one that is itself a sentence has a Vietnamese twin NAME_vi."""
    return {name.removesuffix("_vi") for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.code)
def test_both_languages_tell_the_same_facts(fault: Fault) -> None:
    assert facts(fault.en) == facts(fault.vi)
    assert facts(fault.next_en) == facts(fault.next_vi)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.code)
def test_every_text_ends_its_sentence_and_every_next_step_may_end_in_a_command_to_type(fault: Fault) -> None:
    for text in (fault.en, fault.vi):
        assert text[-1] in ".?”}"
    for step in (fault.next_en, fault.next_vi):
        assert step[-1] in ".?”}" or re.search(r"edoc [a-z -]+(\(.*\))?$", step)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.code)
def test_a_code_is_stable_and_plain(fault: Fault) -> None:
    assert re.fullmatch(r"[A-Z][A-Z0-9_]{2,39}", fault.code)


def test_a_missing_fact_never_hides_the_error() -> None:
    error = EdocError(catalogue()["RECIPIENT_UNKNOWN"])
    assert "{recipient}" in error.text("vi")


def test_an_error_survives_its_journey_as_plain_data() -> None:
    error = EdocError(catalogue()["RECIPIENT_UNKNOWN"], recipient="H99", cause="lookup")
    again = error.report().error()
    assert (again.code, again.text("vi"), again.cause) == (error.code, error.text("vi"), "lookup")


def commands() -> set[str]:
    return {" ".join(path) for path in walk(get_command(app))}


def walk(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from walk(inner, (*path, name))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.code)
def test_every_command_that_a_next_step_names_can_be_typed(fault: Fault) -> None:
    known = commands()
    for step in (fault.next_en, fault.next_vi):
        for words in re.findall(r"(?:“|`|: |, then |rồi |rồi chạy )edoc ([a-z]+(?: [a-z]+)?)", step):
            assert words in known or words.split()[0] in known, words
