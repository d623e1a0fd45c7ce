"""Calls into the bounded child, and its answers: what crosses the pipe.

Rules: everything is a frozen typed value; both ends decode by type, so a child that was taken over can return a wrong
value of the right type and nothing else.

Does not run anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

from edoc.errors import FaultReport
from edoc.model.appearance import NOTHING, Appearance
from edoc.model.document import Party
from edoc.model.identifiers import FileRef
from edoc.model.job import ClaimedJob
from edoc.model.signers import NO_RULES, SignerRules
from edoc.model.trust import TrustMaterial


class ReadSubmission(msgspec.Struct, frozen=True, tag=True):
    """Read the description of a job; files that are inline in it go to `scratch`."""

    job: ClaimedJob
    scratch: FileRef
    office: Party


class PreparePdf(msgspec.Struct, frozen=True, tag=True):
    """Write `source` with room for a seal to `target`."""

    source: FileRef
    target: FileRef
    certificates: tuple[bytes, ...]
    reason: str
    at: datetime
    appearance: Appearance = NOTHING
    signers: SignerRules = NO_RULES


class VerifyPackage(msgspec.Struct, frozen=True, tag=True):
    """Read and verify a container."""

    container: FileRef
    material: TrustMaterial


class VerifyStatus(msgspec.Struct, frozen=True, tag=True):
    """Read and verify a status message."""

    body: bytes
    material: TrustMaterial


class VerifyManifest(msgspec.Struct, frozen=True, tag=True):
    """Read and verify a chunk manifest."""

    body: bytes
    material: TrustMaterial


class VerifyFile(msgspec.Struct, frozen=True, tag=True):
    """Verify whatever a file is."""

    file: FileRef
    material: TrustMaterial


class VerifyDetached(msgspec.Struct, frozen=True, tag=True):
    """Verify a detached CMS signature over `content`."""

    content: bytes
    cms: bytes
    material: TrustMaterial


class AddTimestamp(msgspec.Struct, frozen=True, tag=True):
    """Put the time-stamp of an authority's answer into a signature."""

    signatures: bytes
    answer: bytes
    nonce: int


Verify = VerifyPackage | VerifyStatus | VerifyManifest | VerifyFile | VerifyDetached
Call = ReadSubmission | PreparePdf | Verify | AddTimestamp

REQUEST_BYTES = 256 * 1024 * 1024
"""Largest request: trust material holds revocation lists, which are large in the field."""

WRITING = (ReadSubmission, PreparePdf)
"""Calls whose child may write files."""


class Request(msgspec.Struct, frozen=True):
    """One call with its number."""

    number: int
    call: Call


class Answer(msgspec.Struct, frozen=True):
    """What became of a call: the result, or a fault."""

    number: int
    fault: FaultReport | None
    result: msgspec.Raw = msgspec.Raw(b"\xc0")


class Outcome(msgspec.Struct, frozen=True):
    """What a child says: the result, or a fault."""

    fault: FaultReport | None
    result: msgspec.Raw = msgspec.Raw(b"\xc0")


class Warmth(StrEnum):
    """What a parent has imported and tried before it forks: the less, the cheaper a fork."""

    TEXT = "text"  # XML, JSON, CMS
    FILES = "files"  # PDFs and containers besides


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxLimits:
    """Bounds of one child, and how many run side by side."""

    memory_bytes: int = 512 * 1024 * 1024
    seconds: int = 60
    children: int = 4
