"""Certificates, read once and kept parsed.

Rules: a certificate is known by the SHA-256 of its DER, never by a name (one Vietnamese name in NFC and NFD is two
names).  Reading is cached per process, by bytes.

Does not decide whether a certificate is good: :mod:`edoc.signatures.chain` does.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from edoc.errors import EdocError
from edoc.errors.verification import CERTIFICATE_BROKEN
from edoc.model.identifiers import OrganId, Sha256, parse_organ_id
from edoc.signatures.algorithms import PublicKey
from edoc.signatures.der import SEQUENCE, integer, tlv

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)

# Extensions of a certificate whose meaning this verifier knows; any other that is critical is a refusal
# (RFC 5280, clause 4.2).  Name constraints are absent on purpose: they are not evaluated, so they are refused.
_KNOWN_CRITICAL = frozenset(
    {
        x509.BasicConstraints.oid,
        x509.KeyUsage.oid,
        x509.ExtendedKeyUsage.oid,
        x509.CertificatePolicies.oid,
        x509.SubjectAlternativeName.oid,
        x509.SubjectKeyIdentifier.oid,
        x509.AuthorityKeyIdentifier.oid,
        x509.CRLDistributionPoints.oid,
        x509.AuthorityInformationAccess.oid,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Certificate:
    """A parsed certificate: its DER, digest, key, names as DER, and the extensions that chains look at."""

    der: bytes
    sha256: Sha256
    parsed: x509.Certificate
    key: PublicKey
    subject: bytes  # DER of the name
    issuer: bytes
    not_before: datetime
    not_after: datetime
    is_ca: bool
    path_length: int | None
    subject_key_id: bytes
    usage: x509.KeyUsage | None
    extended_usage: frozenset[str] | None
    policies: tuple[str, ...]
    unknown_critical: tuple[str, ...]
    signed_with: str  # digest of its issuer's signature, empty when the scheme has its own

    @property
    def serial(self) -> int:
        """Return the serial number."""
        return self.parsed.serial_number

    @property
    def self_issued(self) -> bool:
        """Say whether subject and issuer are one name."""
        return self.subject == self.issuer

    @property
    def common_name(self) -> str:
        """Return the name to show: CN, else O, else the whole subject."""
        return self.attribute(NameOID.COMMON_NAME) or self.attribute(NameOID.ORGANIZATION_NAME) or self.subject_text

    @property
    def subject_text(self) -> str:
        """Return the subject as RFC 4514 text."""
        return self.parsed.subject.rfc4514_string()

    @property
    def claimed_organisation(self) -> OrganId | None:
        """Return the organisation's code that the subject states (organizationIdentifier, OU), if it is one."""
        for oid in (NameOID.ORGANIZATION_IDENTIFIER, NameOID.ORGANIZATIONAL_UNIT_NAME):
            text = self.attribute(oid)
            try:
                return parse_organ_id(text)
            except EdocError:
                continue
        return None

    def attribute(self, oid: x509.ObjectIdentifier) -> str:
        """Return the first attribute of the subject with `oid`, or an empty text."""
        for attribute in self.parsed.subject.get_attributes_for_oid(oid):
            if isinstance(attribute.value, str):
                return attribute.value
        return ""

    @property
    def may_seal(self) -> bool:
        """Say whether keyUsage allows signatures (digitalSignature or nonRepudiation; absent allows all)."""
        return self.usage is None or bool(self.usage.digital_signature or self.usage.content_commitment)

    @property
    def issuer_serial(self) -> bytes:
        """Return the DER of IssuerSerial (RFC 5035, clause 4)."""
        general_names = tlv(SEQUENCE, tlv(0xA4, self.issuer))
        return tlv(SEQUENCE, general_names, integer(self.serial))


@lru_cache(maxsize=2048)
def read_certificate(der: bytes) -> Certificate:
    """Return the certificate in `der`; EdocError CERTIFICATE_BROKEN when it cannot be read or its key is of no use."""
    try:
        parsed = x509.load_der_x509_certificate(der)
        return _certificate(der, parsed)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion) as error:
        raise EdocError(CERTIFICATE_BROKEN, cause=f"{type(error).__name__}: {error}") from error


def _certificate(der: bytes, parsed: x509.Certificate) -> Certificate:
    key = parsed.public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        raise TypeError(f"key of type {type(key).__name__}")
    digest = parsed.signature_hash_algorithm
    constraints = _extension(parsed, x509.BasicConstraints)
    extended = _extension(parsed, x509.ExtendedKeyUsage)
    policies = _extension(parsed, x509.CertificatePolicies)
    key_id = _extension(parsed, x509.SubjectKeyIdentifier)
    return Certificate(
        der=der,
        sha256=Sha256(hashlib.sha256(der).hexdigest()),
        parsed=parsed,
        key=key,
        subject=parsed.subject.public_bytes(),
        issuer=parsed.issuer.public_bytes(),
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
        is_ca=constraints is not None and constraints.ca,
        path_length=constraints.path_length if constraints is not None else None,
        subject_key_id=b"" if key_id is None else key_id.digest,
        usage=_extension(parsed, x509.KeyUsage),
        extended_usage=None if extended is None else frozenset(usage.dotted_string for usage in extended),
        policies=() if policies is None else tuple(policy.policy_identifier.dotted_string for policy in policies),
        signed_with="" if digest is None else digest.name,
        unknown_critical=tuple(
            found.oid.dotted_string
            for found in parsed.extensions
            if found.critical and found.oid not in _KNOWN_CRITICAL
        ),
    )


def _extension(parsed: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return parsed.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
