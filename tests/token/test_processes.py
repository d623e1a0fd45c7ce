"""The token process as a process: signals, what its worker inherits, and what is left when it is killed."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from contracts.token import OFFICE, request
from fixtures_token import Seals, behind, eventually, running, seals, settings, shim, shim_module
from lab.softhsm import Shim

from edoc.adapters.token_client import TokenClient
from edoc.errors import EdocError
from edoc.token.process import Worker
from edoc.token.server import SignerSettings, serve

__all__ = ["seals", "settings", "shim", "shim_module"]  # fixtures

# Settings are plain values, so their repr is the program.
PROGRAM = """
import datetime
from pathlib import Path, PosixPath
from edoc.token.server import SignerSettings, run
run({settings!r}, lambda line: print(line, flush=True))
"""


@contextmanager
def _process(settings: SignerSettings) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(settings=settings)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "CREDENTIALS_DIRECTORY": "/run/credentials/edoc"},
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _file(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text()


def _alive(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly(settings: SignerSettings, number: signal.Signals) -> None:
    with _process(settings) as process:
        client = TokenClient(str(settings.socket), OFFICE, timedelta(seconds=30))
        assert await client.sign(request())
        await client.close()
        process.send_signal(number)
        _, log = process.communicate()
        assert process.returncode == 0
    assert '"result":"signed"' in log
    assert not settings.socket.exists()


async def test_a_worker_does_not_outlive_its_supervisor_even_when_it_hangs(
    settings: SignerSettings, shim: Shim
) -> None:
    shim.hang("C_Sign")
    with _process(behind(settings, shim)) as process:
        client = TokenClient(str(settings.socket), OFFICE, timedelta(seconds=30))
        hanging = asyncio.ensure_future(client.sign(request()))
        await eventually(lambda: shim.calls("C_Sign") == 1)
        (worker,) = _children(process.pid)
        process.kill()
        with pytest.raises(EdocError, match="SIGNER_UNREACHABLE"):
            await hanging
        await eventually(lambda: not _alive(worker))


async def test_the_worker_gets_what_its_module_needs_and_no_credentials(settings: SignerSettings) -> None:
    with _process(settings) as process:
        client = TokenClient(str(settings.socket), OFFICE, timedelta(seconds=30))
        await client.state()
        (worker,) = _children(process.pid)
        environment, limits = _file(worker, "environ"), _file(worker, "limits")
        await client.close()
    assert "SOFTHSM2_CONF=" in environment
    assert "CREDENTIALS_DIRECTORY" not in environment
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]


async def test_a_worker_ends_when_its_input_does() -> None:
    worker = await Worker.start({})
    assert worker._process.stdin is not None
    worker._process.stdin.close()
    assert await worker._process.wait() == 0


class _FullDisk:
    """A log that cannot be written."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device", text[:0])

    def flush(self) -> None:
        """Do nothing."""


async def test_a_signature_that_cannot_be_logged_is_not_handed_out(settings: SignerSettings, seals: Seals) -> None:
    assert seals.rsa.der
    listening = asyncio.Event()
    log = _FullDisk()
    task = asyncio.create_task(serve(settings, lambda _: listening.set(), log))  # type: ignore[arg-type]  # a stream as far as it is used
    await listening.wait()
    client = TokenClient(str(settings.socket), OFFICE, timedelta(seconds=30))
    with pytest.raises(EdocError, match="SIGNER_UNREACHABLE"):
        await client.sign(request())
    with pytest.raises(EdocError, match="SIGNER_MISCONFIGURED"):
        await task
    await client.close()


async def test_a_mark_that_cannot_be_made_ends_the_process_before_any_login(
    settings: SignerSettings, shim: Shim
) -> None:
    async with running(behind(settings, shim)) as signer:
        await signer.client.sign(request())
        shutil.rmtree(settings.state)
        shim.fail("C_Sign", 0xB3)  # so that it has to log in again
        with pytest.raises(EdocError, match="SIGNER_UNREACHABLE"):
            await signer.client.sign(request())
        with pytest.raises(EdocError, match="SIGNER_MISCONFIGURED"):
            await signer.task
    assert shim.calls("C_Login") == 1
