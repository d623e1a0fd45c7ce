"""Output: every command's words leave through here.

Rules
    1. Standard output carries the answer, standard error everything else; an error never stands on standard output
       (but `verify --json` has one object per file, and a file that cannot be read is one of them).
    2. With --json the answer is JSON Lines: one object per line, UTF-8, keys and states in English, times in ISO 8601.
    3. An error is told in three lines: code and what happened, why if that is known, and what to do next.  With --json
       it is one object on standard error.  Never a traceback: a traceback means a fault of edoc itself.
    4. States, indications and error codes are never translated; all else is, by --lang, else the locale, else English.
    5. Names and subjects come from messages: control and bidirectional characters in them are shown as U+FFFD.
    6. Colour and rich tables on a terminal only; anywhere else plain columns, the same bytes on every machine.

Does not know what is told: each command builds its own rows.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from edoc.cli.texts import CAUSE, NEXT, Text
from edoc.errors import EdocError

VIETNAM = timezone(timedelta(hours=7))


def language(wanted: str | None, environment: Mapping[str, str]) -> str:
    """Return ``vi`` or ``en``: what was asked for, else the locale's language, else English (POSIX, 8.2)."""
    if wanted:
        return wanted
    locale = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "vi" if locale.lower().startswith("vi") else "en"


def clean(text: str) -> str:
    """Return `text` without what could steer a terminal or turn its reading order."""
    return "".join("\ufffd" if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else char for char in text)


def moment(time: datetime | None) -> str:
    """Return a time as clerks read it: Vietnamese time, to the second."""
    return "—" if time is None else time.astimezone(VIETNAM).isoformat(sep=" ", timespec="seconds")


@dataclass(frozen=True, slots=True)
class Output:
    """Where a command's words go: language, and whether a machine reads them."""

    lang: str = "en"
    as_json: bool = False

    def text(self, text: Text, **facts: object) -> str:
        """Return `text` in the reader's language."""
        return (text.vi if self.lang == "vi" else text.en).format(**facts)

    def say(self, text: Text, **facts: object) -> None:
        """Write one line for people; nothing with --json."""
        if not self.as_json:
            self.line(self.text(text, **facts))

    def line(self, line: str) -> None:
        """Write one line to standard output."""
        sys.stdout.write(clean(line) + "\n")

    def note(self, text: Text, **facts: object) -> None:
        """Write one line about what is going on to standard error."""
        sys.stderr.write(clean(self.text(text, **facts)) + "\n")

    def object(self, value: object) -> None:
        """Write one JSON object as a line."""
        import msgspec  # noqa: PLC0415 -- not needed for --help, which has to be quick

        sys.stdout.write(msgspec.json.encode(value).decode() + "\n")

    def table(self, heads: Sequence[Text], rows: Sequence[Sequence[str]]) -> None:
        """Write rows under heads."""
        titles = [self.text(head) for head in heads]
        cells = [[clean(cell) for cell in row] for row in rows]
        if sys.stdout.isatty():
            _rich_table(titles, cells)
        else:
            _plain_table(titles, cells)

    def error(self, error: EdocError) -> None:
        """Write an error to standard error."""
        if self.as_json:
            import msgspec  # noqa: PLC0415 -- as above

            sys.stderr.write(msgspec.json.encode(error_object(error, self.lang)).decode() + "\n")
            return
        lines = [f"{error.code}: {error.text(self.lang)}"]
        if error.cause:
            lines.append(f"  {self.text(CAUSE)} {error.cause}")
        lines.append(f"  {self.text(NEXT)} {error.next_step(self.lang)}")
        sys.stderr.write("".join(clean(line) + "\n" for line in lines))


def error_object(error: EdocError, lang: str) -> dict[str, str]:
    """Return an error as --json tells it."""
    return {"error": error.code, "text": error.text(lang), "cause": error.cause, "next_step": error.next_step(lang)}


_CURRENT: ContextVar[Output] = ContextVar("output")


def output(lang: str | None, as_json: bool = False) -> Output:
    """Return the output of this command and remember it for errors."""
    made = Output(lang=language(lang, os.environ), as_json=as_json)
    _CURRENT.set(made)
    return made


def current() -> Output:
    """Return the output of the command that runs, or one by locale when none began."""
    return _CURRENT.get(None) or Output(lang=language(None, os.environ))


def _width(text: str) -> int:
    """Return the columns `text` takes: combining marks none, wide characters two."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _plain_table(heads: list[str], rows: list[list[str]]) -> None:
    widths = [max(_width(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    for row in [heads, *rows]:
        padded = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def _rich_table(heads: list[str], rows: list[list[str]]) -> None:
    from rich.console import Console  # noqa: PLC0415 -- 60 ms, and only a terminal needs it
    from rich.table import Table  # noqa: PLC0415 -- the same
    from rich.text import Text as Cell  # noqa: PLC0415 -- the same

    table = Table(*heads, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Cell(cell) for cell in row))  # as text: brackets in a name are no markup
    Console().print(table)
