"""The marks that keep a stored PIN from being tried twice."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edoc.token.pin_guard import Mark, PinGuard


def test_a_token_that_was_never_tried_has_no_mark(tmp_path: Path) -> None:
    assert PinGuard(tmp_path).mark("0123") is None


def test_a_mark_is_still_there_for_the_next_process(tmp_path: Path) -> None:
    PinGuard(tmp_path).begin("0123")
    assert PinGuard(tmp_path).mark("0123") is Mark.TRYING
    PinGuard(tmp_path).refuse("0123")
    assert PinGuard(tmp_path).mark("0123") is Mark.REFUSED
    PinGuard(tmp_path).clear("0123")
    assert PinGuard(tmp_path).mark("0123") is None


def test_each_serial_has_its_own_mark(tmp_path: Path) -> None:
    guard = PinGuard(tmp_path)
    guard.refuse("A")
    assert guard.mark("B") is None
    guard.clear("B")
    assert guard.mark("A") is Mark.REFUSED


def test_a_mark_that_cannot_be_read_is_a_mark(tmp_path: Path) -> None:
    guard = PinGuard(tmp_path)
    guard.begin("0123")
    for file in tmp_path.glob("pin-*.json"):
        file.write_bytes(b"")
    assert guard.mark("0123") is Mark.TRYING


def test_the_files_are_ours_alone(tmp_path: Path) -> None:
    PinGuard(tmp_path).begin("0123")
    assert [file.stat().st_mode & 0o777 for file in tmp_path.iterdir()] == [0o600]


@given(st.text(max_size=40))
def test_whatever_a_token_calls_its_serial_it_is_no_path(serial: str) -> None:
    file = PinGuard(Path("state"))._file(serial)
    assert file.parent == Path("state")
    assert file.name.isascii()
    assert file.name.startswith("pin-")
