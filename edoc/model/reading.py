"""What the bounded child answers about bytes that nobody had verified before.

Rules: facts and verdicts only; whoever asked decides.
Does not parse anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from edoc.model.document import Document, Submission
from edoc.model.identifiers import Sha256
from edoc.model.message import ChunkManifest, StatusReport
from edoc.model.record import JobFile
from edoc.model.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionRead:
    """A job's description as read, and files that were inline in it (written to scratch)."""

    submission: Submission
    inline: tuple[JobFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedPdf:
    """A PDF with room for a seal: the digest over the byte range, and where the signature goes.

    `already_sealed`: it carries a signature by the seal certificate and must be left as it is.  `forbidden`: its
    DocMDP or FieldMDP forbids another signature.  `signatures` were in the PDF before.
    """

    digest: bytes = b""
    contents_offset: int = 0  # of the first hexadecimal digit
    contents_digits: int = 0
    already_sealed: bool = False
    forbidden: bool = False
    signatures: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageRead:
    """A container as verified: its document, envelope.xml's octets, the verdict and what a receipt binds."""

    document: Document
    envelope: bytes
    entries: tuple[str, ...]  # entry of attachment n at index n-1
    verdict: Verdict
    signature_digests: tuple[Sha256, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRead:
    """A status message as verified."""

    report: StatusReport
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestRead:
    """A chunk manifest as verified."""

    manifest: ChunkManifest
    verdict: Verdict
