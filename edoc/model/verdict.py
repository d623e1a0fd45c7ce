"""Verdicts: what validation says, in the words of ETSI EN 319 102-1.

Rules: an indication is one of three, never a boolean; unknown is a result of its own.  Every check that was made is
listed, with its clause.  *Verdict* (cryptography, chain, revocation, algorithm, pin) and *admission* (who brought
it, to whom, may they) are two results and are kept apart: an auditor can replay the first, not the second.

Does not decide anything: :mod:`edoc.signatures` and :mod:`edoc.exchange` do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from edoc.errors import FaultReport
from edoc.model.identifiers import OrganId, Sha256


class Indication(StrEnum):
    """Main indications, EN 319 102-1 clause 5.1.3."""

    TOTAL_PASSED = "TOTAL-PASSED"
    TOTAL_FAILED = "TOTAL-FAILED"
    INDETERMINATE = "INDETERMINATE"


class SubIndication(StrEnum):
    """Sub-indications, EN 319 102-1 tables 5 and 6."""

    FORMAT_FAILURE = "FORMAT_FAILURE"
    HASH_FAILURE = "HASH_FAILURE"
    SIG_CRYPTO_FAILURE = "SIG_CRYPTO_FAILURE"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"
    NOT_YET_VALID = "NOT_YET_VALID"
    SIG_CONSTRAINTS_FAILURE = "SIG_CONSTRAINTS_FAILURE"
    CHAIN_CONSTRAINTS_FAILURE = "CHAIN_CONSTRAINTS_FAILURE"
    CERTIFICATE_CHAIN_GENERAL_FAILURE = "CERTIFICATE_CHAIN_GENERAL_FAILURE"
    CRYPTO_CONSTRAINTS_FAILURE = "CRYPTO_CONSTRAINTS_FAILURE"
    CRYPTO_CONSTRAINTS_FAILURE_NO_POE = "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
    NO_SIGNING_CERTIFICATE_FOUND = "NO_SIGNING_CERTIFICATE_FOUND"
    NO_CERTIFICATE_CHAIN_FOUND = "NO_CERTIFICATE_CHAIN_FOUND"
    REVOKED_NO_POE = "REVOKED_NO_POE"
    REVOKED_CA_NO_POE = "REVOKED_CA_NO_POE"
    OUT_OF_BOUNDS_NO_POE = "OUT_OF_BOUNDS_NO_POE"
    OUT_OF_BOUNDS_NOT_REVOKED = "OUT_OF_BOUNDS_NOT_REVOKED"
    REVOCATION_OUT_OF_BOUNDS_NO_POE = "REVOCATION_OUT_OF_BOUNDS_NO_POE"
    NO_POE = "NO_POE"
    TRY_LATER = "TRY_LATER"
    SIGNED_DATA_NOT_FOUND = "SIGNED_DATA_NOT_FOUND"
    TIMESTAMP_ORDER_FAILURE = "TIMESTAMP_ORDER_FAILURE"
    POLICY_PROCESSING_ERROR = "POLICY_PROCESSING_ERROR"
    SIGNATURE_POLICY_NOT_AVAILABLE = "SIGNATURE_POLICY_NOT_AVAILABLE"
    GENERIC = "GENERIC"


class CheckResult(StrEnum):
    """Outcome of one check."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check that was made: a stable id, the clause it implements, its result, a detail for people."""

    id: str
    clause: str
    result: CheckResult
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureReport:
    """What validation found about one signature.

    `path` is the file inside a package that carries the signature (empty for the file itself); `scope` says what it
    covers; `format` is XAdES, PAdES, CAdES or XMLDSig; `level` B-B, B-T, ….
    """

    path: str
    scope: str
    format: str
    level: str
    indication: Indication
    sub_indication: SubIndication | None
    crypto_intact: bool
    signer: str
    organisation: OrganId | None
    signing_time: datetime | None
    checks: tuple[Check, ...]
    certificate_sha256: Sha256 | None = None
    signature_sha256: Sha256 | None = None  # of the SignatureValue octets
    policies: tuple[str, ...] = ()  # OIDs that the certificate states


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The result for one file: its signatures, and the indication they add up to.

    No signatures at all is `indication` None.
    """

    indication: Indication | None
    sub_indication: SubIndication | None
    signatures: tuple[SignatureReport, ...]

    @property
    def passed(self) -> bool:
        """Say whether the indication is TOTAL-PASSED."""
        return self.indication is Indication.TOTAL_PASSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Whether a message may come in: `fault` is None when it may."""

    attested_sender: OrganId | None
    fault: FaultReport | None = None

    @property
    def admitted(self) -> bool:
        """Say whether the message may come in."""
        return self.fault is None
