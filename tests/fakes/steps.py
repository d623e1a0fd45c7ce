"""Kill an office between two steps: what a power cut does to the journeys, inside one process.

A port that is `stepped` counts each of its calls that changes something; the call with the number chosen is the last
thing the office does.  :class:`Killed` is no Exception, so nothing in the product can catch it.

Does not tear a step apart: the adapters' own tests do that, with real processes.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

T = TypeVar("T")

CHANGING = frozenset(
    {
        *("claim", "commit"),  # journal, spool
        *("reopen", "sent", "failed", "report"),  # spool
        *("patch", "keep", "put", "seal_package", "discard"),  # store
        *("stage", "stage_chunk", "stage_manifest", "assemble", "deliver", "quarantine", "drop"),  # inbox
        *("publish", "settle", "release"),  # broker
        *("sign",),  # token
    }
)


class Killed(BaseException):
    """The office is no more."""


class Steps:
    """Counts steps; ends the office right after step `last` (from 1)."""

    def __init__(self, last: int | None = None) -> None:
        self.last = last
        self.passed: list[str] = []

    def __call__(self, name: str) -> None:
        """Pass one step."""
        self.passed.append(name)
        if len(self.passed) == self.last:
            raise Killed(name)


def stepped(port: T, name: str, step: Callable[[str], None]) -> T:
    """Return `port` with a step after each call that changes something."""
    return cast("T", _Stepped(port, name, step))


class _Stepped:
    def __init__(self, port: object, name: str, step: Callable[[str], None]) -> None:
        self._port = port
        self._name = name
        self._step = step

    def of(self, sender: object) -> _Stepped:
        """Step the inbox of one sender too."""
        return _Stepped(self._port.of(sender), self._name, self._step)  # type: ignore[attr-defined]  # an Inbox has it

    def __getattr__(self, method: str) -> Any:
        call = getattr(self._port, method)
        if not inspect.iscoroutinefunction(call):
            return call

        async def after(*args: object, **kwargs: object) -> object:
            await asyncio.sleep(0)  # a real port lets others have their turn
            result = await call(*args, **kwargs)
            if method in CHANGING:
                self._step(f"{self._name}.{method}")
            return result

        return after
