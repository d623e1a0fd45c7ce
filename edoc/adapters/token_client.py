"""The Token port over the token process's Unix socket.

Rules: many requests share one connection and none waits for another's answer.  A connection that is lost fails what
was under way and is opened anew by the next call: there is no reconnecting in the background.  Whatever keeps the
token process from answering is SIGNER_UNREACHABLE, and temporary.

Does not hash, does not choose algorithms, and keeps no PIN.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TypeVar, cast

from edoc.envelopes.frames import Decoder
from edoc.envelopes.token_frames import (
    TOKEN_FRAME_BYTES,
    Answer,
    AskState,
    Failed,
    Request,
    Sign,
    Signed,
    StateIs,
    Unlock,
    answer_of,
    frame,
)
from edoc.errors import EdocError
from edoc.errors.token import SIGNER_UNREACHABLE
from edoc.model.identifiers import OrganId
from edoc.model.signing import SignRequest, TokenPresence, TokenState

_A = TypeVar("_A", Signed, StateIs)

STATE_FRESH = timedelta(seconds=1)
"""How long a state is reused: the token process itself looks every 2 s."""

_ANSWER_MARGIN = 0.5  # s beyond what the token process grants, so that its own word (TOKEN_BUSY) wins


class TokenClient:
    """A client of the token process that listens on `socket` for `office`.

    `timeout` is how long a call may take, waiting for its turn at the token included.
    """

    def __init__(self, socket: str, office: OrganId, timeout: timedelta) -> None:
        self._socket = socket
        self._office = office
        self._timeout = timeout
        self._connection: _Connection | None = None
        self._connecting = asyncio.Lock()
        self._state: TokenState | None = None
        self._state_until = 0.0

    async def state(self) -> TokenState:
        """Return the token's state, at most STATE_FRESH old; EdocError SIGNER_UNREACHABLE."""
        now = asyncio.get_running_loop().time()
        if self._state is None or now >= self._state_until:
            connection = await self._connected()
            answer = await self._ask(connection, AskState(connection.next_id()), StateIs)
            self._remember(answer)
        return cast("TokenState", self._state)

    async def sign(self, request: SignRequest) -> bytes:
        """Return the signature; EdocError as the Token port says."""
        connection = await self._connected()
        asked = Sign(
            id=connection.next_id(),
            office=request.office,
            purpose=request.purpose,
            document_id=request.document_id,
            priority=request.priority,
            algorithm=request.algorithm,
            digest=request.digest,
            wait_ms=int(self._timeout.total_seconds() * 1000),
        )
        try:
            return (await self._ask(connection, asked, Signed)).signature
        except EdocError:
            self._state = None  # whatever it was, the state may have changed with it
            raise

    async def unlock(self, pin: str | None) -> TokenState:
        """Try a PIN that a person typed, once; None says that the stored PIN was replaced and may be tried.

        Returns the state after it.  Raises EdocError PIN_REFUSED, PIN_BLOCKED, PIN_NEEDED, TOKEN_ABSENT, ….
        """
        connection = await self._connected()
        self._remember(await self._ask(connection, Unlock(connection.next_id(), pin), StateIs))
        return cast("TokenState", self._state)

    async def close(self) -> None:
        """Close the connection; what is under way fails."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _remember(self, answer: StateIs) -> None:
        self._state = TokenState(
            presence=TokenPresence(answer.presence),
            label=answer.label,
            serial=answer.serial,
            certificate=answer.certificate,
            algorithms=answer.algorithms,
            detail=answer.detail,
        )
        # Only a good state is reused: what is wrong may be mended at any moment, and is asked for rarely.
        fresh = STATE_FRESH.total_seconds() if self._state.presence is TokenPresence.READY else 0.0
        self._state_until = asyncio.get_running_loop().time() + fresh

    async def _connected(self) -> _Connection:
        if self._connection is not None and self._connection.alive:
            return self._connection
        async with self._connecting:
            if self._connection is None or not self._connection.alive:
                try:
                    async with asyncio.timeout(self._timeout.total_seconds()):
                        loop = asyncio.get_running_loop()
                        _, self._connection = await loop.create_unix_connection(_Connection, self._socket)
                except (OSError, TimeoutError) as error:
                    raise self._unreachable("nobody listens on its socket", error) from error
            return self._connection

    async def _ask(self, connection: _Connection, request: Request, kind: type[_A]) -> _A:
        try:
            async with asyncio.timeout(self._timeout.total_seconds() + _ANSWER_MARGIN):
                answer = await connection.ask(request)
        except TimeoutError as error:
            raise self._unreachable("no answer in time", error) from error
        except ConnectionError as error:
            raise self._unreachable("the connection was lost", error) from error
        if isinstance(answer, Failed):
            raise answer.report().error()
        if not isinstance(answer, kind):
            raise self._unreachable("it answered another question")
        return answer

    def _unreachable(self, reason: str, error: Exception | None = None) -> EdocError:
        cause = "" if error is None else f"{type(error).__name__}: {error}"
        return EdocError(SIGNER_UNREACHABLE, office=self._office, reason=reason, cause=cause)


class _Connection(asyncio.Protocol):
    """One connection and the questions that are under way on it."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._decoder = Decoder(TOKEN_FRAME_BYTES)
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._last_id = 0

    @property
    def alive(self) -> bool:
        """Say whether the connection can still be used."""
        return self._transport is not None and not self._transport.is_closing()

    def next_id(self) -> int:
        """Return an id for the next request."""
        self._last_id += 1
        return self._last_id

    async def ask(self, request: Request) -> Answer:
        """Send `request` and return its answer; ConnectionError when the connection is lost."""
        if self._transport is None:
            raise ConnectionResetError
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = future
        try:
            self._transport.write(frame(request))
            return await future
        finally:
            del self._waiting[request.id]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand each answer to who waits for it; a late answer has nobody."""
        try:
            for payload in self._decoder.feed(data):
                answer = answer_of(payload)
                future = self._waiting.get(answer.id)
                if future is not None and not future.done():
                    future.set_result(answer)
        except EdocError:
            # The stream has lost its place: those who wait are told by connection_lost.
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everybody who waits."""
        self._transport = None
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionResetError(str(exc or "closed by the other side")))

    def close(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()
