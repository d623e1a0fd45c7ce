"""Kill a process between two steps, truly: a forked child that ends without any clean-up."""

from __future__ import annotations

import asyncio
import os
import traceback
from collections.abc import Callable, Coroutine
from typing import Any

_KILLED = 77

Step = Callable[[str], None]


def killed_at(number: int, run: Callable[[Step], Coroutine[Any, Any, object]]) -> bool:
    """Run `run` in a child that dies right after step `number` (from 1); False when it had fewer steps and ended well.

    Call it from a test that is no coroutine: the child starts an event loop of its own.
    """
    child = os.fork()
    if child == 0:
        _live(number, run)
    _pid, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, _KILLED}, f"the child failed with {code}"
    return code == _KILLED


def _live(number: int, run: Callable[[Step], Coroutine[Any, Any, object]]) -> None:
    left = number

    def step(_name: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os._exit(_KILLED)

    try:
        asyncio.run(_awaited(run(step)))
    except BaseException:  # noqa: BLE001 -- the child must never return into pytest
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


async def _awaited(work: Coroutine[Any, Any, object]) -> None:
    await work


def as_user(uid: int, run: Callable[[], None]) -> None:
    """Run `run` in a child under an unprivileged uid and gid; only root can."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            run()
        except BaseException:  # noqa: BLE001 -- the child must never return into pytest
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, "the child failed: its traceback stands above"
