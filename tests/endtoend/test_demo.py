"""The demo, run as a newcomer runs it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from interop.demo_package import assert_demo_package_passes
from interop.dss_runner import Dss

SCRIPTS = Path(__file__).parents[2] / "scripts"

pytestmark = [
    pytest.mark.skipif(not Path("/usr/lib/rabbitmq/bin/rabbitmq-server").exists(), reason="RabbitMQ is not installed"),
    pytest.mark.skipif(shutil.which("softhsm2-util") is None, reason="SoftHSM is not installed"),
]


def demo(folder: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPTS / "demo.py"), "--dir", str(folder), *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of processes that name `folder`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended while we looked
        if str(folder) in line and int(entry.parent.name) != os.getpid():
            found.append(line)
    return found


@dataclass(frozen=True)
class Ran:
    """A demo that was interrupted, and one that ran to its end in the same folder."""

    folder: Path
    interrupted: int
    left_by_interrupted: list[str]
    returncode: int
    output: str
    left: list[str]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("demo") / "demo"
    interrupted = demo(folder, "--keep-running")
    assert interrupted.stdout is not None
    for line in interrupted.stdout:
        if "token process and daemon" in line:
            break
    interrupted.send_signal(signal.SIGINT)
    interrupted.communicate()
    left = processes_of(folder)
    run = demo(folder)
    output, _ = run.communicate()
    return Ran(folder, interrupted.returncode, left, run.returncode, output, processes_of(folder))


@pytest.mark.timeout(240)  # two starts of a broker and eight processes; a bound against hanging, not a measure
def test_the_demo_passes_in_a_folder_where_one_was_interrupted(ran: Ran) -> None:
    assert ran.interrupted == 130
    assert ran.left_by_interrupted == []
    assert ran.returncode == 0, ran.output
    assert "All 5 documents arrived" in ran.output
    assert "all 3 bad ones were refused" in ran.output
    assert ran.left == []


@pytest.mark.timeout(600)  # the first time, Maven fetches the verifier
def test_packages_of_the_demo_pass_eu_dss_too(ran: Ran, dss: Dss, tmp_path: Path) -> None:
    package = max(ran.folder.glob("central/inbox/*/package.asice"), key=lambda path: path.stat().st_size)
    assert_demo_package_passes(dss, package, tmp_path)


def test_a_folder_that_is_not_the_demo_s_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    run = demo(tmp_path)
    output, _ = run.communicate()
    assert run.returncode == 64, output
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
