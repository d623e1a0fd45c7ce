"""One supervised connection to RabbitMQ with one channel on it.

Rules: plain connections, re-made here with full-jitter backoff; nothing is declared, so what an operator deleted
stays deleted.  The client library runs in tasks of its own: it rejects pending work with CancelledError when a
broker freezes, and that must never look like our own cancellation.  Certificates are read at each connection, so
that a renewed one needs no restart.

Does not publish and does not consume: :mod:`edoc.adapters.broker_amqp` does.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, ConnectionParameter
from aio_pika.exceptions import CONNECTION_EXCEPTIONS
from aiormq.exceptions import (
    AuthenticationError,
    ChannelAccessRefused,
    ChannelClosed,
    ChannelNotFoundEntity,
    ConnectionClosed,
    ConnectionNotAllowed,
    ProbableAuthenticationError,
)
from yarl import URL

from edoc.errors import Disposition, EdocError, Fault
from edoc.errors import broker as faults
from edoc.ports import Alarm

T = TypeVar("T")

_log = structlog.get_logger(__name__)

LIBRARY_ERRORS = CONNECTION_EXCEPTIONS
"""What the client library raises when the broker or the network fails, by its own list.

OSError holds ConnectionError, TimeoutError and SSLError; RuntimeError is there because ChannelInvalidStateError is
one, and because a connection that closed meanwhile is reported as a bare one.
"""

_CLOSED_WITHIN = 5.0
_LASTED = 60.0  # a session this long was a good one: the next failure starts backing off from the beginning


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings:
    """How to reach the broker: certificate files in PEM, durations in seconds."""

    host: str
    ca: Path
    certificate: Path
    key: Path
    port: int = 5671
    vhost: str = "edoc"
    prefetch: int = 8
    publish_timeout: float = 30.0
    connect_timeout: float = 15.0
    heartbeat: int = 20
    backoff_first: float = 0.5
    backoff_most: float = 30.0

    @property
    def address(self) -> str:
        """Return host and port, for people."""
        return f"{self.host}:{self.port}"


async def isolated(work: Coroutine[Any, Any, T], limit: float) -> T:
    """Run `work` of the client library in a task of its own, at most `limit` seconds.

    Raises what `work` raises; TimeoutError after `limit`; ConnectionAbortedError when the library cancelled it.
    Our own cancellation stays CancelledError.
    """
    task = await attempted(work, limit)
    if not task.done():
        raise TimeoutError
    if task.cancelled():
        raise ConnectionAbortedError("cancelled by the client library")
    return task.result()


async def attempted(work: Coroutine[Any, Any, T], limit: float) -> asyncio.Task[T]:
    """Run `work` in a task of its own and return the task: done, or given up after `limit` seconds."""
    task = asyncio.create_task(work)
    task.add_done_callback(_seen)
    try:
        await asyncio.wait({task}, timeout=limit)
    finally:
        # Whoever gave up, the clock or our caller: nobody waits for the result any more.
        if not task.done():
            task.cancel()
    return task


def _seen(task: asyncio.Task[Any]) -> None:
    # Reading the exception keeps asyncio from reporting as lost what nobody waited for.
    if not task.cancelled():
        task.exception()


def tls_context(settings: BrokerSettings) -> ssl.SSLContext:
    """Return a TLS context with our client certificate; EdocError BROKER_TLS when a file cannot be used."""
    try:
        context = ssl.create_default_context(cafile=str(settings.ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_2  # Circular 15/2025/TT-BKHCN, Annex I
        # An empty password instead of none: OpenSSL would ask a terminal for one.
        context.load_cert_chain(str(settings.certificate), str(settings.key), password=lambda: "")
    except (OSError, ValueError) as error:
        raise EdocError(faults.BROKER_TLS, cause=repr(error), address=settings.address) from error
    return context


class _Connection(aio_pika.Connection):
    # asyncio waits 30 s for the other side's half of a TLS shutdown; a frozen broker never sends it.
    PARAMETERS = (
        *aio_pika.Connection.PARAMETERS,
        ConnectionParameter(name="ssl_shutdown_timeout", parser=float, is_kwarg=True),
    )


async def connect(settings: BrokerSettings, name: str) -> AbstractConnection:
    """Return one new connection, called `name` at the broker.  Raises EdocError of `fault_of`."""
    url = URL.build(
        scheme="amqps",
        host=settings.host,
        port=settings.port,
        path="/" + quote(settings.vhost, safe=""),
        query={"auth": "external", "heartbeat": settings.heartbeat, "name": name, "ssl_shutdown_timeout": "2"},
        encoded=False,
    )
    context = tls_context(settings)
    try:
        return await isolated(
            aio_pika.connect(url, ssl_context=context, connection_class=_Connection), settings.connect_timeout
        )
    except LIBRARY_ERRORS as error:
        raise fault_of(error, settings, settings.vhost) from error


async def disconnect(connection: AbstractConnection) -> None:
    """Close `connection`; one that a frozen broker holds up is left to its own time-outs."""
    with suppress(*LIBRARY_ERRORS):
        await isolated(connection.close(), _CLOSED_WITHIN)


def fault_of(error: BaseException | None, settings: BrokerSettings, name: str) -> EdocError:
    """Return what the end of a connection or channel means; `name` is the exchange or queue it was for."""
    if isinstance(error, EdocError):
        return error
    cause = repr(error) + (f" from {error.__cause__!r}" if error is not None and error.__cause__ else "")
    return EdocError(_fault(error), cause=cause, address=settings.address, vhost=settings.vhost, name=name)


def _fault(error: BaseException | None) -> Fault:
    fault = faults.BROKER_UNREACHABLE
    match error:
        case ProbableAuthenticationError() | AuthenticationError() | ConnectionNotAllowed():
            fault = faults.BROKER_LOGIN
        case ConnectionClosed(args=(530, *_)):  # not-allowed while opening: no such vhost, or no rights in it
            fault = faults.BROKER_LOGIN
        case ChannelAccessRefused():
            fault = faults.BROKER_FORBIDDEN
        case ChannelNotFoundEntity():
            fault = faults.BROKER_NAME_MISSING
        case ChannelClosed(args=(None, *_)):  # closed in good order, by us
            pass
        case ChannelClosed():
            fault = faults.BROKER_PROTOCOL
        case _ if _is_certificate_trouble(error):
            fault = faults.BROKER_TLS
    return fault


def _is_certificate_trouble(error: BaseException | None) -> bool:
    # SSLError is an OSError, so the library wraps it; an abrupt end of TLS is the network, not a certificate.
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError)
        error = error.__cause__
    return False


Opened = Callable[[AbstractChannel, Callable[[EdocError], None]], Awaitable[None]]
"""Set up a fresh channel; the function handed in ends the session with an error."""


class Link:
    """Keeps one connection with one channel open; `name` is the exchange or queue it is for."""

    def __init__(self, settings: BrokerSettings, title: str, name: str, alarm: Alarm, opened: Opened | None) -> None:
        self._settings = settings
        self._title = title
        self._name = name
        self._alarm = alarm
        self._opened = opened
        self._channel: AbstractChannel | None = None
        self._up = asyncio.Event()
        self.failures = 0  # in a row
        self._told = ""
        self._closing = False
        self._random = random.SystemRandom()
        self._supervisor = asyncio.create_task(self._supervise(), name=title)

    @property
    def is_up(self) -> bool:
        """Return whether there is an open channel now."""
        return self._up.is_set()

    async def channel(self) -> AbstractChannel:
        """Return the channel, waiting for one as long as it takes."""
        while self._channel is None:
            await self._up.wait()
        return self._channel

    def works(self) -> None:
        """Note that the broker did what was asked: the next failure is a new one."""
        self.failures = 0
        self._told = ""

    def when_ended(self, tell: Callable[[], None]) -> None:
        """Call `tell` when the supervisor ends: after `close`, or because of a defect that `close` then raises."""
        self._supervisor.add_done_callback(lambda _: tell())

    async def close(self) -> None:
        """Stop supervising and close the connection.  Idempotent."""
        if not self._closing:
            # Once only: a second cancellation would break into the disconnecting that the first one began, and the
            # client library then waits for ever for a callback of its own.
            self._closing = True
            self._supervisor.cancel()
        await asyncio.wait({self._supervisor})
        if not self._supervisor.cancelled():
            self._supervisor.result()

    async def _supervise(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            try:
                await self._session()
            except EdocError as error:
                self._tell(error)
            if clock() - began > _LASTED:
                self.failures = 0
            # Full jitter: after a broker's restart a thousand offices must not come back in step.
            most = min(self._settings.backoff_most, self._settings.backoff_first * 2 ** min(self.failures, 16))
            self.failures += 1
            await asyncio.sleep(self._random.uniform(0, most))

    async def _session(self) -> None:
        connection = await connect(self._settings, self._title)
        ended: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()

        def end(reason: BaseException | None) -> None:
            if not ended.done():
                ended.set_result(reason)

        try:
            channel = await isolated(self._open(connection, end), self._settings.connect_timeout)
            self._channel = channel
            self._up.set()
            _log.info("broker connected", link=self._title, address=self._settings.address)
            reason = await ended
        except LIBRARY_ERRORS as error:
            reason = error
        finally:
            self._channel = None
            self._up.clear()
            await disconnect(connection)
        raise fault_of(reason, self._settings, self._name)

    async def _open(
        self, connection: AbstractConnection, end: Callable[[BaseException | None], None]
    ) -> AbstractChannel:
        channel = connection.channel(publisher_confirms=True, on_return_raises=True)
        await channel.initialize()
        connection.close_callbacks.add(lambda _, reason: end(reason))
        channel.close_callbacks.add(lambda _, reason: end(reason))
        if self._opened is not None:
            await self._opened(channel, end)
        return channel

    def _tell(self, error: EdocError) -> None:
        _log.warning("broker connection lost", link=self._title, fault=error.code, cause=error.cause)
        if error.fault.disposition is Disposition.OPERATOR and error.code != self._told:
            self._alarm(error.report(), None)
        self._told = error.code
