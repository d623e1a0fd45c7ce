"""What is asked of a token, and what it says of itself.

Rules: a request names office, purpose and document, because the token process logs every signature.
Does not sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from edoc.model.identifiers import DocumentId, OrganId
from edoc.model.trust import SignatureAlgorithm


class Purpose(StrEnum):
    """What a signature is for; logged by the token process."""

    ATTACHMENT = "attachment"  # PAdES
    DOCUMENT = "document"  # XAdES of a package
    MANIFEST = "manifest"
    STATUS = "status"
    REFUSAL = "refusal"
    CHECK = "check"


class SigningPriority(IntEnum):
    """Order at the token, lowest number first."""

    URGENT = 0
    NORMAL = 1
    REFUSAL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SignRequest:
    """One signature: who asks, what for, over which SHA-256 digest (32 octets)."""

    office: OrganId
    purpose: Purpose
    document_id: DocumentId
    priority: SigningPriority
    algorithm: SignatureAlgorithm
    digest: bytes


class TokenPresence(StrEnum):
    """State of the token as the token process knows it."""

    READY = "ready"
    ABSENT = "absent"
    PIN_NEEDED = "pin-needed"
    PIN_BLOCKED = "pin-blocked"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenState:
    """What the token process says of the office's key: presence, label, serial, certificate (DER), algorithms."""

    presence: TokenPresence
    label: str = ""
    serial: str = ""
    certificate: bytes = b""
    algorithms: tuple[SignatureAlgorithm, ...] = ()
    detail: str = ""
