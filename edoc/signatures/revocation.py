"""Revocation: what the CRLs at hand say about one certificate at an instant.

Rules: a CRL counts when its issuer's key signed it, when it is in date at the instant, and when everything critical
in it is understood.  Indirect, delta and partial-reason CRLs are not used: what only they could say is unknown.
An entry dated after the instant does not count against that instant.

Does not fetch anything and knows no OCSP: the shell hands in complete CRLs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes

from edoc.model.trust import TrustMaterial
from edoc.model.verdict import SubIndication
from edoc.signatures.certificates import Certificate

_SAFE_HASHES: Final = frozenset({"sha256", "sha384", "sha512"})
_SKEW: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Crl:
    parsed: x509.CertificateRevocationList
    issuer: bytes
    this_update: datetime
    next_update: datetime | None
    scope: x509.IssuingDistributionPoint | None
    unusable: str  # why it cannot be used, empty when it can


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """The answer for one certificate: `sub` None means good; `revoked` that an authority has revoked it."""

    sub: SubIndication | None
    detail: str
    revoked: bool = False
    at: datetime | None = None


def revocation_of(certificate: Certificate, issuer: Certificate, material: TrustMaterial, at: datetime) -> Revocation:
    """Return what the CRLs in `material` say of `certificate` at the instant `at` (EN 319 102-1, 5.2.5; RFC 5280, 6.3).

    Without a usable CRL the answer is unknown, TRY_LATER.
    """
    reasons = []
    for crl in _newest_first(issuer.subject, material.crls):
        reason = _why_not(crl, certificate, issuer, at)
        if not reason:
            return _entry(crl, certificate, at)
        reasons.append(reason)
    return Revocation(sub=SubIndication.TRY_LATER, detail=reasons[0] if reasons else "no CRL of its issuer at hand")


def read_crls(crls: tuple[bytes, ...]) -> int:
    """Read `crls` into this process's cache and return how many of them are CRLs at all."""
    return sum(_read(der) is not None for der in crls)


def _newest_first(issuer: bytes, crls: tuple[bytes, ...]) -> Iterator[_Crl]:
    found = [crl for crl in map(_read, crls) if crl is not None and crl.issuer == issuer]
    yield from sorted(found, key=lambda crl: crl.this_update, reverse=True)


@lru_cache(maxsize=256)
def _read(der: bytes) -> _Crl | None:
    """Return the parsed CRL, None when it is none: one bad file must not hide the good ones."""
    try:
        parsed = x509.load_der_x509_crl(der)
        return _crl(parsed)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion):
        return None


def _crl(parsed: x509.CertificateRevocationList) -> _Crl:
    scope, unusable = None, ""
    for extension in parsed.extensions:
        value = extension.value
        if isinstance(value, x509.IssuingDistributionPoint):
            scope = value
            if value.indirect_crl or value.only_some_reasons or value.only_contains_attribute_certs:
                unusable = "the CRL is indirect or covers some reasons only"
        elif isinstance(value, x509.DeltaCRLIndicator):
            unusable = "the CRL is a delta"
        elif extension.critical and not isinstance(value, x509.CRLNumber | x509.AuthorityKeyIdentifier):
            unusable = f"the CRL has an unknown critical extension {extension.oid.dotted_string}"
    algorithm = parsed.signature_hash_algorithm
    if algorithm is not None and algorithm.name not in _SAFE_HASHES:
        unusable = f"the CRL is signed with {algorithm.name}"
    return _Crl(
        parsed=parsed,
        issuer=parsed.issuer.public_bytes(),
        this_update=parsed.last_update_utc,
        next_update=parsed.next_update_utc,
        scope=scope,
        unusable=unusable,
    )


def _why_not(crl: _Crl, certificate: Certificate, issuer: Certificate, at: datetime) -> str:
    """Return why `crl` cannot speak for `certificate` at `at`, or an empty text when it can."""
    if crl.unusable:
        return crl.unusable
    if crl.next_update is None or crl.next_update < at:
        return f"the CRL of {crl.this_update:%F} was due for renewal on {crl.next_update or crl.this_update:%F %R}Z"
    if crl.this_update > at + _SKEW and crl.this_update > certificate.not_after:
        return "the CRL is from after the certificate's end, when entries may be gone"
    if not _in_scope(crl, certificate):
        return "the CRL covers other certificates"
    if issuer.usage is not None and not issuer.usage.crl_sign:
        return "the issuer's key may not sign CRLs"
    return "" if _signed(crl, issuer) else "the CRL's signature does not hold"


def _in_scope(crl: _Crl, certificate: Certificate) -> bool:
    scope = crl.scope
    if scope is None:
        return True
    if (scope.only_contains_user_certs and certificate.is_ca) or (
        scope.only_contains_ca_certs and not certificate.is_ca
    ):
        return False
    if scope.relative_name:
        return False
    return not scope.full_name or bool(set(scope.full_name) & set(_distribution_points(certificate)))


def _distribution_points(certificate: Certificate) -> Iterator[x509.GeneralName]:
    try:
        points = certificate.parsed.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return
    for point in points:
        yield from point.full_name or ()


@lru_cache(maxsize=256)
def _signed(crl: _Crl, issuer: Certificate) -> bool:
    key: CertificateIssuerPublicKeyTypes = issuer.key
    try:
        return crl.parsed.is_signature_valid(key)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False


@lru_cache(maxsize=4096)
def _lookup(crl: _Crl, serial: int) -> x509.RevokedCertificate | None:
    return crl.parsed.get_revoked_certificate_by_serial_number(serial)


def _entry(crl: _Crl, certificate: Certificate, at: datetime) -> Revocation:
    found = _lookup(crl, certificate.serial)
    until = f"CRL of {crl.this_update:%F %R}Z"
    if found is None:
        return Revocation(sub=None, detail=f"not revoked, {until}")
    since, reason = found.revocation_date_utc, _reason(found)
    if since > at or reason is x509.ReasonFlags.remove_from_crl:
        return Revocation(sub=None, detail=f"not revoked at that instant (revoked later, {since:%F %R}Z), {until}")
    detail = f"revoked since {since:%F %R}Z, reason {reason.value}, {until}"
    if reason is x509.ReasonFlags.certificate_hold:  # on hold: EN 319 102-1, 5.2.6.4 asks to try later
        return Revocation(sub=SubIndication.TRY_LATER, detail=f"on hold: {detail}", at=since)
    sub = SubIndication.REVOKED_CA_NO_POE if certificate.is_ca else SubIndication.REVOKED_NO_POE
    return Revocation(sub=sub, detail=detail, revoked=True, at=since)


def _reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return x509.ReasonFlags.unspecified
    except ValueError:  # an unreadable reason is still a revocation
        return x509.ReasonFlags.unspecified
