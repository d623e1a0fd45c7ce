"""The demo, run as a newcomer runs it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.timeout(240)  # two starts of a broker and eight processes; a bound against hanging, not a measure
def test_the_demo_passes_in_a_folder_where_one_was_interrupted(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    interrupted = demo(folder, "--keep-running")
    assert interrupted.stdout is not None
    seen = ""
    for line in interrupted.stdout:
        seen += line
        if "token process and daemon" in line:
            break
    interrupted.send_signal(signal.SIGINT)
    rest, _ = interrupted.communicate()
    assert interrupted.returncode == 130, seen + rest
    assert processes_of(tmp_path) == []

    run = demo(folder)
    output, _ = run.communicate()
    assert run.returncode == 0, output
    assert "All 5 documents arrived" in output
    assert "all 3 bad ones were refused" in output
    assert processes_of(tmp_path) == []


def test_a_folder_that_is_not_the_demo_s_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    run = demo(tmp_path)
    output, _ = run.communicate()
    assert run.returncode == 64, output
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
