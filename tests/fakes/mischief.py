"""A sandbox's parent whose children do what a detached signature's content tells them: what hostile content may cause.

Started by :func:`misbehaving` in place of ``edoc.adapters.sandbox_parent``; every other call is done as always.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edoc.adapters import sandbox_parent
from edoc.adapters.sandbox_calls import Call, Outcome, VerifyDetached
from edoc.adapters.sandbox_tasks import Result, perform
from edoc.errors import FaultReport
from edoc.model.verdict import Indication, SignatureReport, Verdict


def misbehaving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every ForkSandbox that starts from now on start this parent."""
    start = asyncio.create_subprocess_exec

    async def started(program: str, *arguments: str, **pipes: Any) -> asyncio.subprocess.Process:
        assert arguments[:2] == ("-m", "edoc.adapters.sandbox_parent")
        # -P: the modules beside this one must not hide those of the standard library.
        return await start(program, "-P", __file__, *arguments[2:], **pipes)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", started)


def _deed(call: Call) -> Result:
    if not isinstance(call, VerifyDetached):
        return perform(call)
    deed, _, detail = call.content.decode().partition(":")
    _DEEDS.get(deed, _nothing)(detail)
    return said("x" * int(detail) if deed == "grow" else detail)


def said(text: str) -> Verdict:
    """Return a verdict in which `text` can be recognised."""
    report = SignatureReport(
        path="",
        scope="",
        format="",
        level="",
        indication=Indication.INDETERMINATE,
        sub_indication=None,
        crypto_intact=False,
        signer=text,
        organisation=None,
        signing_time=None,
        checks=(),
    )
    return Verdict(indication=Indication.INDETERMINATE, sub_indication=None, signatures=(report,))


def _nothing(_detail: str) -> None:
    pass


def _loop(_detail: str) -> None:
    while True:
        pass


def _hang(_detail: str) -> None:
    signal.pause()


def _bomb(_detail: str) -> None:
    kept = []
    while True:
        kept.append(bytearray(1 << 20))


def _recurse(detail: str) -> None:
    _recurse(detail)


def _crash(_detail: str) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _leave(detail: str) -> None:
    os._exit(int(detail))


def _write(detail: str) -> None:
    Path(detail).write_bytes(b"from the child")


def _slow(detail: str) -> None:
    time.sleep(int(detail) % 7 / 1000)


def _pipe() -> int:
    """Return the pipe on which the child answers: the only open one that is no standard stream and can be written."""
    for number in range(3, 256):
        try:
            if str(Path(f"/proc/self/fd/{number}").readlink()).startswith("pipe:"):
                return number
        except OSError:
            continue
    raise RuntimeError("no pipe")


def _garble(_detail: str) -> None:
    os.write(_pipe(), b"\xc1 this is no answer")
    os._exit(0)


def _lie(detail: str) -> None:
    fault = FaultReport(code=detail)
    os.write(_pipe(), msgspec.msgpack.encode(Outcome(fault)))
    os._exit(0)


def _mute(_detail: str) -> None:
    os.close(_pipe())
    signal.pause()


def _flood(_detail: str) -> None:
    pipe = _pipe()
    while True:
        os.write(pipe, bytes(1 << 20))


def _breed(_detail: str) -> None:
    if os.fork() == 0:
        time.sleep(30)  # it holds the pipe open after its parent is gone
        os._exit(0)
    os._exit(0)


_DEEDS = {
    "loop": _loop,
    "hang": _hang,
    "bomb": _bomb,
    "recurse": _recurse,
    "crash": _crash,
    "leave": _leave,
    "write": _write,
    "slow": _slow,
    "garble": _garble,
    "lie": _lie,
    "mute": _mute,
    "flood": _flood,
    "breed": _breed,
}

if __name__ == "__main__":
    sys.argv[0] = sandbox_parent.__name__
    vars(sandbox_parent)["perform"] = _deed
    sandbox_parent.main()
