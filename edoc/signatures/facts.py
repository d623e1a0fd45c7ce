"""Facts about one signature, before any policy: what it is, what it covers, whether the cryptography holds.

Rules: facts come first and need no trust material, so that an auditor can judge the same facts again years later with
other material.  `findings` holds the checks of EN 319 102-1, 5.2.2 (format), 5.2.3 (signing certificate) and 5.2.7
(cryptography).

Does not judge: :mod:`edoc.signatures.judgement` does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from edoc.model.identifiers import Sha256
from edoc.model.verdict import SubIndication
from edoc.signatures.algorithms import Algorithm
from edoc.signatures.certificates import Certificate
from edoc.signatures.findings import Findings

FORMAT_CLAUSE = "EN 319 102-1, 5.2.2"
SIGNER_CLAUSE = "EN 319 102-1, 5.2.3"
CRYPTO_CLAUSE = "EN 319 102-1, 5.2.7"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureFacts:
    """What one signature is; `stamped` are the octets that its time-stamps have to cover."""

    format: str
    scope: str
    findings: Findings
    certificate: Certificate | None = None
    extra: tuple[Certificate, ...] = field(default=(), repr=False)
    algorithm: Algorithm | None = None
    signing_time: datetime | None = None
    signature_sha256: Sha256 | None = None
    crypto_intact: bool = False
    baseline: bool = False  # has what level B-B asks for
    stamped: bytes = field(default=b"", repr=False)
    timestamps: tuple[bytes, ...] = field(default=(), repr=False)


def unreadable(format_: str, detail: str, scope: str = "") -> SignatureFacts:
    """Return the facts of something that is no signature of an accepted structure: TOTAL-FAILED, FORMAT_FAILURE."""
    findings = Findings()
    findings.failed("format", FORMAT_CLAUSE, SubIndication.FORMAT_FAILURE, detail)
    return SignatureFacts(format=format_, scope=scope, findings=findings)


def placeholder(check: str, detail: str) -> SignatureFacts:
    """Return the facts of a signature that was never one: INDETERMINATE, FORMAT_FAILURE, under the name `check`.

    Placeholders are common in today's traffic.  They prove nothing, but neither has anybody tampered with them, so
    they are not TOTAL-FAILED.
    """
    findings = Findings()
    findings.unknown(check, FORMAT_CLAUSE, SubIndication.FORMAT_FAILURE, detail)
    return SignatureFacts(format="XMLDSig", scope="", findings=findings)


def weak(detail: str) -> SignatureFacts:
    """Return the facts of a signature by an algorithm that counts no more: INDETERMINATE, nothing is computed.

    EN 319 102-1, 5.2.8.4: an algorithm that is not considered reliable, without proof of an earlier time.
    """
    findings = Findings()
    sub = SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE
    findings.refused("algorithm", "EN 319 102-1, 5.2.8", sub, detail)
    return SignatureFacts(format="XMLDSig", scope="", findings=findings)
