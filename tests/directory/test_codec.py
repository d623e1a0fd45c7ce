"""directory.json."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fakes.directory import snapshot, tay_ninh
from hypothesis import given
from hypothesis import strategies as st

from edoc.directory.codec import decode_directory, directory_schema, encode_directory
from edoc.directory.organisation import KeyPin, Level, LevelSpan, Name, Organisation
from edoc.errors import EdocError
from edoc.model.identifiers import OrganId, Sha256

SCHEMA = Path(__file__).parents[2] / "schemas" / "directory.schema.json"

codes = st.from_regex(r"\A[A-Z][0-9]{2}(\.[A-Z0-9]{1,5}){0,4}\Z").map(OrganId)
days = st.none() | st.dates(date(1990, 1, 1), date(2100, 1, 1))
instants = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- bounds of hypothesis are naive
organisations = st.builds(
    Organisation,
    code=codes,
    names=st.lists(
        st.builds(Name, name=st.text(min_size=1, max_size=40), valid_from=days, valid_to=days), min_size=1, max_size=3
    ).map(tuple),
    levels=st.lists(st.builds(LevelSpan, level=st.sampled_from(Level)), min_size=1, max_size=2).map(tuple),
    valid_from=st.dates(date(1990, 1, 1), date(2100, 1, 1)),
    key_pins=st.lists(
        st.builds(
            KeyPin, sha256=st.binary(min_size=32, max_size=32).map(lambda b: Sha256(b.hex())), not_before=instants
        ),
        max_size=2,
    ).map(tuple),
)


@given(st.lists(organisations, max_size=5, unique_by=lambda one: one.code), st.integers(1, 10**9), instants)
def test_what_is_written_is_read_back_and_obeys_the_schema(
    entries: list[Organisation], version: int, issued: datetime
) -> None:
    wanted = snapshot(entries, version=version, issued_at=issued, expires_at=issued + timedelta(days=90))
    content = encode_directory(wanted)
    read = decode_directory(content)
    assert (read.version, read.issued_at, read.organisations) == (version, issued, tuple(entries))
    assert encode_directory(read) == content


def test_the_example_obeys_the_published_schema() -> None:
    jsonschema.validate(json.loads(encode_directory(tay_ninh())), json.loads(SCHEMA.read_bytes()))


def test_the_published_schema_is_made_from_the_code() -> None:
    assert json.loads(SCHEMA.read_bytes()) == directory_schema()


def _entry(data: dict[str, Any], number: int) -> dict[str, Any]:
    entry = data["organisations"][number]
    assert isinstance(entry, dict)
    return entry


BACK = {"kind": "merge", "date": "2026-01-01", "code": "H53.31.21"}
CUT = {"sha256": "ab", "not_before": "2026-01-01T00:00:00Z"}
BROKEN: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a code twice": (lambda d: d["organisations"].append(_entry(d, 0)), "given twice"),
    "an alias that is another's code": (lambda d: _entry(d, 0).update(aliases=["H53.31.20"]), "given twice"),
    "an unknown level": (lambda d: _entry(d, 0)["levels"][0].update(level="ward"), "levels[0].level"),
    "an unknown field": (lambda d: _entry(d, 0).update(colour="red"), "colour"),
    "an unknown format": (lambda d: d.update(format="edoc-directory/2"), "format"),
    "a code with other characters": (lambda d: _entry(d, 0).update(code="g22/../x"), "code"),
    "a code with a line feed": (lambda d: _entry(d, 0).update(code="G22\n", aliases=[]), "code"),
    "a parent that is not there": (lambda d: _entry(d, 3).update(parent="H99"), "H99"),
    "a successor that is not there": (lambda d: _entry(d, 4)["successors"][0].update(code="H99"), "H99"),
    "successors without an end": (lambda d: _entry(d, 4).pop("valid_to"), "valid_to"),
    "an end before the beginning": (lambda d: _entry(d, 4).update(valid_to="2001-01-01"), "ends before"),
    "a circle of parents": (lambda d: _entry(d, 0).update(parent="000.00.00.G22"), "circle"),
    "a circle of successors": (
        lambda d: _entry(d, 3).update(valid_to="2026-01-01", successors=[BACK]),
        "circle",
    ),
    "an expiry before the issue": (lambda d: d.update(expires_at="2020-01-01T00:00:00Z"), "expires"),
    "an instant without a zone": (lambda d: d.update(issued_at="2026-01-01T00:00:00"), "issued_at"),
    "a version that is no number": (lambda d: d.update(version="7"), "version"),
    "a name that is empty": (lambda d: _entry(d, 0)["names"][0].update(name=""), "name"),
    "a fingerprint that is cut": (lambda d: _entry(d, 0).update(key_pins=[CUT]), "sha256"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_directory_that_contradicts_itself_is_refused_whole_and_says_where(case: str) -> None:
    change, where = BROKEN[case]
    data = json.loads(encode_directory(tay_ninh()))
    change(data)
    with pytest.raises(EdocError) as caught:
        decode_directory(json.dumps(data).encode())
    assert caught.value.code == "DIRECTORY_INVALID"
    assert where in caught.value.facts["detail"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"format":"\xff"}'])
def test_what_is_no_directory_at_all_is_refused(content: bytes) -> None:
    with pytest.raises(EdocError) as caught:
        decode_directory(content)
    assert caught.value.code == "DIRECTORY_INVALID"
