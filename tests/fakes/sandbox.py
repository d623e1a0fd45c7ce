"""A Sandbox without a child: the same tasks, in this process.

Arguments and answers take the way that they take over the pipe, so what cannot cross it fails here too.

Does not bound anything: limits, crashes and the parent's death are played by `faults`.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TypeVar

import msgspec
from fakes.faults import Faults

from edoc.adapters.sandbox_calls import (
    AddTimestamp,
    Call,
    PreparePdf,
    ReadSubmission,
    Request,
    VerifyDetached,
    VerifyFile,
    VerifyManifest,
    VerifyPackage,
    VerifyStatus,
)
from edoc.adapters.sandbox_tasks import perform
from edoc.errors import EdocError
from edoc.errors.sandbox import SANDBOX_UNREADABLE
from edoc.model.appearance import NOTHING, Appearance
from edoc.model.document import Party
from edoc.model.identifiers import FileRef
from edoc.model.job import ClaimedJob
from edoc.model.reading import ManifestRead, PackageRead, PreparedPdf, StatusRead, SubmissionRead
from edoc.model.signers import NO_RULES, SignerRules
from edoc.model.trust import TrustMaterial
from edoc.model.verdict import Verdict

T = TypeVar("T")


class FakeSandbox:
    """The Sandbox port in this process; `faults.plan("verify_package", error)` makes the next such call fail.

    `calls` counts what was asked for, by method.
    """

    def __init__(self) -> None:
        self.faults = Faults()
        self.calls: list[str] = []

    async def read_submission(self, job: ClaimedJob, scratch: FileRef, office: Party) -> SubmissionRead:
        return await self._call("read_submission", ReadSubmission(job, scratch, office), SubmissionRead)

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
        call = PreparePdf(source, target, certificates, reason, at, appearance, signers)
        return await self._call("prepare_pdf", call, PreparedPdf)

    async def verify_package(self, container: FileRef, material: TrustMaterial) -> PackageRead:
        return await self._call("verify_package", VerifyPackage(container, material), PackageRead)

    async def verify_status(self, body: bytes, material: TrustMaterial) -> StatusRead:
        return await self._call("verify_status", VerifyStatus(body, material), StatusRead)

    async def verify_manifest(self, body: bytes, material: TrustMaterial) -> ManifestRead:
        return await self._call("verify_manifest", VerifyManifest(body, material), ManifestRead)

    async def verify_file(self, file: FileRef, material: TrustMaterial) -> Verdict:
        return await self._call("verify_file", VerifyFile(file, material), Verdict)

    async def verify_detached(self, content: bytes, cms: bytes, material: TrustMaterial) -> Verdict:
        return await self._call("verify_detached", VerifyDetached(content, cms, material), Verdict)

    async def add_timestamp(self, signatures: bytes, answer: bytes, nonce: int) -> bytes:
        return await self._call("add_timestamp", AddTimestamp(signatures, answer, nonce), bytes)

    async def _call(self, method: str, call: Call, result: type[T]) -> T:
        self.calls.append(method)
        await asyncio.sleep(0)  # as over a pipe, others have their turn
        self.faults.check(method)
        asked = msgspec.msgpack.decode(msgspec.msgpack.encode(Request(1, call)), type=Request)
        try:
            answer = perform(asked.call)
        except EdocError:
            raise
        except Exception as error:
            raise EdocError(SANDBOX_UNREADABLE, cause=f"{type(error).__name__}: {error}") from error
        return msgspec.msgpack.decode(msgspec.msgpack.encode(answer), type=result)
