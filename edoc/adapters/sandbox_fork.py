"""The bounded child, seen from the daemon: one warm parent process that forks a limited child per call.

Rules: the parent is started once and again when it dies; calls under way then fail with SANDBOX_DOWN, which is
temporary, because nothing was decided.  Answers are decoded by type.

Does not parse anything itself: :mod:`edoc.adapters.sandbox_tasks` does, in the child.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from datetime import datetime
from typing import TypeVar

import msgspec

from edoc.adapters.sandbox_calls import (
    REQUEST_BYTES,
    AddTimestamp,
    Answer,
    Call,
    PreparePdf,
    ReadSubmission,
    Request,
    SandboxLimits,
    VerifyDetached,
    VerifyFile,
    VerifyManifest,
    VerifyPackage,
    VerifyStatus,
    Warmth,
)
from edoc.envelopes import frames
from edoc.errors import EdocError
from edoc.errors.sandbox import SANDBOX_DOWN, SANDBOX_UNREADABLE
from edoc.model.appearance import NOTHING, Appearance
from edoc.model.document import Party
from edoc.model.identifiers import FileRef
from edoc.model.job import ClaimedJob
from edoc.model.reading import ManifestRead, PackageRead, PreparedPdf, StatusRead, SubmissionRead
from edoc.model.signers import NO_RULES, SignerRules
from edoc.model.trust import TrustMaterial
from edoc.model.verdict import Verdict

T = TypeVar("T")


class ForkSandbox:
    """The Sandbox port over a forking parent process."""

    def __init__(self, limits: SandboxLimits, warmth: Warmth = Warmth.FILES) -> None:
        self._limits = limits
        self._warmth = warmth
        self._encoder = msgspec.msgpack.Encoder()
        self._answers = msgspec.msgpack.Decoder(Answer)
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._pending: dict[int, asyncio.Future[Answer]] = {}
        self._number = 0
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        """Start the parent process; done by the first call otherwise."""
        async with self._starting:
            if self._process is not None:
                return
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "edoc.adapters.sandbox_parent",
                str(self._limits.memory_bytes),
                str(self._limits.seconds),
                str(self._limits.children),
                self._warmth,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            self._reader = asyncio.create_task(self._read(self._process))

    async def close(self) -> None:
        """Stop the parent process and wait for it."""
        process, reader = self._process, self._reader
        self._process = None
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        if reader is not None:
            await reader
        await process.wait()

    @property
    def pid(self) -> int | None:
        """Return the process id of the parent while it runs."""
        return self._process.pid if self._process else None

    async def read_submission(self, job: ClaimedJob, scratch: FileRef, office: Party) -> SubmissionRead:
        """Read a job's description."""
        return await self._call(ReadSubmission(job, scratch, office), SubmissionRead)

    async def prepare_pdf(
        self,
        source: FileRef,
        target: FileRef,
        certificates: tuple[bytes, ...],
        reason: str,
        at: datetime,
        appearance: Appearance = NOTHING,
        signers: SignerRules = NO_RULES,
    ) -> PreparedPdf:
        """Write `source` with room for a seal to `target`."""
        call = PreparePdf(source, target, certificates, reason, at, appearance, signers)
        return await self._call(call, PreparedPdf)

    async def verify_package(self, container: FileRef, material: TrustMaterial) -> PackageRead:
        """Read and verify a container."""
        return await self._call(VerifyPackage(container, material), PackageRead)

    async def verify_status(self, body: bytes, material: TrustMaterial) -> StatusRead:
        """Read and verify a status message."""
        return await self._call(VerifyStatus(body, material), StatusRead)

    async def verify_manifest(self, body: bytes, material: TrustMaterial) -> ManifestRead:
        """Read and verify a chunk manifest."""
        return await self._call(VerifyManifest(body, material), ManifestRead)

    async def verify_file(self, file: FileRef, material: TrustMaterial) -> Verdict:
        """Verify whatever the file is."""
        return await self._call(VerifyFile(file, material), Verdict)

    async def verify_detached(self, content: bytes, cms: bytes, material: TrustMaterial) -> Verdict:
        """Verify a detached CMS signature."""
        return await self._call(VerifyDetached(content, cms, material), Verdict)

    async def add_timestamp(self, signatures: bytes, answer: bytes, nonce: int) -> bytes:
        """Put the time-stamp of an authority's answer into a signature."""
        return await self._call(AddTimestamp(signatures, answer, nonce), bytes)

    async def _call(self, call: Call, result: type[T]) -> T:
        await self.start()
        process = self._process
        if process is None or process.stdin is None:
            raise EdocError(SANDBOX_DOWN, cause="closed")
        self._number += 1
        number = self._number
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._pending[number] = future
        try:
            process.stdin.write(frames.encode(self._encoder.encode(Request(number, call)), REQUEST_BYTES))
            with contextlib.suppress(ConnectionError):  # the reader sees the end and fails every pending call
                await process.stdin.drain()
            answer = await future
        finally:
            self._pending.pop(number, None)
        return _result(answer, result)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        decoder = frames.Decoder()
        if process.stdout is None:
            raise RuntimeError("the parent process was started without a pipe")
        while chunk := await process.stdout.read(256 * 1024):
            for payload in decoder.feed(chunk):
                answer = self._answers.decode(payload)
                future = self._pending.get(answer.number)
                if future is not None and not future.done():
                    future.set_result(answer)
        if self._process is process:
            self._process = None
        down = EdocError(SANDBOX_DOWN, cause=f"parent process {process.pid} ended")
        for future in self._pending.values():
            if not future.done():
                future.set_exception(down)


def _result(answer: Answer, result: type[T]) -> T:
    """Return what a child answered; what it had no business to answer is a fault of the content."""
    try:
        fault = None if answer.fault is None else answer.fault.error()
        value = None if fault is not None else msgspec.msgpack.decode(answer.result, type=result)
    except (msgspec.DecodeError, KeyError) as error:  # the second for a code that is none of ours
        raise EdocError(SANDBOX_UNREADABLE, cause=f"{type(error).__name__}: {error}"[:500]) from error
    if fault is not None or value is None:
        raise fault or EdocError(SANDBOX_UNREADABLE, cause="an empty answer")
    return value
