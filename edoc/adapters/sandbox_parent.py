"""The warm parent: single-threaded, imports everything once, forks one limited child per call.

Rules: the parent itself parses nothing that came from outside except its own frames.  A child has bounds on address
space, processor time, wall time, open files and written bytes, no new privileges, and dies with its parent.  What a
child cannot answer in time is SANDBOX_LIMIT; a child that crashes is SANDBOX_UNREADABLE: a crash is an answer about
the content, not about us.

Does not know what the calls do.
"""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import selectors
import signal
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NoReturn

import msgspec

from edoc.adapters.sandbox_calls import (
    REQUEST_BYTES,
    WRITING,
    Answer,
    Outcome,
    PreparePdf,
    Request,
    SandboxLimits,
    Verify,
    Warmth,
)
from edoc.adapters.sandbox_tasks import perform
from edoc.adapters.sandbox_warm import warm_seal, warm_up
from edoc.envelopes import frames
from edoc.errors import EdocError, FaultReport
from edoc.errors.sandbox import SANDBOX_LIMIT, SANDBOX_UNREADABLE
from edoc.signatures import validation

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_FILE_BYTES = 1 << 40
_ANSWER_BYTES = frames.MAX_FRAME_BYTES - 1024
"""What a child may say at most, with room for the frame's other words."""
_ENCODER = msgspec.msgpack.Encoder()


@dataclass(slots=True)
class _Child:
    number: int
    pid: int
    deadline: float
    output: bytearray = field(default_factory=bytearray)


class Parent:
    """The loop: frames in, children, frames out."""

    def __init__(self, limits: SandboxLimits) -> None:
        self._limits = limits
        self._requests = msgspec.msgpack.Decoder(Request)
        self._outcomes = msgspec.msgpack.Decoder(Outcome)
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, _Child] = {}
        self._waiting: deque[Request] = deque()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._known: object = None
        self._address_space = _address_space() + limits.memory_bytes

    def run(self) -> None:
        """Serve until standard input ends."""
        decoder = frames.Decoder(REQUEST_BYTES)
        self._selector.register(0, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select(self._patience()):
                descriptor = int(key.fd)
                if descriptor != 0:
                    self._collect(descriptor)
                    continue
                data = os.read(0, 256 * 1024)
                if not data:
                    return
                self._waiting.extend(self._requests.decode(payload) for payload in decoder.feed(data))
            self._expire()
            while self._waiting and len(self._children) < self._limits.children:
                self._fork(self._waiting.popleft())

    def _patience(self) -> float | None:
        if not self._children:
            return None
        return max(0.0, min(child.deadline for child in self._children.values()) - time.monotonic())

    def _fork(self, request: Request) -> None:
        self._learn(request)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            self._be_child(request, writer)
        os.close(writer)
        self._children[reader] = _Child(request.number, pid, time.monotonic() + self._limits.seconds)
        self._selector.register(reader, selectors.EVENT_READ)

    def _learn(self, request: Request) -> None:
        """Read the office's trust material when it is new, so that no child has to: it is configuration, no message.

        The same for the image of its seal and the font of its text blocks.
        """
        if isinstance(request.call, PreparePdf):
            with suppress(EdocError):  # the child says what is wrong with the image, as its answer
                warm_seal(request.call.appearance)
        if isinstance(request.call, Verify):
            material = request.call.material
            known = (material.anchors, material.intermediates, material.crls)
            if known != self._known:
                validation.warm(material)
                self._known = known

    def _be_child(self, request: Request, writer: int) -> NoReturn:
        code = 1
        try:
            self._confine(writes=isinstance(request.call, WRITING))
            output = memoryview(_ENCODER.encode(_outcome(request)))
            while output:
                output = output[os.write(writer, output) :]
            code = 0
        finally:
            os._exit(code)

    def _confine(self, *, writes: bool) -> None:
        gc.disable()
        self._libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        self._libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        self._libc.prctl(_PR_SET_DUMPABLE, 0)
        devnull = os.open(os.devnull, os.O_RDWR)
        os.dup2(devnull, 0)
        os.dup2(devnull, 1)
        for bound, value in (
            (resource.RLIMIT_AS, self._address_space),
            (resource.RLIMIT_CPU, self._limits.seconds),
            (resource.RLIMIT_FSIZE, _FILE_BYTES if writes else 0),
            (resource.RLIMIT_NOFILE, 256),
            (resource.RLIMIT_CORE, 0),
        ):
            resource.setrlimit(bound, (value, value))

    def _collect(self, descriptor: int) -> None:
        child = self._children[descriptor]
        data = os.read(descriptor, 1024 * 1024)
        child.output += data
        if len(child.output) > _ANSWER_BYTES:
            self._stop(descriptor, f"{_ANSWER_BYTES} B")
        elif not data:
            code = self._end(descriptor)
            self._send(self._said(child, code))

    def _expire(self) -> None:
        now = time.monotonic()
        for descriptor, child in list(self._children.items()):
            if child.deadline <= now:
                self._stop(descriptor, f"{self._limits.seconds} s")

    def _stop(self, descriptor: int, limit: str) -> None:
        """End a child that takes too much and answer for it; who else holds its pipe open is not waited for."""
        child = self._children[descriptor]
        self._end(descriptor)
        self._send(Answer(child.number, _limit(limit)))

    def _end(self, descriptor: int) -> int:
        """Make sure that a child is gone, forget it and return how it ended."""
        child = self._children.pop(descriptor)
        self._selector.unregister(descriptor)
        os.close(descriptor)
        os.kill(child.pid, signal.SIGKILL)  # one that closed its pipe and lives on; a dead one keeps its own code
        _, status = os.waitpid(child.pid, 0)
        return os.waitstatus_to_exitcode(status)

    def _said(self, child: _Child, code: int) -> Answer:
        try:
            outcome = self._outcomes.decode(child.output)
        except msgspec.DecodeError:
            if -code in {signal.SIGKILL, signal.SIGXCPU}:
                return Answer(child.number, _limit(f"{self._limits.seconds} s"))
            return Answer(child.number, FaultReport(code=SANDBOX_UNREADABLE.code, cause=f"child ended with {code}"))
        return Answer(child.number, outcome.fault, outcome.result)

    def _send(self, answer: Answer) -> None:
        output = memoryview(frames.encode(_ENCODER.encode(answer)))
        while output:
            output = output[os.write(1, output) :]


def _outcome(request: Request) -> Outcome:
    try:
        return Outcome(None, msgspec.Raw(_ENCODER.encode(perform(request.call))))
    except EdocError as error:
        return Outcome(error.report())
    except (MemoryError, RecursionError) as error:
        return Outcome(_limit(type(error).__name__))
    except Exception as error:  # noqa: BLE001 -- whatever a parser raises on hostile bytes is an answer about them
        return Outcome(FaultReport(code=SANDBOX_UNREADABLE.code, cause=f"{type(error).__name__}: {error}"[:500]))


def _limit(limit: str) -> FaultReport:
    return FaultReport(code=SANDBOX_LIMIT.code, facts={"limit": limit})


def _address_space() -> int:
    with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 -- one read at start, no path arithmetic
        return int(statm.read().split()[0]) * resource.getpagesize()


def main() -> None:
    """Serve with the bounds given as arguments: memory in bytes, seconds, children; and the warmth."""
    memory, seconds, children = (int(argument) for argument in sys.argv[1:4])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the daemon decides when to stop
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    warm_up(datetime.now(UTC), Warmth(sys.argv[4]))
    gc.collect()
    gc.freeze()  # children share these pages as long as nobody counts on them
    Parent(SandboxLimits(memory_bytes=memory, seconds=seconds, children=children)).run()


if __name__ == "__main__":
    main()
