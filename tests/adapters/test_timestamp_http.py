"""The time-stamping authority over HTTP, and its fake."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from contracts.timestamp import DIGEST, LONG, NONCE, TimestampContract
from fakes.timestamp import Authority, FakeTimestamp, Server

from edoc.adapters.timestamp_http import HttpTimestamp
from edoc.ports import Timestamp
from edoc.signatures.timestamp import request

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


class TestFakeTimestamp(TimestampContract):
    @pytest.fixture(autouse=True)
    def _authority(self, authority: Authority) -> None:
        self.authority = authority

    async def answering(self) -> Timestamp:
        return FakeTimestamp(self.authority)

    async def silent(self) -> Timestamp:
        return FakeTimestamp(self.authority, late=True)


class TestHttpTimestamp(TimestampContract):
    @pytest.fixture(autouse=True)
    def _authority(self, authority: Authority) -> Iterator[None]:
        self.authority = authority
        self.started: list[Server] = []
        self.clients: list[HttpTimestamp] = []
        yield
        for client in self.clients:
            client.close()
        for server in self.started:
            server.shutdown()
            server.server_close()

    def client(self, server: Server) -> HttpTimestamp:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.started.append(server)
        self.clients.append(HttpTimestamp(server.url))
        return self.clients[-1]

    async def answering(self) -> Timestamp:
        return self.client(Server(self.authority))

    async def silent(self) -> Timestamp:
        return self.client(Server(self.authority, silent=True))

    async def test_the_query_says_what_it_is(self) -> None:
        server = Server(self.authority)
        await self.client(server).ask(request(DIGEST, NONCE), LONG)
        assert server.kinds == ["application/timestamp-query"]

    @pytest.mark.parametrize("status", [302, 404, 500])
    async def test_anything_but_ok_is_no_answer(self, status: int) -> None:
        assert await self.client(Server(self.authority, status=status)).ask(request(DIGEST, NONCE), LONG) is None

    async def test_an_address_where_nobody_listens_is_no_answer(self) -> None:
        server = Server(self.authority)
        server.server_close()
        client = HttpTimestamp(server.url)
        assert await client.ask(request(DIGEST, NONCE), timedelta(seconds=5)) is None
        client.close()
