"""Identifiers are checked once, where they enter."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edoc.errors import EdocError
from edoc.model.identifiers import parse_document_id, parse_organ_id, parse_sha256, sha256_of


@pytest.mark.parametrize("code", ["000.00.00.H53", "H53.31.20", "H29", "H37.DN.001", "H55.242"])
def test_both_grammars_of_codes_are_taken(code: str) -> None:
    assert parse_organ_id(code) == code


@pytest.mark.parametrize("code", ["", "h53", "H53..31", ".H53", "H53.", "H53/31", "H53\n", "A" * 36, "Ｈ53", "../H53"])
def test_anything_else_is_no_code(code: str) -> None:
    with pytest.raises(EdocError, match="BAD_IDENTIFIER"):
        parse_organ_id(code)


@pytest.mark.parametrize(
    "text", ["", "{6f1c5a52-7c0e-4a41-9f0e-0d8f1f3f9d10}", "6F1C5A52-7C0E-4A41-9F0E-0D8F1F3F9D10", "6f1c5a52"]
)
def test_only_the_canonical_form_of_a_uuid_is_a_document_id(text: str) -> None:
    with pytest.raises(EdocError, match="BAD_IDENTIFIER"):
        parse_document_id(text)


def read(parse: Callable[[str], str], text: str) -> str:
    try:
        return parse(text)
    except EdocError as error:
        return error.code


@pytest.mark.parametrize("parse", [parse_organ_id, parse_document_id, parse_sha256])
@given(st.text(max_size=80))
def test_no_text_makes_a_parser_fail_otherwise(parse: Callable[[str], str], text: str) -> None:
    assert read(parse, text) in {text, "BAD_IDENTIFIER"}


@given(st.binary(max_size=100))
def test_a_digest_is_a_sha256(content: bytes) -> None:
    assert parse_sha256(sha256_of(content)) == sha256_of(content)
