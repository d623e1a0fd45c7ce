"""The supervisor: the token process as its clients see it.

A Unix socket, a queue, one keeper.  Clients are checked by the kernel's word (SO_PEERCRED), requests by the office
they name; every signature, made or not, is one line of the log before its answer leaves.

Rules: this process never loads a PKCS#11 module, so nothing a vendor wrote can stop it; it answers while the token
hangs.  One process per state folder, held by a lock.

Does not talk to systemd: the caller is told through `ready`.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
import stat
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TextIO

from edoc.envelopes.token_frames import AskState, Failed, Request, Sign, Signed, StateIs, Unlock, failure
from edoc.errors import EdocError
from edoc.errors.token import (
    FRAME_INVALID,
    KEY_NOT_ALLOWED,
    MODULE_NOT_ALLOWED,
    SIGNER_MISCONFIGURED,
    SIGNER_RUNNING,
    TOKEN_BUSY,
)
from edoc.model.identifiers import parse_document_id
from edoc.model.signing import Purpose, SigningPriority
from edoc.token.keeper import Keeper
from edoc.token.key_uri import parse_key_uri
from edoc.token.peer import Peer
from edoc.token.settings import SignerSettings
from edoc.token.signature_log import SignatureLog
from edoc.token.signing_queue import Job, SigningQueue

__all__ = ["SignerSettings", "run", "serve"]

_LOOK_EVERY = timedelta(seconds=2)
_SHA256_BYTES = 32


def run(settings: SignerSettings, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; the entry point of ``edoc signer``.  Raises as :func:`serve` does."""

    async def until_stopped() -> None:
        serving = asyncio.ensure_future(serve(settings, ready))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
        await asyncio.wait({serving})
        if not serving.cancelled():
            serving.result()

    asyncio.run(until_stopped())


async def serve(settings: SignerSettings, ready: Callable[[str], None], log: TextIO = sys.stderr) -> None:
    """Serve the token of `settings` until cancelled.

    `ready` is called with a line for people when the socket listens, and then every 2 s as long as the process
    is well: the first call means READY, every call feeds a watchdog.  Signatures are logged to `log` as JSON lines.
    Raises EdocError KEY_URI_INVALID, MODULE_NOT_ALLOWED, SIGNER_MISCONFIGURED, SIGNER_RUNNING.
    """
    _check(settings)
    lock = _lock(settings)
    signer = _Signer(settings, SignatureLog(log, settings.office))
    try:
        listener = _listen(settings)
        server = await asyncio.get_running_loop().create_unix_server(signer.peer, sock=listener)
        try:
            _beat(signer, ready)
            await signer.work()
        finally:
            server.close()
            await signer.close()
            settings.socket.unlink(missing_ok=True)
    except OSError as error:
        # Above all a mark that cannot be made durable: without it no PIN may be tried, so there is nothing to do.
        raise _misconfigured(settings, "its socket, its state folder or its log fails", error) from error
    finally:
        os.close(lock)


class _Signer:
    """Takes requests from peers and works them off, one at a time."""

    def __init__(self, settings: SignerSettings, log: SignatureLog) -> None:
        self._settings = settings
        self._log = log
        self._keeper = Keeper(settings)
        self._queue = SigningQueue(settings.office)
        self._peers: set[Peer] = set()
        self._looked = False  # before the first look there is no state to tell: who asks has to wait
        self._log_error: OSError | None = None
        self.beat: asyncio.TimerHandle | None = None

    def peer(self) -> Peer:
        """Return the protocol of a new connection."""
        return Peer(self._peers, self._settings.allowed_uids, self._take, self._log)

    def status(self) -> str:
        """Return the state in one line."""
        state = self._keeper.state
        waiting = f", {len(self._queue)} waiting" if len(self._queue) else ""
        detail = f": {state.detail}" if state.detail else ""
        return f"token {state.presence}{waiting}{detail}"

    async def work(self) -> None:
        """Work until cancelled."""
        await self._keeper.tick()
        self._looked = True
        while self._log_error is None:
            job = await self._queue.get(_LOOK_EVERY)
            if job is None:
                await self._keeper.tick()
            elif asyncio.get_running_loop().time() > job.expires:
                self._refuse(job, EdocError(TOKEN_BUSY, office=self._settings.office), ms=0.0)
            elif job.wanted():
                await self._do(job)
        raise self._log_error

    async def close(self) -> None:
        """Close connections and end the worker."""
        if self.beat is not None:
            self.beat.cancel()
        for peer in tuple(self._peers):
            peer.close()
        await self._keeper.close()

    def _take(self, peer: Peer, request: Request) -> None:
        if isinstance(request, AskState) and self._looked:
            peer.send(self._state_answer(request.id))
            return
        now = asyncio.get_running_loop().time()
        wait = request.wait_ms / 1000 if isinstance(request, Sign) else float("inf")
        job = Job(request=request, answer=peer.send, wanted=partial(_is_open, peer), uid=peer.uid, expires=now + wait)
        try:
            if isinstance(request, Sign):
                self._allow(request)
            self._queue.put(job)
        except EdocError as error:
            self._refuse(job, error, ms=0.0)

    def _allow(self, request: Sign) -> None:
        """Raise EdocError KEY_NOT_ALLOWED for another office, FRAME_INVALID for a request that makes no sense."""
        if request.office != self._settings.office:
            raise EdocError(KEY_NOT_ALLOWED, office=self._settings.office, asked=request.office[:40])
        try:
            Purpose(request.purpose), SigningPriority(request.priority)
        except ValueError as error:
            raise EdocError(FRAME_INVALID, reason="unknown purpose or priority") from error
        if len(request.digest) != _SHA256_BYTES:
            raise EdocError(FRAME_INVALID, reason="the digest is not a SHA-256")
        parse_document_id(request.document_id)

    async def _do(self, job: Job) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        request = job.request
        try:
            if isinstance(request, Sign):
                signature = await self._keeper.sign(request.algorithm, request.digest)
                # Soon, not now: the next order reaches the token first, and works while this is logged and sent.
                loop.call_soon(self._hand_out, job, request, signature, (loop.time() - started) * 1000)
                return
            if isinstance(request, Unlock):
                await self._unlock(request)
                self._log.unlocked(job.uid, "ready")
        except EdocError as error:
            self._refuse(job, error, ms=(loop.time() - started) * 1000)
            return
        job.answer(self._state_answer(request.id))

    def _hand_out(self, job: Job, request: Sign, signature: bytes, ms: float) -> None:
        try:
            self._log.signature(request, job.uid, "signed", ms)
        except OSError as error:
            # What cannot be logged is not handed out, and the process ends: see work().
            self._log_error = error
            return
        job.answer(Signed(request.id, signature))

    async def _unlock(self, request: Unlock) -> None:
        if request.pin is None:
            await self._keeper.stored_pin_replaced()
        else:
            await self._keeper.unlock(request.pin)

    def _refuse(self, job: Job, error: EdocError, ms: float) -> None:
        if isinstance(job.request, Sign):
            self._log.signature(job.request, job.uid, error.code, ms, error.cause)
        elif isinstance(job.request, Unlock):
            self._log.unlocked(job.uid, error.code)
        answer: Failed = failure(job.request.id, error)
        job.answer(answer)

    def _state_answer(self, request_id: int) -> StateIs:
        state = self._keeper.state
        return StateIs(
            id=request_id,
            presence=state.presence,
            label=state.label,
            serial=state.serial,
            certificate=state.certificate,
            algorithms=state.algorithms,
            detail=state.detail,
        )


def _is_open(peer: Peer) -> bool:
    return peer.open


def _beat(signer: _Signer, ready: Callable[[str], None]) -> None:
    ready(signer.status())
    loop = asyncio.get_running_loop()
    signer.beat = loop.call_later(_LOOK_EVERY.total_seconds(), _beat, signer, ready)


def _check(settings: SignerSettings) -> None:
    """Raise EdocError for settings that no token can mend."""
    parse_key_uri(settings.key_uri)
    module = settings.module.resolve()
    if module not in {path.resolve() for path in settings.allowed_modules} or not module.is_file():
        raise EdocError(MODULE_NOT_ALLOWED, module=settings.module)
    try:
        settings.state.mkdir(mode=0o700, exist_ok=True)
        status = settings.state.stat()
    except OSError as error:
        raise _misconfigured(settings, "its state folder is not usable", error) from error
    # Whoever can remove a mark can burn the PIN's tries.
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o022:
        raise _misconfigured(settings, "its state folder is not ours alone to write")


def _lock(settings: SignerSettings) -> int:
    """Return the descriptor of the lock that makes this process the only one of its state folder."""
    lock = os.open(settings.state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise EdocError(SIGNER_RUNNING, office=settings.office) from error
    return lock


def _listen(settings: SignerSettings) -> socket.socket:
    path = settings.socket
    if path.is_socket():
        path.unlink()  # of a process that was killed: the lock says that none is alive
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Before bind, so that the file is never there with another mode (unix(7): the mode is the socket's).
        os.fchmod(listener.fileno(), settings.socket_mode)
        listener.bind(str(path))
    except OSError:
        listener.close()
        raise
    return listener


def _misconfigured(settings: SignerSettings, reason: str, error: OSError | None = None) -> EdocError:
    return EdocError(
        SIGNER_MISCONFIGURED, office=settings.office, reason=reason, cause="" if error is None else str(error)
    )
