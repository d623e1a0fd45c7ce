"""Chains: from a certificate to a configured anchor, at an instant.

Rules: only anchors that were handed in are trusted; everything else (intermediates, certificates in the signature)
is only a candidate.  Search is bounded in depth and in signatures checked, so that a bundle of look-alikes costs
little.  RFC 5280, clause 6.1, without policy mapping and name constraints: a certificate that needs them is refused.

Does not look at the clock: the instant comes in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from edoc.errors import EdocError
from edoc.model.trust import TrustMaterial
from edoc.model.verdict import SubIndication
from edoc.signatures.algorithms import DIGEST_BITS
from edoc.signatures.certificates import Certificate, read_certificate
from edoc.signatures.findings import Findings
from edoc.signatures.revocation import read_crls, revocation_of

MAX_DEPTH: Final = 6
MAX_SIGNATURES: Final = 40

_CV = "EN 319 102-1, 5.2.6"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Store:
    anchors: dict[bytes, tuple[Certificate, ...]]  # by DER of the subject
    anchor_ders: frozenset[bytes]
    others: dict[bytes, tuple[Certificate, ...]]


@dataclass(slots=True)
class _Budget:
    left: int = MAX_SIGNATURES


def validate_chain(
    certificate: Certificate, extra: Sequence[Certificate], material: TrustMaterial, at: datetime
) -> Findings:
    """Validate `certificate` to an anchor at the instant `at` (EN 319 102-1, 5.2.6; RFC 5280, 6.1).

    `extra` are certificates that came with the signature.  The findings are those of the first chain that holds, or
    of the first one found.
    """
    first: Findings | None = None
    for path in _paths([certificate], extra, _store(material.anchors, material.intermediates), _Budget()):
        findings = _walk(path, material, at)
        if findings.good:
            return findings
        first = first or findings
    if first is not None:
        return first
    findings = Findings()
    detail = f"no chain from {certificate.common_name} to a configured anchor"
    findings.unknown("x509.chain", _CV, SubIndication.NO_CERTIFICATE_CHAIN_FOUND, detail)
    return findings


def warm(material: TrustMaterial) -> None:
    """Read anchors, intermediates and CRLs into this process's caches (a parent that forks saves its children that)."""
    _store(material.anchors, material.intermediates)
    read_crls(material.crls)


@lru_cache(maxsize=8)
def _store(anchors: tuple[bytes, ...], intermediates: tuple[bytes, ...]) -> _Store:
    return _Store(anchors=_by_subject(anchors), anchor_ders=frozenset(anchors), others=_by_subject(intermediates))


def _by_subject(ders: Sequence[bytes]) -> dict[bytes, tuple[Certificate, ...]]:
    index: dict[bytes, tuple[Certificate, ...]] = {}
    for der in ders:
        try:
            certificate = read_certificate(der)
        except EdocError:  # one that cannot be read can end no chain; `edoc check` names it
            continue
        index[certificate.subject] = (*index.get(certificate.subject, ()), certificate)
    return index


def _paths(
    path: list[Certificate], extra: Sequence[Certificate], store: _Store, budget: _Budget
) -> Iterator[list[Certificate]]:
    """Yield chains from path[0] to an anchor, anchors tried first."""
    last = path[-1]
    if last.der in store.anchor_ders:
        yield path
        return
    if len(path) >= MAX_DEPTH:
        return
    candidates = [*store.anchors.get(last.issuer, ()), *store.others.get(last.issuer, ())]
    candidates += [other for other in extra if other.subject == last.issuer]
    seen = {certificate.sha256 for certificate in path}
    for candidate in candidates:
        if candidate.sha256 in seen:
            continue
        seen.add(candidate.sha256)
        budget.left -= 1
        if budget.left < 0:
            return
        if issued_by(last, candidate):
            yield from _paths([*path, candidate], extra, store, budget)


@lru_cache(maxsize=4096)
def issued_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Say whether `issuer`'s key signed `certificate`."""
    try:
        certificate.parsed.verify_directly_issued_by(issuer.parsed)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _walk(path: Sequence[Certificate], material: TrustMaterial, at: datetime) -> Findings:
    """Check each certificate of `path`; the anchor itself is trusted as it stands (RFC 5280, 6.1.1 d)."""
    findings = Findings()
    names = " ← ".join(certificate.common_name for certificate in reversed(path))
    findings.passed("x509.chain", _CV, names)
    if len(path) == 1:  # the signer itself is an anchor: nothing above it could revoke it
        _check_validity(findings, path[0], 0, at)
    for depth, (certificate, issuer) in enumerate(pairwise(path)):
        _check_validity(findings, certificate, depth, at)
        _check_form(findings, certificate, depth)
        _check_authority(findings, issuer, depth)
        _check_revocation(findings, certificate, issuer, material, at)
    return findings


def _check_validity(findings: Findings, certificate: Certificate, depth: int, at: datetime) -> None:
    span = f"{certificate.common_name}: {certificate.not_before:%F %R}Z to {certificate.not_after:%F %R}Z"
    if certificate.not_before <= at <= certificate.not_after:
        findings.passed("x509.validity", _CV, span)
        return
    sub = SubIndication.OUT_OF_BOUNDS_NO_POE if depth == 0 else SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE
    word = "expired" if at > certificate.not_after else "not yet valid"
    findings.refused("x509.validity", _CV, sub, f"{word} at {at:%F %R %Z}; {span}")


def _check_form(findings: Findings, certificate: Certificate, depth: int) -> None:
    general = SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE
    if certificate.unknown_critical:
        detail = f"{certificate.common_name}: {', '.join(certificate.unknown_critical)}"
        findings.refused("x509.critical-extensions", "RFC 5280, 4.2", general, detail)
    if certificate.signed_with and certificate.signed_with not in DIGEST_BITS:
        sub = SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE
        detail = f"{certificate.common_name} is signed with {certificate.signed_with}"
        findings.refused("x509.algorithm", "EN 319 102-1, 5.2.8", sub, detail)
    if depth == 0 and certificate.is_ca:
        sub = SubIndication.CHAIN_CONSTRAINTS_FAILURE
        findings.refused("x509.end-entity", _CV, sub, f"{certificate.common_name} is an authority's certificate")


def _check_authority(findings: Findings, issuer: Certificate, below: int) -> None:
    """Check what an issuer with `below` intermediates under it must be (RFC 5280, 6.1.4 k to n)."""
    general = SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE
    if not issuer.is_ca:
        findings.refused("x509.authority", "RFC 5280, 6.1.4", general, f"{issuer.common_name} is not an authority")
    if issuer.path_length is not None and issuer.path_length < below:
        findings.refused("x509.path-length", "RFC 5280, 6.1.4", general, f"{issuer.common_name}: too many under it")
    if issuer.usage is not None and not issuer.usage.key_cert_sign:
        detail = f"{issuer.common_name} may not sign certificates"
        findings.refused("x509.authority", "RFC 5280, 6.1.4", general, detail)


def _check_revocation(
    findings: Findings, certificate: Certificate, issuer: Certificate, material: TrustMaterial, at: datetime
) -> None:
    clause = "EN 319 102-1, 5.2.5"
    answer = revocation_of(certificate, issuer, material, at)
    detail = f"{certificate.common_name}: {answer.detail}"
    if answer.sub is None:
        findings.passed("x509.revocation", clause, detail)
    elif answer.revoked:
        findings.refused("x509.revocation", clause, answer.sub, detail)
    else:
        findings.unknown("x509.revocation", clause, answer.sub, detail)
