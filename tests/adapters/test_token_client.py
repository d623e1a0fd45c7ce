"""The fake and the real Token keep one contract; and what the client does when the token process is not well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from contracts.token import OFFICE, TokenContract, request
from fakes.token import FakeToken
from fixtures_token import Seals, behind, eventually, running, seals, settings, shim, shim_module
from lab.pki import Issued
from lab.softhsm import Shim

from edoc.adapters.token_client import TokenClient
from edoc.envelopes.frames import Decoder
from edoc.envelopes.token_frames import Sign, Signed, frame, request_of
from edoc.errors import Disposition, EdocError
from edoc.errors.token import TOKEN_BUSY
from edoc.model.signing import TokenPresence
from edoc.ports import Token
from edoc.token.server import SignerSettings

__all__ = ["seals", "settings", "shim", "shim_module"]  # fixtures


class TestFakeToken(TokenContract):
    @pytest.fixture(autouse=True)
    def _seals(self, seals: Seals) -> None:
        self.seals = seals

    async def token(self, kind: str) -> tuple[FakeToken, Issued]:
        issued = self.seals.rsa if kind == "rsa" else self.seals.ec
        return FakeToken(office=OFFICE, issued=issued), issued

    async def test_it_can_be_pulled_and_fails_as_planned(self) -> None:
        token, _ = await self.token("rsa")
        token.faults.plan("sign", EdocError(TOKEN_BUSY, office=OFFICE))
        with pytest.raises(EdocError, match="TOKEN_BUSY"):
            await token.sign(request())
        token.present = False
        assert (await token.state()).presence is TokenPresence.ABSENT
        with pytest.raises(EdocError, match="TOKEN_ABSENT"):
            await token.sign(request())
        assert len(token.requests) == 2


class TestTokenProcess(TokenContract):
    @pytest.fixture(autouse=True)
    async def _process(self, seals: Seals, settings: SignerSettings) -> AsyncIterator[None]:
        self.seals, self.settings = seals, settings
        async with AsyncExitStack() as self.stack:
            yield

    async def token(self, kind: str) -> tuple[Token, Issued]:
        changed = replace(
            self.settings,
            key_uri=self.seals.hsm.key_uri(kind),
            socket=self.settings.socket.with_name(f"signer-{kind}"),
            state=self.settings.state.with_name(f"state-{kind}"),
        )
        signer = await self.stack.enter_async_context(running(changed))
        return signer.client, self.seals.rsa if kind == "rsa" else self.seals.ec


async def test_without_a_token_process_the_signer_is_unreachable_for_the_time_being(tmp_path: Path) -> None:
    client = TokenClient(str(tmp_path / "nobody"), OFFICE, timedelta(seconds=1))
    for call in (client.state(), client.sign(request()), client.unlock("1234")):
        with pytest.raises(EdocError) as caught:
            await call
        assert caught.value.code == "SIGNER_UNREACHABLE"
        assert caught.value.fault.disposition is Disposition.TEMPORARY


async def test_the_client_comes_back_by_itself_after_the_token_process_restarted(settings: SignerSettings) -> None:
    async with running(settings):
        client = TokenClient(str(settings.socket), OFFICE, timedelta(seconds=30))
        assert await client.sign(request())
    with pytest.raises(EdocError, match="SIGNER_UNREACHABLE"):
        await client.sign(request())
    async with running(settings):
        assert await client.sign(request())
        await client.close()


class _Silent(asyncio.Protocol):
    """A token process that holds back its answers, and gives them in reverse order when told."""

    def __init__(self) -> None:
        self.decoder = Decoder()
        self.asked: list[Sign] = []
        self.transport: asyncio.Transport | None = None
        self.limit = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        assert self.transport is not None
        for payload in self.decoder.feed(data):
            asked = request_of(payload)
            assert isinstance(asked, Sign)
            self.asked.append(asked)
        if self.limit and len(self.asked) == self.limit:
            for asked in reversed(self.asked):
                self.transport.write(frame(Signed(asked.id, asked.digest)))


async def _serve(protocol: _Silent, path: Path) -> asyncio.Server:
    return await asyncio.get_running_loop().create_unix_server(lambda: protocol, str(path))


async def test_answers_may_come_in_any_order(tmp_path: Path) -> None:
    silent = _Silent()
    silent.limit = 5
    server = await _serve(silent, tmp_path / "s")
    client = TokenClient(str(tmp_path / "s"), OFFICE, timedelta(seconds=30))
    asked = [request(bytes([number])) for number in range(5)]
    assert await asyncio.gather(*[client.sign(each) for each in asked]) == [each.digest for each in asked]
    await client.close()
    server.close()


async def test_no_answer_in_time_is_unreachable_and_a_late_one_harms_nobody(tmp_path: Path) -> None:
    silent = _Silent()
    server = await _serve(silent, tmp_path / "s")
    client = TokenClient(str(tmp_path / "s"), OFFICE, timedelta(milliseconds=50))
    with pytest.raises(EdocError) as caught:
        await client.sign(request(b"first"))
    assert caught.value.code == "SIGNER_UNREACHABLE"
    silent.limit = 2
    second = request(b"second")
    assert await client.sign(second) == second.digest
    await client.close()
    server.close()


async def test_a_connection_lost_fails_everything_under_way(tmp_path: Path) -> None:
    silent = _Silent()
    server = await _serve(silent, tmp_path / "s")
    client = TokenClient(str(tmp_path / "s"), OFFICE, timedelta(seconds=30))
    tasks = [asyncio.ensure_future(client.sign(request(bytes([number])))) for number in range(3)]
    await eventually(lambda: len(silent.asked) == 3)
    assert silent.transport is not None
    silent.transport.abort()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [result.code for result in results if isinstance(result, EdocError)] == ["SIGNER_UNREACHABLE"] * 3
    await client.close()
    server.close()


async def test_octets_that_are_no_frames_end_the_connection(tmp_path: Path) -> None:
    silent = _Silent()
    server = await _serve(silent, tmp_path / "s")
    client = TokenClient(str(tmp_path / "s"), OFFICE, timedelta(seconds=30))
    task = asyncio.ensure_future(client.sign(request()))
    await eventually(lambda: bool(silent.asked))
    assert silent.transport is not None
    silent.transport.write(b"HTTP/1.1 400 Bad Request\r\n")
    with pytest.raises(EdocError, match="SIGNER_UNREACHABLE"):
        await task
    await client.close()
    server.close()


async def test_a_good_state_is_asked_for_once_a_second_at_most_and_a_bad_one_each_time(
    settings: SignerSettings, shim: Shim
) -> None:
    async with running(behind(settings, shim)) as signer:
        await signer.until(TokenPresence.READY)
        first, second = await signer.client.state(), await signer.client.state()
        assert first is second
        shim.pull()
        with pytest.raises(EdocError, match="TOKEN_ABSENT"):
            await signer.client.sign(request())
        absent = await signer.client.state()
        assert absent.presence is TokenPresence.ABSENT
        assert absent is not await signer.client.state()


async def test_what_waits_longer_than_its_client_is_told_that_the_token_is_busy(
    settings: SignerSettings, shim: Shim
) -> None:
    async with running(behind(settings, shim)) as signer:
        await signer.until(TokenPresence.READY)
        shim.slow("C_Sign", 400)
        impatient = TokenClient(str(settings.socket), OFFICE, timedelta(milliseconds=100))
        patient = asyncio.ensure_future(signer.client.sign(request()))
        await eventually(lambda: shim.calls("C_Sign") == 1)
        with pytest.raises(EdocError) as caught:
            await impatient.sign(request())
        assert caught.value.code == "TOKEN_BUSY"
        assert await patient
        assert shim.calls("C_Sign") == 1
        await impatient.close()
