"""Two sandboxes for one: the bigger a parent process, the dearer its fork, and most calls are about a little text.

Rules: what is text (job descriptions, statuses, manifests, CMS) goes to a small parent, what holds PDFs and containers
to a large one.  Measured, a fork of the small one costs half.

Does not read anything itself.
"""

from __future__ import annotations

from datetime import datetime

from edoc.adapters.sandbox_calls import SandboxLimits, Warmth
from edoc.adapters.sandbox_fork import ForkSandbox
from edoc.model.appearance import NOTHING, Appearance
from edoc.model.document import Party
from edoc.model.identifiers import FileRef
from edoc.model.job import ClaimedJob
from edoc.model.reading import ManifestRead, PackageRead, PreparedPdf, StatusRead, SubmissionRead
from edoc.model.signers import NO_RULES, SignerRules
from edoc.model.trust import TrustMaterial
from edoc.model.verdict import Verdict


class SplitSandbox:
    """The Sandbox port over two forking parents."""

    def __init__(self, limits: SandboxLimits) -> None:
        self._text = ForkSandbox(limits, Warmth.TEXT)
        self._files = ForkSandbox(limits, Warmth.FILES)

    async def start(self) -> None:
        """Start both parents."""
        await self._text.start()
        await self._files.start()

    async def close(self) -> None:
        """Stop both parents and wait for them."""
        await self._text.close()
        await self._files.close()

    async def read_submission(self, job: ClaimedJob, scratch: FileRef, office: Party) -> SubmissionRead:
        """Read a job's description."""
        return await self._text.read_submission(job, scratch, office)

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
        return await self._files.prepare_pdf(source, target, certificates, reason, at, appearance, signers)

    async def verify_package(self, container: FileRef, material: TrustMaterial) -> PackageRead:
        """Read and verify a container."""
        return await self._files.verify_package(container, material)

    async def verify_status(self, body: bytes, material: TrustMaterial) -> StatusRead:
        """Read and verify a status message."""
        return await self._text.verify_status(body, material)

    async def verify_manifest(self, body: bytes, material: TrustMaterial) -> ManifestRead:
        """Read and verify a chunk manifest."""
        return await self._text.verify_manifest(body, material)

    async def verify_file(self, file: FileRef, material: TrustMaterial) -> Verdict:
        """Verify whatever the file is."""
        return await self._files.verify_file(file, material)

    async def verify_detached(self, content: bytes, cms: bytes, material: TrustMaterial) -> Verdict:
        """Verify a detached CMS signature."""
        return await self._text.verify_detached(content, cms, material)

    async def add_timestamp(self, signatures: bytes, answer: bytes, nonce: int) -> bytes:
        """Put the time-stamp of an authority's answer into a signature."""
        return await self._text.add_timestamp(signatures, answer, nonce)
