"""One worker process: started, asked, killed.

Rules: one order at a time, each with a time limit; a worker that does not answer in time, ends, or speaks nonsense is
killed at once and never asked again.  It gets a bare environment: what the module needs and nothing of ours, so no
credential folder.

Does not judge answers and does not restart: :mod:`edoc.token.keeper` does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from datetime import timedelta

from edoc.envelopes.frames import Decoder
from edoc.errors import EdocError, fault_named
from edoc.token import worker_frames as wire
from edoc.token.ckr import Reaction, name_of, reaction_to

_READ_BYTES = 65536
_ENVIRONMENT = ("HOME", "LANG", "LC_ALL", "PATH", "TZ")


class TokenCallError(Exception):
    """PKCS#11, or the worker as such, failed; `code` is 0 when there was no answer."""

    def __init__(self, reaction: Reaction, reason: str, code: int = 0) -> None:
        super().__init__(reason)
        self.reaction = reaction
        self.reason = reason
        self.code = code


class Worker:
    """A running worker process; :meth:`start` makes one."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._handle: int | None = os.pidfd_open(process.pid)
        self._decoder = Decoder()
        self._replies: list[bytes] = []

    @classmethod
    async def start(cls, environment: Mapping[str, str]) -> Worker:
        """Start a worker whose environment is `environment` and a few names of ours (home, language, zone)."""
        inherited = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",  # no PYTHON* variables, no user site, no current folder: only what is installed
            "-m",
            "edoc.token.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**inherited, **environment},
            start_new_session=True,  # Ctrl-C at the terminal is for the supervisor
        )
        return cls(process)

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    async def ask(self, order: wire.Order, limit: timedelta) -> wire.Reply:
        """Return the reply to `order`.

        Raises TokenCallError when PKCS#11 refuses, or MODULE_BROKEN when no good reply comes within `limit`; EdocError
        when the worker says what is missing.
        """
        try:
            async with asyncio.timeout(limit.total_seconds()):
                reply = wire.reply_of(await self._exchange(wire.frame(order)))
        except TimeoutError as error:
            reason = f"no answer within {limit.total_seconds():g} s"
            raise TokenCallError(Reaction.MODULE_BROKEN, reason) from error
        except (EOFError, ConnectionError) as error:
            raise TokenCallError(Reaction.MODULE_BROKEN, await self._epitaph()) from error
        except EdocError as error:
            raise TokenCallError(Reaction.MODULE_BROKEN, "the worker's answer is malformed") from error
        if isinstance(reply, wire.Refused):
            reason = f"{reply.function}: {name_of(reply.code)}"
            raise TokenCallError(reaction_to(reply.code), reason, reply.code)
        if isinstance(reply, wire.Fault):
            raise EdocError(fault_named(reply.code), cause=reply.cause, **reply.facts)
        return reply

    async def kill(self) -> None:
        """Kill the process and wait for its end."""
        if self._handle is not None:
            # Not Process.kill(): it polls first, and may take the exit code from the watcher that waits for it.
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            os.close(self._handle)
            self._handle = None
        await self._process.wait()

    async def _exchange(self, frame: bytes) -> bytes:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:  # never: both were asked for
            raise EOFError
        stdin.write(frame)
        while not self._replies:
            data = await stdout.read(_READ_BYTES)
            if not data:
                raise EOFError
            self._replies += self._decoder.feed(data)
        return self._replies.pop(0)

    async def _epitaph(self) -> str:
        """Return how the process ended; it closed its output, so it ends or is made to."""
        await self.kill()
        code = self._process.returncode or 0
        return f"the driver crashed (signal {-code})" if code < 0 else f"the worker ended (exit {code})"
