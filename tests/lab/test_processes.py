"""Processes of the lab."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from lab.processes import NotReadyError, Service

SPEAKS = """
import os, socket, time
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for _ in range(2000):
    notify.sendto(b"READY=1\\nSTATUS=well", "\\0" + os.environ["NOTIFY_SOCKET"][1:])
print("said", flush=True)
time.sleep(60)
"""


def service(folder: Path, program: str) -> Service:
    return Service([sys.executable, "-c", program], folder / "log")


def test_a_process_is_ready_when_it_says_so_and_may_speak_on(tmp_path: Path) -> None:
    one = service(tmp_path, SPEAKS)
    one.start()
    try:
        one.wait_ready()
        while "said" not in one.tail():
            assert one.pid is not None
    finally:
        one.stop()
    assert one.pid is None


def test_a_process_that_ends_is_reported_with_its_last_words(tmp_path: Path) -> None:
    one = service(tmp_path, "print('no such token')")
    one.start()
    with pytest.raises(NotReadyError, match="no such token"):
        one.wait_ready()
    one.stop()


def test_a_process_that_does_not_hear_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.processes._STOPPED_WITHIN", 0.2)
    one = service(tmp_path, "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SPEAKS)
    one.start()
    one.wait_ready()
    one.stop()
    assert one.pid is None


def test_a_killed_process_can_be_started_again(tmp_path: Path) -> None:
    one = service(tmp_path, SPEAKS)
    for _ in range(2):
        one.start()
        one.wait_ready()
        one.kill()
    assert one.pid is None
