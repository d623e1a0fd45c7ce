"""A PKI for the lab: root, issuing CA, seals of organisations, personal and transport certificates, CRLs.

Rules: certificates look like those of a state's CA: Vietnamese names in UTF8String, the organisation's code as
organizationIdentifier (2.5.4.97), policies, key usage, AKI and SKI; no CDP, since nothing may be fetched.  CA keys are
EC, because they are made anew for every test; seals are RSA 2048 unless asked otherwise, as on deployed tokens.
Time comes in as an argument; certificates hold whole seconds.

Does not keep anything: the caller writes files, SoftHSM imports keys.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AGENCY_POLICY_OID = "2.16.704.1.1.1.2.1"
"""Certificate policy of an organisation's seal (under Viet Nam's arc; of the lab alone)."""

PERSON_POLICY_OID = "2.16.704.1.1.1.2.2"
"""Certificate policy of a personal certificate (the same)."""

KeyKind = Literal["rsa", "ec"]
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_DAY = timedelta(days=1)
_YEAR = timedelta(days=365)
_COUNTRY = x509.NameAttribute(NameOID.COUNTRY_NAME, "VN")
_AUTHORITY = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Ban Cơ yếu Chính phủ (phòng thử nghiệm)")


@dataclass(frozen=True)
class Issued:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: PrivateKey = field(repr=False)

    @property
    def der(self) -> bytes:
        """Return the certificate's DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        """Return the certificate's PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """Return the private key as PKCS#8 PEM, without a password."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of the certificate's DER, lower-case hexadecimal."""
        return hashlib.sha256(self.der).hexdigest()


@dataclass(frozen=True, kw_only=True)
class _Profile:
    """What a certificate says besides its subject and validity."""

    usage: x509.KeyUsage
    authority: int | None = None  # path length of a CA, None for an end entity
    policy: str = ""
    purposes: tuple[x509.ObjectIdentifier, ...] = ()
    hosts: tuple[x509.GeneralName, ...] = ()


class Pki:
    """Root and issuing CA with what they issued; :meth:`create` makes one."""

    def __init__(self, *, now: datetime, root: Issued, issuing: Issued) -> None:
        self._now = now
        self.root = root
        self.issuing = issuing
        self._revoked: dict[int, tuple[x509.Name, datetime]] = {}
        self._crl_number = 0

    @classmethod
    def create(cls, now: datetime) -> Pki:
        """Make a root (20 years, of which 5 are past) and an issuing CA around `now` (aware)."""
        now = now.replace(microsecond=0)
        root_key = ec.generate_private_key(ec.SECP384R1())
        root_name = x509.Name([_COUNTRY, _AUTHORITY, _common_name("CA gốc thử nghiệm G2")])
        root = _issue(
            root_name, root_key, None, (now - 5 * _YEAR, now + 15 * _YEAR), _Profile(usage=_CA_USAGE, authority=1)
        )
        issuing_key = ec.generate_private_key(ec.SECP256R1())
        issuing_name = x509.Name([_COUNTRY, _AUTHORITY, _common_name("CA cơ quan nhà nước thử nghiệm G2")])
        issuing = _issue(
            issuing_name,
            issuing_key,
            Issued(root, root_key),
            (now - 4 * _YEAR, now + 10 * _YEAR),
            _Profile(usage=_CA_USAGE, authority=0, policy="2.5.29.32.0"),  # anyPolicy, RFC 5280 §4.2.1.4
        )
        return cls(now=now, root=Issued(root, root_key), issuing=Issued(issuing, issuing_key))

    def seal(
        self,
        code: str,
        name: str,
        *,
        kind: KeyKind = "rsa",
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> Issued:
        """Issue the seal of organisation `code`; valid from a day ago for five years unless told otherwise."""
        subject = x509.Name(
            [
                _COUNTRY,
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, name),
                x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, code),
                _common_name(name),
            ]
        )
        validity = (not_before or self._now - _DAY, not_after or self._now + 5 * _YEAR)
        profile = _Profile(usage=_SIGNING_USAGE, policy=AGENCY_POLICY_OID)
        return self._end_entity(subject, _key(kind), validity, profile)

    def person(self, name: str, code: str, *, kind: KeyKind = "rsa") -> Issued:
        """Issue the personal certificate of `name`, who works for organisation `code`."""
        subject = x509.Name([_COUNTRY, x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, code), _common_name(name)])
        profile = _Profile(usage=_SIGNING_USAGE, policy=PERSON_POLICY_OID)
        return self._end_entity(subject, _key(kind), self._validity, profile)

    def tls_server(self, host: str = "localhost") -> Issued:
        """Issue a TLS server certificate for `host`, localhost and the loopback addresses."""
        names = tuple(x509.DNSName(name) for name in sorted({host, "localhost"}))
        loopback = tuple(x509.IPAddress(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1"))
        profile = _Profile(usage=_TLS_USAGE, purposes=(ExtendedKeyUsageOID.SERVER_AUTH,), hosts=(*names, *loopback))
        return self._end_entity(x509.Name([_COUNTRY, _common_name(host)]), _key("ec"), self._validity, profile)

    def tls_client(self, common_name: str) -> Issued:
        """Issue a TLS client certificate; `common_name` is the broker's user name, an organisation's code."""
        profile = _Profile(usage=_TLS_USAGE, purposes=(ExtendedKeyUsageOID.CLIENT_AUTH,))
        return self._end_entity(x509.Name([_common_name(common_name)]), _key("ec"), self._validity, profile)

    def revoke(self, certificate: x509.Certificate, at: datetime) -> None:
        """Put `certificate` of the issuing CA or the root on the next CRL, as revoked `at` (aware)."""
        self._revoked[certificate.serial_number] = (certificate.issuer, at)

    def crl(self, now: datetime, days: int = 7) -> bytes:
        """Return the issuing CA's CRL, DER, with thisUpdate `now` and nextUpdate `days` later."""
        return self._crl_of(self.issuing, now, days)

    def root_crl(self, now: datetime, days: int = 7) -> bytes:
        """Return the root's CRL, DER, with thisUpdate `now` and nextUpdate `days` later."""
        return self._crl_of(self.root, now, days)

    @property
    def anchors(self) -> tuple[bytes, ...]:
        """Return the trust anchors: the root, DER."""
        return (self.root.der,)

    @property
    def intermediates(self) -> tuple[bytes, ...]:
        """Return the intermediate CAs, DER."""
        return (self.issuing.der,)

    @property
    def ca_pem(self) -> bytes:
        """Return root and issuing CA as one PEM file, for TLS peers."""
        return self.root.pem + self.issuing.pem

    def chain_pem(self, issued: Issued) -> bytes:
        """Return `issued` and the issuing CA as one PEM file, as a TLS end presents them."""
        return issued.pem + self.issuing.pem

    @property
    def _validity(self) -> tuple[datetime, datetime]:
        return (self._now - _DAY, self._now + 5 * _YEAR)

    def _end_entity(
        self, subject: x509.Name, key: PrivateKey, validity: tuple[datetime, datetime], profile: _Profile
    ) -> Issued:
        return Issued(_issue(subject, key, self.issuing, validity, profile), key)

    def _crl_of(self, issuer: Issued, now: datetime, days: int) -> bytes:
        self._crl_number += 1
        now = now.replace(microsecond=0)
        name = issuer.certificate.subject
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(name)
            .last_update(now)
            .next_update(now + days * _DAY)
            .add_extension(x509.CRLNumber(self._crl_number), critical=False)
            .add_extension(_authority_key(issuer), critical=False)
        )
        for serial, (issued_by, at) in self._revoked.items():
            if issued_by == name:
                builder = builder.add_revoked_certificate(
                    x509.RevokedCertificateBuilder()
                    .serial_number(serial)
                    .revocation_date(at)
                    .add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
                    .build()
                )
        return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _key(kind: KeyKind) -> PrivateKey:
    if kind == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _common_name(text: str) -> x509.NameAttribute[str]:
    return x509.NameAttribute(NameOID.COMMON_NAME, text)


def _authority_key(issuer: Issued) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
        issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    )


def _issue(
    subject: x509.Name,
    key: PrivateKey,
    issuer: Issued | None,
    validity: tuple[datetime, datetime],
    profile: _Profile,
) -> x509.Certificate:
    """Sign a certificate for `key`; without an `issuer` it signs itself."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity[0])
        .not_valid_after(validity[1])
        .add_extension(
            x509.BasicConstraints(ca=profile.authority is not None, path_length=profile.authority), critical=True
        )
        .add_extension(profile.usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer is not None:
        builder = builder.add_extension(_authority_key(issuer), critical=False)
    if profile.policy:
        policy = x509.PolicyInformation(x509.ObjectIdentifier(profile.policy), None)
        builder = builder.add_extension(x509.CertificatePolicies([policy]), critical=False)
    if profile.purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(profile.purposes), critical=False)
    if profile.hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(profile.hosts), critical=False)
    return builder.sign(key if issuer is None else issuer.key, hashes.SHA256())


def _usage(*names: str) -> x509.KeyUsage:
    every = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: name in names for name in every})


_CA_USAGE = _usage("key_cert_sign", "crl_sign")
_SIGNING_USAGE = _usage("digital_signature", "content_commitment")
_TLS_USAGE = _usage("digital_signature")
