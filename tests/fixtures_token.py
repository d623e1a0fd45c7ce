"""SoftHSM tokens for the test run, and token processes on them.

Rules: the tokens are made once per run and only signed with; every test has its own state folder, socket and shim.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from contracts.token import OFFICE
from lab.pki import Issued, Pki
from lab.softhsm import Shim, SoftHsm, build_shim, find_module

from edoc.adapters.token_client import TokenClient
from edoc.model.signing import TokenPresence
from edoc.token.server import SignerSettings, serve

PIN = "12345678"


@dataclass(frozen=True)
class Seals:
    """A SoftHSM with a token per kind of seal, and the seals."""

    hsm: SoftHsm
    rsa: Issued
    ec: Issued
    pki: Pki


@pytest.fixture(scope="session")
def seals(tmp_path_factory: pytest.TempPathFactory) -> Seals:
    if find_module() is None:
        pytest.skip("SoftHSM is not installed")
    hsm = SoftHsm(tmp_path_factory.mktemp("softhsm"))
    pki = Pki.create(datetime.now(UTC))
    made = {kind: pki.seal(OFFICE, "UBND phường Trảng Bàng", kind=kind) for kind in ("rsa", "ec")}
    for kind, issued in made.items():
        hsm.create_token(kind, PIN)
        hsm.import_seal(kind, issued)
    return Seals(hsm, made["rsa"], made["ec"], pki)


@pytest.fixture(scope="session")
def shim_module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return build_shim(tmp_path_factory.mktemp("shim"))
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture
def shim(shim_module: Path, seals: Seals, tmp_path: Path) -> Shim:
    return Shim(shim_module, seals.hsm, tmp_path)


@pytest.fixture
def settings(seals: Seals, tmp_path: Path) -> SignerSettings:
    """A token process for the RSA seal whose PIN is stored in a file."""
    stored = tmp_path / "pin"
    store_pin(stored, PIN)
    return SignerSettings(
        office=OFFICE,
        socket=tmp_path / "signer",
        module=seals.hsm.module,
        allowed_modules=(seals.hsm.module,),
        key_uri=seals.hsm.key_uri("rsa"),
        state=tmp_path / "state",
        allowed_uids=frozenset({os.getuid()}),
        pin_file=stored,
        environment=seals.hsm.environment,
        # Long for a token, so that a busy machine is no hang; tests that hang it set less.
        request_timeout=timedelta(seconds=20),
        backoff=timedelta(milliseconds=50),
    )


def behind(settings: SignerSettings, shim: Shim, **changes: Any) -> SignerSettings:
    """Return `settings` with the shim as module."""
    return replace(
        settings, module=shim.module, allowed_modules=(shim.module,), environment=shim.environment, **changes
    )


def store_pin(path: Path, pin: str) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(f"{pin}\n")


@dataclass
class Signer:
    """A token process that runs as a task of the test, and a client of it."""

    settings: SignerSettings
    client: TokenClient
    log: io.StringIO
    task: asyncio.Task[None]
    said: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    async def until(self, *presences: TokenPresence) -> None:
        """Wait until the token is in one of these states; the test's own time limit bounds it."""
        while (await self.client.state()).presence not in presences:  # noqa: ASYNC110 -- another process's state
            await asyncio.sleep(0.05)


@asynccontextmanager
async def running(settings: SignerSettings) -> AsyncIterator[Signer]:
    """Run a token process."""
    log, said, listening = io.StringIO(), list[str](), asyncio.Event()

    def ready(line: str) -> None:
        said.append(line)
        listening.set()

    task = asyncio.create_task(serve(settings, ready, log))
    waiter = asyncio.create_task(listening.wait())
    await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        waiter.cancel()
        await task
    client = TokenClient(str(settings.socket), settings.office, timedelta(seconds=60))
    try:
        yield Signer(settings, client, log, task, said)
    finally:
        await client.close()
        if not task.done():  # a test that ends the process itself has seen why it ended
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds; the test's own time limit bounds it."""
    while not condition():  # noqa: ASYNC110 -- another process makes it true
        await asyncio.sleep(0.01)


def marks(settings: SignerSettings) -> Iterator[str]:
    """Yield the marks that stand in the state folder."""
    for path in settings.state.glob("pin-*.json"):
        yield json.loads(path.read_text())["mark"]
