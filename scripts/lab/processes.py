"""Processes of the lab: started with a log file, waited for by their own word, stopped by their id.

Rules: a process says READY=1 itself (sd_notify), nobody guesses; it dies with the lab (parent-death signal); SIGTERM
first, SIGKILL when that is not heard in time.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from secrets import token_hex

_READY_WITHIN = 30.0
_STOPPED_WITHIN = 20.0


class NotReadyError(RuntimeError):
    """A process ended, or did not say that it is ready in time."""


def edoc_command() -> str:
    """Return the ``edoc`` program beside the running interpreter."""
    return str(Path(sys.executable).with_name("edoc"))


class _Notifications:
    """The receiving end of sd_notify: read for as long as the process may speak, so that it never waits for us."""

    def __init__(self) -> None:
        # An abstract address: no file to clean up, and no limit on the length of the lab's folder.
        self.address = f"edoc-lab-{token_hex(8)}"
        self.ready = threading.Event()
        self._ended = threading.Event()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{self.address}")
        self._socket.settimeout(0.2)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def close(self) -> None:
        self._ended.set()
        self._reader.join()
        self._socket.close()

    def _read(self) -> None:
        while not self._ended.is_set():
            try:
                said = self._socket.recv(4096).split(b"\n")
            except TimeoutError:
                continue
            if b"READY=1" in said:
                self.ready.set()


class Service:
    """One process that speaks sd_notify, its output in a log file."""

    def __init__(self, command: list[str], log: Path, environment: dict[str, str] | None = None) -> None:
        self.command = command
        self.log = log
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._notifications: _Notifications | None = None

    @property
    def pid(self) -> int | None:
        """Return the process id while it runs."""
        return None if self._process is None or self._process.poll() is not None else self._process.pid

    def start(self) -> None:
        """Start the process; :meth:`wait_ready` says when it works."""
        if self.pid is not None:
            raise RuntimeError(f"{self.command} runs already")
        self._close()
        self._notifications = _Notifications()
        environment = {**os.environ, **self._environment, "NOTIFY_SOCKET": f"@{self._notifications.address}"}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                # The lab's end is theirs, even if it was killed.
                ["setpriv", "--pdeathsig", "TERM", *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C at the terminal is for the lab, which stops them in order
                env=environment,
            )

    def wait_ready(self, limit: float = _READY_WITHIN) -> None:
        """Wait until the process says READY=1; raise NotReadyError with the end of its log."""
        if self._notifications is None:
            raise RuntimeError(f"{self.command} was not started")
        deadline = time.monotonic() + limit
        while not self._notifications.ready.wait(0.1):
            if self.pid is None or time.monotonic() > deadline:
                what = "did not become ready" if self.pid else "ended"
                raise NotReadyError(f"{' '.join(self.command)} {what}; the end of {self.log}:\n{self.tail()}")

    def ask_to_stop(self) -> None:
        """Tell the process to stop and do not wait for it."""
        if self._process is not None and self.pid is not None:
            self._process.send_signal(signal.SIGCONT)  # a frozen process does not hear SIGTERM
            self._process.terminate()

    def stop(self) -> None:
        """Stop the process in good order, by force when that takes too long.  Idempotent."""
        self.ask_to_stop()
        if self._process is not None and self.pid is not None:
            try:
                self._process.wait(_STOPPED_WITHIN)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._close()

    def kill(self) -> None:
        """Kill the process at once, as a power cut does."""
        if self._process is not None and self.pid is not None:
            self._process.kill()
            self._process.wait()
        self._close()

    def tail(self, size: int = 3000) -> str:
        """Return the end of the log."""
        return self.log.read_bytes()[-size:].decode(errors="replace") if self.log.exists() else ""

    def _close(self) -> None:
        if self._notifications is not None:
            self._notifications.close()
            self._notifications = None
