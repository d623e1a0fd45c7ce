"""What the demo shows: live progress, then who received what, receipts, refusals, timings, and where to look.

Rules: on a terminal a table lives at the foot and events scroll above it; elsewhere events are lines.  Nothing is
shown that was not read from the offices' folders.
Does not decide whether the demo passed.
"""

from __future__ import annotations

import shlex
import sys
import time
from io import TextIOWrapper
from pathlib import Path

from rich import box
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from edoc.exchange.reports import ErrorFile, StatusFile
from edoc.model.state import State
from lab.offices import Network
from lab.outcome import delivery
from lab.processes import edoc_command
from lab.scenario import Case
from lab.units import UNITS

_COLOURS = {
    State.DELIVERED: "green",
    State.SENT: "cyan",
    State.PACKED: "cyan",
    State.REFUSED: "red",
    State.FAILED: "red",
    State.HELD: "yellow",
}
_NAMES = {unit.code: unit.name for unit in UNITS}
_SHORT = {unit.code: unit.folder for unit in UNITS}  # names of offices would fold a narrow terminal's table


def console() -> Console:
    """Return the console: of the terminal's width, or 120 columns where nobody folds lines."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without UTF-8 is no reason to fail
    return Console(width=None if sys.stdout.isatty() else 120, highlight=False)


class Teller:
    """Tells one run of the demo."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._started = time.monotonic()
        self._live: Live | None = None

    def elapsed(self) -> float:
        """Return the seconds since the demo began."""
        return time.monotonic() - self._started

    def step(self, text: str) -> None:
        """Tell of a step of ours."""
        self._print(f"[dim]{self.elapsed():5.1f} s[/] {escape(text)}")

    def event(self, case: Case, text: str, state: str) -> None:
        """Tell of something that happened to a document."""
        colour = _COLOURS.get(State(state), "white") if state in set(State) else "white"
        code = f"{case.job.letter.number}/{case.job.letter.notation}"
        self._print(f"[dim]{self.elapsed():5.1f} s[/] {escape(code):<15} [{colour}]{state:<9}[/] {escape(text)}")

    def watch(self, cases: tuple[Case, ...]) -> None:
        """Begin the live table, on a terminal."""
        if self._out.is_terminal:
            self._live = Live(_progress(cases, {}), console=self._out, refresh_per_second=8, transient=True)
            self._live.start()

    def progress(self, cases: tuple[Case, ...], known: dict[str, StatusFile]) -> None:
        """Bring the live table up to date."""
        if self._live is not None:
            self._live.update(_progress(cases, known))

    def close(self) -> None:
        """End the live table.  Idempotent."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def received(self, network: Network, documents: list[str]) -> None:
        """Tell who received what."""
        table = _table("Who received what", "Office", "From", "Document", "Files", "MB", "Verdict")
        for office in network:
            for document_id in documents:
                found = delivery(office, document_id)
                if found is not None:
                    table.add_row(
                        office.name,
                        _NAMES[found.sender],
                        f"{escape(found.code)}  {escape(found.subject)}"
                        + ("" if found.urgency == "thường" else f"  [red]{found.urgency}[/]"),
                        "\n".join(escape(name) for name in found.files),
                        f"{found.size / 1e6:.1f}",
                        f"[green]{found.indication}[/]" if found.indication == "TOTAL-PASSED" else found.indication,
                    )
        self._out.print(table)

    def receipts(
        self, cases: tuple[Case, ...], known: dict[str, StatusFile], seconds: dict[tuple[str, str], float]
    ) -> None:
        """Tell of every signed receipt that the sender verified, with the time from the spool to it."""
        table = _table("Signed receipts", "Document", "Recipient", "State", "Receipt", "Seconds")
        for case in cases:
            status = known.get(case.job.name)
            for one in status.recipients if status is not None else ():
                at = one.receipt_at.astimezone().strftime("%H:%M:%S") if one.receipt_at else "—"
                took = seconds.get((case.job.name, one.organ_id))
                table.add_row(
                    f"{case.job.letter.number}/{case.job.letter.notation}",
                    _NAMES.get(one.organ_id, one.organ_id),
                    f"[{_COLOURS.get(one.state, 'white')}]{one.state}[/]",
                    at,
                    "—" if took is None else f"{took:.1f}",
                )
        self._out.print(table)

    def refusals(self, refused: list[tuple[Case, ErrorFile]]) -> None:
        """Tell of every job that was refused, in the words its office reads."""
        table = _table("Refused", "Office", "Job", "Code", "Reason")
        for case, error in refused:
            table.add_row(case.sender.name, case.job.name, error.code, escape(f"{error.text_vi}\n→ {error.next_vi}"))
        self._out.print(table)

    def timings(self, parts: dict[str, float]) -> None:
        """Tell how long the parts took."""
        self._out.print("[bold]Timings[/]  " + "   ".join(f"{name} {seconds:.1f} s" for name, seconds in parts.items()))

    def look_further(self, network: Network, documents: list[str]) -> None:
        """Tell which commands show more."""
        office = next(iter(network))
        edoc, python = _shown(Path(edoc_command())), _shown(Path(sys.executable))
        packages = [path for one in documents for path in sorted(network.root.glob(f"*/inbox/{one}/package.asice"))]
        lines = [f"tail {_shown(office.daemon.log)}", f"ls {_shown(network.root)}/*/"]
        for package in packages[:1]:
            lines = [
                f"{edoc} verify {_shown(package)} --config {_shown(office.config)}",
                f"{edoc} status {package.parent.name} --config {_shown(package.parents[2] / 'edoc.toml')}",
                f"cat {_shown(package.with_name('verification.txt'))}",
                f"{python} -m zipfile -l {_shown(package)}",
                *lines,
            ]
        self._out.print("[bold]To look further[/]")
        for line in lines:
            self._out.print(f"  {escape(line)}", soft_wrap=True)

    def verdict(self, wrong: list[str], documents: int, refused: int) -> None:
        """Tell the result."""
        if wrong:
            self._out.print(f"[bold red]The demo failed: {len(wrong)} things are not as they should be.[/]")
            for each in wrong:
                self._out.print(f"  [red]•[/] {escape(each)}")
        else:
            self._out.print(
                f"[bold green]All {documents} documents arrived and were acknowledged by every recipient, "
                f"all {refused} bad ones were refused.[/]"
            )

    def plain(self, text: str) -> None:
        """Tell a line as it is."""
        self._print(escape(text))

    def _print(self, text: str) -> None:
        self._out.print(text, soft_wrap=True)


def _progress(cases: tuple[Case, ...], known: dict[str, StatusFile]) -> Table:
    table = _table("", "From", "Document", "", "Recipients")
    for case in cases:
        status = known.get(case.job.name)
        reached = {str(one.organ_id): one.state for one in status.recipients} if status is not None else {}
        marks = (_coloured(_SHORT.get(code, code), reached.get(code)) for code in case.job.recipients)
        state = "" if status is None else _coloured("", status.state)
        code = f"{case.job.letter.number}/{case.job.letter.notation}"
        table.add_row(case.sender.folder, code, state, "  ".join(marks))
    return table


def _coloured(name: str, state: State | None) -> str:
    if state is None:
        return f"[dim]{name}[/]"
    return f"[{_COLOURS.get(state, 'white')}]{f'{name} {state}'.strip()}[/]"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in {"MB", "Seconds"} else "left")
    return table


def _shown(path: Path) -> str:
    """Return `path` from here when it lies below, for a command that can be pasted."""
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))
