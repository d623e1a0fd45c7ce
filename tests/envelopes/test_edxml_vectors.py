"""edXML as the field writes it: each file of tests/vectors/edxml says beside it what it is and how it is answered.

``NAME.edxml`` and ``NAME.expect.json`` are one case; to add one, add the two files.  In an expectation, an object
names the fields that matter and a list is whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from envelopes.cases import ID, OFFICE
from hypothesis import given
from hypothesis import strategies as st

from edoc.envelopes.edxml import read_envelope, read_inline, write_envelope
from edoc.envelopes.edxml_kind import DOCUMENTS, Kind, classify, read_foreign_status
from edoc.errors import EdocError

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "edxml"
SAMPLES = os.environ.get("EDOC_SAMPLES", "")


class FaultExpected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    facts: dict[str, str] = {}


class FileExpected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the document: the name it shows, and its content as text or its size."""

    name: str
    text: str | None = None
    size: int | None = None
    description: str = ""


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a vector is and how it is answered.

    A document: the fields that are read, its files, what is kept of unknown elements, or the `fault`.  A status: what
    is read of it or the `status_fault`; in the outbox it is NOT_A_DOCUMENT unless `fault` says otherwise.
    """

    about: str
    kind: Kind
    document: dict[str, Any] = {}
    claimed_sender: str = "000.00.00.G22"
    files: tuple[FileExpected, ...] | None = None
    kept: tuple[str, ...] = ()
    status: dict[str, Any] | None = None
    status_fault: FaultExpected | None = None
    fault: FaultExpected | None = None


class Vector(msgspec.Struct, frozen=True):
    name: str
    data: bytes
    expected: Expected


def load(path: Path) -> Vector:
    expected = msgspec.json.decode(path.with_suffix(".expect.json").read_bytes(), type=Expected)
    return Vector(name=path.stem, data=path.read_bytes(), expected=expected)


VECTORS = [load(path) for path in sorted(FOLDER.glob("*.edxml"))]
READ = [one for one in VECTORS if one.expected.kind in DOCUMENTS and one.expected.fault is None]
STATUSES = [one for one in VECTORS if one.expected.kind is Kind.STATUS]
REFUSED = [one for one in VECTORS if one.expected.kind not in DOCUMENTS or one.expected.fault is not None]


def each(vectors: list[Vector]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", vectors, ids=lambda one: one.name)


def meets(found: Any, expected: Any, path: str = "") -> None:
    """Check that `found` holds what is expected: of an object the named fields, of a list every element."""
    if isinstance(expected, dict):
        for name, value in expected.items():
            meets(found[name], value, f"{path}.{name}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), path
        for index, (one, other) in enumerate(zip(found, expected, strict=True)):
            meets(one, other, f"{path}[{index}]")
    else:
        assert found == expected, path


def refused(read: Callable[[], object], expected: FaultExpected) -> None:
    with pytest.raises(EdocError) as caught:
        read()
    error = caught.value
    assert error.code == expected.code
    meets(dict(error.facts), expected.facts)
    for lang in ("vi", "en"):  # what, where, why and what to do, without a hole
        assert "{" not in error.text(lang) + error.next_step(lang) or "{http" in error.text(lang)


def test_every_vector_has_its_expectation_and_the_other_way_round() -> None:
    assert VECTORS
    told = {path.name.removesuffix(".expect.json") for path in FOLDER.glob("*.expect.json")}
    assert told == {one.name for one in VECTORS}


def test_the_vectors_show_every_kind() -> None:
    assert {one.expected.kind for one in VECTORS} == set(Kind)


@each(VECTORS)
def test_a_file_is_named_for_what_it_is(vector: Vector) -> None:
    assert classify(vector.data) is vector.expected.kind


@each(READ)
def test_a_document_is_read_and_sealed_without_loss(vector: Vector) -> None:
    expected = vector.expected
    submission, contents = read_inline(vector.data, ID, OFFICE)
    document = submission.document
    meets(msgspec.to_builtins(document), expected.document)
    assert submission.claimed_sender == expected.claimed_sender
    written = write_envelope(document)
    assert read_envelope(written) == document
    for text in expected.kept:
        assert any(text in one for one in document.unknown), text
        assert text in written.decode(), text
    assert expected.files is not None, "the expectation names no files"
    assert len(contents) == len(submission.files) == len(expected.files)
    for (name, content), declared, wanted in zip(contents, submission.files, expected.files, strict=True):
        assert (declared.file, declared.name, declared.description) == (name, wanted.name, wanted.description)
        assert wanted.text is None or content == wanted.text.encode()
        assert wanted.size is None or len(content) == wanted.size


@each(REFUSED)
def test_what_is_no_document_to_send_is_refused_with_what_to_do(vector: Vector) -> None:
    expected = vector.expected.fault or FaultExpected(code="NOT_A_DOCUMENT")
    refused(lambda: read_inline(vector.data, ID, OFFICE), expected)


@each(STATUSES)
def test_a_status_of_another_system_is_read_as_it_stands(vector: Vector) -> None:
    expected = vector.expected
    if expected.status_fault is not None:
        refused(lambda: read_foreign_status(vector.data), expected.status_fault)
        return
    status = read_foreign_status(vector.data)
    assert expected.status is not None, "the expectation does not say what is read"
    meets(msgspec.to_builtins(status), expected.status)
    for text in expected.kept:
        assert any(text in one for one in status.unknown), text


@each([one for one in VECTORS if one.expected.kind is not Kind.STATUS])
def test_nothing_else_is_taken_for_a_status(vector: Vector) -> None:
    with pytest.raises(EdocError):
        read_foreign_status(vector.data)


def test_what_a_status_in_the_outbox_was_about_is_told() -> None:
    vector = next(one for one in STATUSES if one.name == "status-03")
    with pytest.raises(EdocError) as caught:
        read_inline(vector.data, ID, OFFICE)
    assert caught.value.facts == {"status_code": "03", "sender": "000.00.00.H41", "about": "7816/VPCP-TTĐT"}
    assert "7816/VPCP-TTĐT" in caught.value.text("vi")


def spoiled(data: bytes, cuts: list[tuple[int, bytes]]) -> bytes:
    for place, octets in cuts:
        data = data[:place] + octets + data[place + len(octets) :]
    return data


# Octets replaced in the first two kilobytes, where all that decides stands.
CUTS = st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=4)), max_size=3)
DAMAGED = st.builds(spoiled, st.sampled_from([one.data for one in VECTORS]), CUTS)


@given(st.binary(max_size=300) | DAMAGED)
def test_whatever_the_bytes_are_they_have_a_kind_and_an_answer(data: bytes) -> None:
    kind = classify(data)
    with suppress(EdocError):
        if kind is Kind.STATUS:
            read_foreign_status(data)
        else:
            read_inline(data, ID, OFFICE)
            assert kind in DOCUMENTS


@pytest.mark.skipif(not SAMPLES, reason="EDOC_SAMPLES names no folder with messages of real systems")
def test_every_sample_of_a_real_system_is_classified_and_answered() -> None:
    found = {path.stem: path.read_bytes() for path in sorted(Path(SAMPLES).glob("*.edxml"))}
    assert found
    for name, data in found.items():
        kind = classify(data)
        assert kind.value == ("status" if name.startswith("status-") else name.removeprefix("document-")), name
        if kind is Kind.STATUS:
            status = read_foreign_status(data)
            assert status.status_code == name.removeprefix("status-")
            assert status.code == status.status_code
            assert status.timestamp is not None
            refused(lambda data=data: read_inline(data, ID, OFFICE), FaultExpected(code="NOT_A_DOCUMENT"))  # type: ignore[misc]  # a lambda with a default has no inferred type
        else:
            submission, files = read_inline(data, ID, OFFICE)
            assert len(files) == 1
            assert submission.document.subject
