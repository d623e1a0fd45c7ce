"""What one check of `edoc check` found.

Does not check.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edoc.cli.render import Output
from edoc.cli.texts import CHECK_SKIPPED, Text
from edoc.errors import EdocError


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line: what was checked, how it is, and what to type next."""

    id: str
    level: Level
    text: str
    next_step: str = ""


def passed(check: str, text: Text, out: Output, **facts: object) -> Finding:
    """Return a good finding."""
    return Finding(id=check, level=Level.OK, text=out.text(text, **facts))


def found_error(check: str, error: EdocError, out: Output, level: Level = Level.FAIL) -> Finding:
    """Return the finding that an error is."""
    cause = f" ({error.cause})" if error.cause else ""
    text = f"{error.code}: {error.text(out.lang)}{cause}"
    return Finding(id=check, level=level, text=text, next_step=error.next_step(out.lang))


def skipped(check: str, why: str, out: Output) -> Finding:
    """Return the finding that an earlier failure left no way to check."""
    return Finding(id=check, level=Level.SKIP, text=out.text(CHECK_SKIPPED, why=why))
