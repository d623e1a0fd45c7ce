"""The demo: four offices exchange documents on real parts, and everything is checked from their folders.

Exit codes: 0 everything that should arrive did, byte for byte, with its receipt, and everything that should be refused
was; 1 something was not so; 64 the folder or the options are not usable; 130 stopped from the keyboard.

Rules: everything lies in one folder, which is emptied at the start if it is one of the demo's own; what was started is
stopped, also after Ctrl-C or a failure.
"""

from __future__ import annotations

import argparse
import fcntl
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn, TextIO

from edoc.ports import today
from lab.offices import Network
from lab.processes import NotReadyError
from lab.scenario import cases
from lab.telling import Teller, console
from lab.watch import Watch

_MARK = ".edoc-demo"
_USUAL = Path(__file__).resolve().parents[2] / "demo-run"
_USAGE = 64


class FolderError(Exception):
    """The folder cannot be used for a demo."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(_USAGE, f"{self.format_usage()}{self.prog}: {message}\n")


def main(arguments: Sequence[str]) -> int:
    """Run the demo and return its exit code."""
    options = _options(arguments)
    teller = Teller(console())
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with _folder(options.dir) as folder, _network(folder, teller) as network:
            wrong = _run(network, teller)
            if options.keep_running:
                teller.plain("Everything keeps running; Ctrl-C stops it.")
                signal.pause()
    except FolderError as error:
        print(f"demo: {error}", file=sys.stderr)
        return _USAGE
    except NotReadyError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: stopped", file=sys.stderr)
        return 130
    return 1 if wrong else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(prog="demo", description="Four offices exchange sealed documents on real parts.")
    parser.add_argument("--dir", type=Path, default=_USUAL, help="where everything goes (default: demo-run)")
    parser.add_argument("--keep-running", action="store_true", help="go on after the report, until Ctrl-C")
    return parser.parse_args(arguments)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
    """Yield `path`, empty and ours alone; raise FolderError when it holds something else or cannot be written."""
    path = path.resolve()
    with _opened(path) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderError(f"another demo runs in {path}") from error
        for entry in path.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name != _MARK:
                entry.unlink()
        yield path


def _opened(path: Path) -> TextIO:
    """Make the folder and return its mark, open."""
    mark = path / _MARK
    try:
        if path.exists() and not mark.exists() and (not path.is_dir() or any(path.iterdir())):
            raise FolderError(f"{path} holds something that is not a demo's: choose another --dir")
        path.mkdir(parents=True, exist_ok=True)
        return mark.open("w")
    except OSError as error:
        raise FolderError(f"{path} cannot be used ({error.strerror}): choose another --dir") from error


@contextmanager
def _network(folder: Path, teller: Teller) -> Iterator[Network]:
    network = Network(folder, tell=teller.step)
    try:
        with network:
            yield network
    finally:
        teller.close()


def _run(network: Network, teller: Teller) -> list[str]:
    """Exchange the documents, tell of it, and return what was not as it should be."""
    ready = teller.elapsed()
    teller.step("the offices' programs write their documents")
    every = cases(network.authority, today(datetime.now(UTC)))
    watch = Watch(network, every, teller)
    exchange = watch.run()
    wrong, refused = watch.wrong(), watch.refused()
    good = tuple(case for case in every if case.fault is None)
    documents = [watch.known[case.job.name].document_id for case in good if case.job.name in watch.known]
    teller.received(network, documents)
    teller.receipts(good, watch.known, watch.seconds)
    teller.refusals(refused)
    teller.timings({"start": ready, "exchange": exchange, "all": teller.elapsed()})
    teller.look_further(network, documents)
    teller.verdict(wrong, len(good), len(refused))
    return wrong
