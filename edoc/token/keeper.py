"""The keeper: holds one token ready to sign, and brings it back when it fails.

The way to a signature has four steps, each of which may be lost again at any time:

    worker running   a process that has loaded the module     lost by a hang, a crash, a broken module
    attached         a session on the one token of the URI     lost by pulling the token
    logged in        the PIN was accepted                      lost with the session
    bound            key, certificate and mechanisms found     lost with the session

Rules: what a failure means stands in :mod:`edoc.token.ckr`, what happens then stands here, once.  A request is tried
again at most once.  A PIN is used only as :mod:`edoc.token.pin_guard` allows; the one that worked is kept in memory
alone, for the serial it worked on.  Only one task calls a keeper.

Does not know sockets, queues or clients.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from edoc.errors import EdocError, Fault
from edoc.errors.token import (
    PIN_BLOCKED,
    PIN_NEEDED,
    PIN_REFUSED,
    TOKEN_ABSENT,
    TOKEN_BROKEN,
    TOKEN_REFUSED,
)
from edoc.model.signing import TokenPresence, TokenState
from edoc.model.trust import SignatureAlgorithm
from edoc.token import worker_frames as wire
from edoc.token.ckr import (
    CKF_LOGIN_REQUIRED,
    CKF_USER_PIN_FINAL_TRY,
    CKF_USER_PIN_LOCKED,
    LOGIN_NOT_TRIED,
    Reaction,
)
from edoc.token.pin_guard import Mark, PinGuard
from edoc.token.pin_sources import stored_pin
from edoc.token.process import TokenCallError, Worker
from edoc.token.settings import SignerSettings

_R = TypeVar("_R", bound=wire.Reply)
_LONGEST_BACKOFF = timedelta(seconds=60)
_FORGIVEN_AFTER = timedelta(minutes=10)

_PRESENCE: dict[Fault, TokenPresence] = {
    TOKEN_ABSENT: TokenPresence.ABSENT,
    PIN_NEEDED: TokenPresence.PIN_NEEDED,
    PIN_BLOCKED: TokenPresence.PIN_BLOCKED,
    PIN_REFUSED: TokenPresence.PIN_BLOCKED,
}


@dataclass(frozen=True, slots=True)
class _KnownPin:
    serial: str
    pin: str = field(repr=False)


class Keeper:
    """Keeps the token of `settings` ready to sign."""

    def __init__(self, settings: SignerSettings) -> None:
        self._settings = settings
        self._guard = PinGuard(settings.state)
        self._worker: Worker | None = None
        self._token: wire.Attached | None = None
        self._logged_in = False
        self._bound: wire.Bound | None = None
        self._known: _KnownPin | None = None
        self._failures = 0
        self._restart_at = 0.0
        self._state = TokenState(presence=TokenPresence.ABSENT, detail="starting")

    @property
    def state(self) -> TokenState:
        """Return the state as of the last step."""
        return self._state

    async def sign(self, algorithm: SignatureAlgorithm, digest: bytes) -> bytes:
        """Return the signature over a SHA-256 digest; EdocError as the Token port says."""
        try:
            try:
                return await self._sign_once(algorithm, digest)
            except TokenCallError as failure:
                # Token gone, PIN and refusal end here; a lost session or a broken module is worth one more try.
                await self._react(failure)
            try:
                return await self._sign_once(algorithm, digest)
            except TokenCallError as failure:
                await self._react(failure)
                if failure.reaction is not Reaction.MODULE_BROKEN:
                    await self._restart_later()
                raise self._broken(failure.reason) from failure
        except EdocError as error:
            self._note(error)
            raise

    async def tick(self) -> None:
        """Look whether the token is there, and make it ready when it has just come; never raises EdocError."""
        try:
            try:
                await self._look()
                await self._ready()
            except TokenCallError as failure:
                await self._react(failure)
                raise self._broken(failure.reason) from failure
        except EdocError as error:
            self._note(error)

    async def unlock(self, pin: str) -> None:
        """Try `pin` once, because a person typed it; EdocError PIN_REFUSED when the token says no.

        A token that is ready is left alone: a try costs, and nothing is to be gained.
        """
        if self._bound is not None:
            return
        try:
            try:
                self._forget_session()
                token = await self._attached()
                await self._try_pin(token.serial, pin)
                await self._ready()
            except TokenCallError as failure:
                await self._react(failure)
                raise self._broken(failure.reason) from failure
        except EdocError as error:
            self._note(error)
            raise

    async def stored_pin_replaced(self) -> None:
        """Let the stored PIN be tried again, because a person says that it was replaced."""
        try:
            try:
                self._forget_session()
                self._guard.clear((await self._attached()).serial)
                await self._ready()
            except TokenCallError as failure:
                await self._react(failure)
                raise self._broken(failure.reason) from failure
        except EdocError as error:
            self._note(error)
            raise

    async def close(self) -> None:
        """End the worker."""
        await self._stop_worker()

    # --- the four steps ---------------------------------------------------------------------------------------------

    async def _sign_once(self, algorithm: SignatureAlgorithm, digest: bytes) -> bytes:
        if self._bound is None:
            await self._ready()
        made = await self._ask(wire.Make(algorithm, digest), wire.Made)
        self._failures = 0
        return made.signature

    async def _ready(self) -> None:
        token = await self._attached()
        if not self._logged_in:
            await self._log_in(token)
        if self._bound is None:
            pinned = self._settings.certificate_sha256
            self._bound = await self._ask(wire.Bind(pinned), wire.Bound)
        self._state = TokenState(
            presence=TokenPresence.READY,
            label=token.label,
            serial=token.serial,
            certificate=self._bound.certificate,
            algorithms=self._bound.algorithms,
        )

    async def _attached(self) -> wire.Attached:
        if self._worker is None:
            await self._start_worker()
        if self._token is None:
            self._token = await self._ask(wire.Attach(self._settings.key_uri), wire.Attached)
        return self._token

    async def _start_worker(self) -> None:
        if asyncio.get_running_loop().time() < self._restart_at:
            raise self._broken("waiting before the next restart")
        try:
            self._worker = await Worker.start(self._settings.environment)
        except OSError as error:
            raise TokenCallError(Reaction.MODULE_BROKEN, "no worker process could be started") from error
        allowed = tuple(str(path) for path in self._settings.allowed_modules)
        try:
            order = wire.Load(str(self._settings.module), allowed)
            await self._worker.ask(order, self._settings.start_timeout)
        except EdocError:
            await self._stop_worker()
            raise
        except TokenCallError as failure:
            # Whatever the code: a module that cannot be initialised is broken.
            raise TokenCallError(Reaction.MODULE_BROKEN, failure.reason, failure.code) from failure

    async def _look(self) -> None:
        if self._token is not None:
            seen = await self._ask(wire.Look(), wire.Present)
            if not seen.present:
                self._forget_session()
                raise EdocError(TOKEN_ABSENT, office=self._settings.office)

    # --- PINs -------------------------------------------------------------------------------------------------------

    async def _log_in(self, token: wire.Attached) -> None:
        if not token.flags & CKF_LOGIN_REQUIRED:
            self._logged_in = True
            return
        await self._try_pin(token.serial, self._pin_for(token))

    def _pin_for(self, token: wire.Attached) -> str:
        """Return the PIN that may be tried without a person: the one that worked, or the stored one."""
        if token.flags & CKF_USER_PIN_LOCKED:
            raise self._blocked(token.serial, "the token says that its PIN is locked")
        if token.flags & CKF_USER_PIN_FINAL_TRY:
            raise self._blocked(token.serial, "the token says that one try is left")
        mark = self._guard.mark(token.serial)
        if mark is Mark.REFUSED:
            raise self._blocked(token.serial, "the last PIN was refused")
        if mark is Mark.TRYING:
            raise self._blocked(token.serial, "nobody knows how the last try ended")
        if self._known is not None and self._known.serial == token.serial:
            return self._known.pin
        settings = self._settings
        pin = stored_pin(settings.office, settings.credentials, settings.pin_file)
        if pin is None:
            raise EdocError(PIN_NEEDED, office=settings.office)
        return pin

    async def _try_pin(self, serial: str, pin: str) -> None:
        was, known = self._guard.mark(serial), self._known
        self._known = None
        self._guard.begin(serial)
        try:
            await self._ask(wire.Login(pin), wire.Done)
        except TokenCallError as failure:
            if failure.reaction is Reaction.PIN or was is Mark.REFUSED:
                self._guard.refuse(serial)
            elif failure.code in LOGIN_NOT_TRIED and was is None:
                self._guard.clear(serial)
                self._known = known
            raise
        self._guard.clear(serial)
        self._known = _KnownPin(serial, pin)
        self._logged_in = True

    def _blocked(self, serial: str, reason: str) -> EdocError:
        return EdocError(PIN_BLOCKED, office=self._settings.office, serial=serial, reason=reason)

    # --- failures ---------------------------------------------------------------------------------------------------

    async def _ask(self, order: wire.Order, kind: type[_R]) -> _R:
        if self._worker is None:
            raise TokenCallError(Reaction.MODULE_BROKEN, "no worker")
        reply = await self._worker.ask(order, self._settings.request_timeout)
        if not isinstance(reply, kind):
            raise TokenCallError(Reaction.MODULE_BROKEN, "the worker's answer is to another question")
        return reply

    async def _react(self, failure: TokenCallError) -> None:
        """Do what the class of `failure` calls for; return when one more try makes sense, else raise EdocError."""
        office = self._settings.office
        serial = self._token.serial if self._token is not None else ""
        match failure.reaction:
            case Reaction.GONE:
                self._forget_session()
                raise EdocError(TOKEN_ABSENT, office=office, cause=failure.reason) from failure
            case Reaction.SESSION_LOST:
                self._forget_session()
            case Reaction.MODULE_BROKEN:
                await self._restart_later()
            case Reaction.PIN:
                # At C_Login the mark stands already; a context login (CKA_ALWAYS_AUTHENTICATE) sets it here.
                self._guard.refuse(serial)
                self._known = None
                self._forget_session()
                raise EdocError(PIN_REFUSED, office=office, serial=serial, cause=failure.reason) from failure
            case Reaction.REFUSED:
                raise EdocError(TOKEN_REFUSED, office=office, reason=failure.reason) from failure

    async def _restart_later(self) -> None:
        """End the worker; the next may start at once after a first failure, then after a wait that doubles."""
        await self._stop_worker()
        now = asyncio.get_running_loop().time()
        if now > self._restart_at + _FORGIVEN_AFTER.total_seconds():
            self._failures = 0
        self._failures += 1
        wait = timedelta(0)
        if self._failures > 1:
            wait = min(self._settings.backoff * 2 ** min(self._failures - 2, 16), _LONGEST_BACKOFF)
        self._restart_at = now + wait.total_seconds()

    async def _stop_worker(self) -> None:
        self._forget_session()
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.kill()

    def _forget_session(self) -> None:
        # The worker drops its own handles when it attaches again.
        self._token = self._bound = None
        self._logged_in = False

    def _broken(self, reason: str) -> EdocError:
        return EdocError(TOKEN_BROKEN, office=self._settings.office, reason=reason)

    def _note(self, error: EdocError) -> None:
        """Put what `error` says of the token into the state; `office` is filled in for the worker's own faults."""
        error.facts = {"office": self._settings.office, **error.facts}
        if self._bound is not None:
            return  # the request was wrong, not the token
        presence = _PRESENCE.get(error.fault, TokenPresence.BROKEN)
        token = self._token
        self._state = TokenState(
            presence=presence,
            label="" if token is None else token.label,
            serial="" if token is None else token.serial,
            detail=error.text("en"),
        )
