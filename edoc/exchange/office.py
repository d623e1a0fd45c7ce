"""The office a daemon works for, and its policy: what the journeys must know besides their ports.

Rules: built once from the configuration; nothing here changes while the daemon runs.
Does not read files: anchors and intermediates are handed in as bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from edoc.model.appearance import SEAL_WIDTH_MM, Place
from edoc.model.identifiers import OrganId
from edoc.model.signers import PersonSignature


class Undecided(StrEnum):
    """What becomes of a document whose seal cannot be judged yet."""

    HOLD = "hold"
    DELIVER = "deliver"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Rules of the office."""

    undecided: Undecided = Undecided.HOLD
    talk: frozenset[tuple[str, str]] | None = None  # (level of sender, level of recipient); None: all may
    max_package_bytes: int = 600 * 1024 * 1024
    person_signature: PersonSignature = PersonSignature.IF_PRESENT  # in the main file
    person_policies: frozenset[str] = frozenset()  # certificate policies (OIDs) of persons
    agency_policies: frozenset[str] = frozenset()  # and of agencies


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait before trying again."""

    base: timedelta = timedelta(seconds=2)
    cap: timedelta = timedelta(minutes=10)
    resend: timedelta = timedelta(hours=12)  # no receipt in time: the same bytes again
    reverify: timedelta = timedelta(minutes=5)  # a held document is judged again


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """One office: code, trust anchors (DER), policy."""

    code: OrganId
    anchors: tuple[bytes, ...]
    intermediates: tuple[bytes, ...]
    policy: Policy = Policy()
    patience: Patience = Patience()
    seal_pdf: bool = True
    seal_reason: str = ""
    seal_image: bytes = field(default=b"", repr=False)  # PNG
    seal_width_mm: float = SEAL_WIDTH_MM
    seal_place: Place | None = None
    inbox_edxml: bool = False
