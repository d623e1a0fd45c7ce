"""Before and after the token signs: the seal's certificate, the checks, what a prepared signature is.

Rules: signing has two phases, because the key is in another process: prepare → digest (32 octets SHA-256) → the
token signs → finish.  The certificate is checked before it signs (Circular 15/2025/TT-BKHCN), and what the token
returned is checked before it is used.

Does not talk to a token and does not build signatures: :mod:`edoc.signatures.xades` and ``cades`` do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Self

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from edoc.errors import EdocError
from edoc.errors.verification import ALGORITHM_UNFIT, CERTIFICATE_BROKEN, OWN_SEAL_BROKEN
from edoc.model.identifiers import OrganId, Sha256
from edoc.model.trust import SignatureAlgorithm, TrustMaterial
from edoc.model.verdict import Check, SubIndication
from edoc.signatures.algorithms import CREATED, Scheme, ecdsa_der, key_bits, refusal, verify_raw
from edoc.signatures.certificates import Certificate, read_certificate
from edoc.signatures.chain import validate_chain
from edoc.signatures.findings import Findings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SealCertificate:
    """The certificate of a key that signs here."""

    certificate: Certificate
    algorithms: tuple[SignatureAlgorithm, ...]  # that fit the key, the usual one first
    path: tuple[bytes, ...] = ()  # DER of its issuers, nearest first, without the root

    @classmethod
    def read(cls, der: bytes, intermediates: Sequence[bytes] = ()) -> Self:
        """Return the certificate in `der` with its path among `intermediates`, cached; EdocError CERTIFICATE_BROKEN.

        A signature carries the path, so that it can be verified where nobody has the issuer's certificate.
        """
        certificate = read_certificate(der)
        path: list[bytes] = []
        issuers = {issuer.subject: issuer for issuer in map(read_certificate, intermediates) if not issuer.self_issued}
        above = issuers.pop(certificate.issuer, None)
        while above is not None:
            path.append(above.der)
            above = issuers.pop(above.issuer, None)
        return cls(certificate=certificate, algorithms=_algorithms(der), path=tuple(path))

    @property
    def der(self) -> bytes:
        """Return the DER."""
        return self.certificate.der

    @property
    def sha256(self) -> Sha256:
        """Return the SHA-256 of the DER."""
        return self.certificate.sha256

    @property
    def subject(self) -> str:
        """Return the name to show."""
        return self.certificate.common_name

    @property
    def organisation(self) -> str:
        """Return the organisation's name in the subject, or an empty text."""
        return self.certificate.attribute(NameOID.ORGANIZATION_NAME)

    @property
    def organ_id(self) -> OrganId | None:
        """Return the organisation's code that the subject states; the directory's pin decides, not this."""
        return self.certificate.claimed_organisation

    @property
    def key_kind(self) -> str:
        """Return ``rsa`` or ``ec``."""
        return "ec" if isinstance(self.certificate.key, ec.EllipticCurvePublicKey) else "rsa"

    @property
    def bits(self) -> int:
        """Return the key's size in bits."""
        return key_bits(self.certificate.key)

    @property
    def algorithm(self) -> SignatureAlgorithm:
        """Return the usual algorithm for this key: what deployed tokens can do."""
        return self.algorithms[0]

    @property
    def not_before(self) -> datetime:
        """Return the start of validity."""
        return self.certificate.not_before

    @property
    def not_after(self) -> datetime:
        """Return the end of validity."""
        return self.certificate.not_after

    def fits(self, algorithm: SignatureAlgorithm) -> None:
        """Raise EdocError ALGORITHM_UNFIT unless the key can sign with `algorithm`."""
        if algorithm not in self.algorithms:
            raise EdocError(ALGORITHM_UNFIT, algorithm=algorithm.value, subject=self.subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToBeSigned:
    """A prepared signature: `digest` is what the token signs, the rest waits for its answer."""

    digest: bytes  # SHA-256, 32 octets
    algorithm: SignatureAlgorithm
    certificate: SealCertificate
    head: bytes = field(repr=False)  # octets before the signature value
    tail: bytes = field(repr=False)  # and after it


@lru_cache(maxsize=64)
def _algorithms(der: bytes) -> tuple[SignatureAlgorithm, ...]:
    key = read_certificate(der).key
    if isinstance(key, rsa.RSAPublicKey):
        return (SignatureAlgorithm.RSA_PKCS1_SHA256, SignatureAlgorithm.RSA_PSS_SHA256)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return (SignatureAlgorithm.ECDSA_SHA256,)
    raise EdocError(CERTIFICATE_BROKEN, cause="tokens here sign with RSA or ECDSA")


def check_before_signing(certificate: SealCertificate, material: TrustMaterial) -> tuple[Check, ...]:
    """Check the certificate that is about to sign: usage, algorithm, validity, chain, revocation, at `material.at`.

    A FAILED check means: do not sign.  UNKNOWN (no CRL at hand) is for policy to decide.
    """
    findings = Findings()
    clause = "Circular 15/2025/TT-BKHCN"
    if certificate.certificate.may_seal:
        findings.passed("seal.usage", clause, "digitalSignature or nonRepudiation")
    else:
        detail = "keyUsage has neither digitalSignature nor nonRepudiation"
        findings.refused("seal.usage", clause, SubIndication.SIG_CONSTRAINTS_FAILURE, detail)
    reason = refusal(CREATED[certificate.algorithm], certificate.certificate.key, material.at)
    if reason:
        findings.refused("seal.algorithm", clause, SubIndication.CRYPTO_CONSTRAINTS_FAILURE, reason)
    else:
        findings.passed("seal.algorithm", clause, f"{certificate.key_kind} {certificate.bits}")
    findings.add(validate_chain(certificate.certificate, (), material, material.at))
    return tuple(findings.checks)


def verify_own(certificate: SealCertificate, algorithm: SignatureAlgorithm, digest: bytes, signature: bytes) -> None:
    """Check a signature value (RSA octets or r‖s) as the token returned it; EdocError OWN_SEAL_BROKEN.

    A key and a certificate that do not belong together, or a token that signs badly, must never reach the wire.
    """
    certificate.fits(algorithm)
    known = CREATED[algorithm]
    key = certificate.certificate.key
    value = ecdsa_der(key, signature) if known.scheme is Scheme.ECDSA else signature
    if not verify_raw(key, known, digest, value):
        raise EdocError(OWN_SEAL_BROKEN, subject=certificate.subject)
