"""Which algorithms count, and their names in XML and CMS.

Rules: one table, dates as data; an algorithm that is not in the table is not allowed.  SHA-1 and MD5 are absent for
ever.  Circular 15/2025/TT-BKHCN, Annex I: RSA of 2048 bits or more, ECDSA of 256 or more, SHA-256/384/512.

Does not hash containers or parse keys' encodings: callers hand in octets and key objects.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from edoc.model.trust import SignatureAlgorithm

PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

DIGEST_URIS = {
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}
"""Digests that a reference may use, XML name to hashlib name."""

SHA256_URI = "http://www.w3.org/2001/04/xmlenc#sha256"
EXCLUSIVE_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"

DIGEST_BITS = {"sha256": 256, "sha384": 384, "sha512": 512}
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_CURVES = {"secp256r1": 32, "secp384r1": 48, "secp521r1": 66}


class Scheme(StrEnum):
    """Families of signature algorithms."""

    RSA_PKCS1 = "rsa-pkcs1"
    RSA_PSS = "rsa-pss"
    ECDSA = "ecdsa"
    ED25519 = "ed25519"


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """A signature algorithm with its parameters; `salt` is the PSS salt's length in octets."""

    scheme: Scheme
    digest: str
    salt: int = 0

    def __str__(self) -> str:
        return f"{self.scheme.value}-{self.digest}"


def _named(scheme: Scheme, digest: str) -> Algorithm:
    return Algorithm(scheme=scheme, digest=digest, salt=DIGEST_BITS[digest] // 8 if scheme is Scheme.RSA_PSS else 0)


# RFC 9231 (XML security URIs), clauses 2.3.2, 2.3.6, 2.3.10, 2.3.12
XML_URIS: dict[str, Algorithm] = {
    **{
        f"http://www.w3.org/2001/04/xmldsig-more#rsa-{digest}": _named(Scheme.RSA_PKCS1, digest)
        for digest in DIGEST_BITS
    },
    **{
        f"http://www.w3.org/2007/05/xmldsig-more#{digest}-rsa-MGF1": _named(Scheme.RSA_PSS, digest)
        for digest in DIGEST_BITS
    },
    **{
        f"http://www.w3.org/2001/04/xmldsig-more#ecdsa-{digest}": _named(Scheme.ECDSA, digest) for digest in DIGEST_BITS
    },
    "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519": Algorithm(scheme=Scheme.ED25519, digest="sha512"),
}

CREATED: dict[SignatureAlgorithm, Algorithm] = {
    SignatureAlgorithm.RSA_PKCS1_SHA256: _named(Scheme.RSA_PKCS1, "sha256"),
    SignatureAlgorithm.RSA_PSS_SHA256: _named(Scheme.RSA_PSS, "sha256"),
    SignatureAlgorithm.ECDSA_SHA256: _named(Scheme.ECDSA, "sha256"),
}
"""What a token is asked for."""

CREATED_URIS = {name: next(uri for uri, known in XML_URIS.items() if known == made) for name, made in CREATED.items()}

WEAK_NAMES = {
    "http://www.w3.org/2000/09/xmldsig#rsa-sha1": "RSA with SHA-1",
    "http://www.w3.org/2000/09/xmldsig#dsa-sha1": "DSA with SHA-1",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1": "ECDSA with SHA-1",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-md5": "RSA with MD5",
    "http://www.w3.org/2000/09/xmldsig#sha1": "SHA-1",
    "http://www.w3.org/2001/04/xmldsig-more#md5": "MD5",
}
"""Algorithms that are recognised only to be refused by name."""

_FOREVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    scheme: Scheme
    bits: int  # least size of the key
    until: datetime


# The first rule that matches scheme and size decides.  RSA below 3000 bits follows ETSI TS 119 312 (2023), table 8.
_RULES = (
    _Rule(scheme=Scheme.RSA_PKCS1, bits=3000, until=_FOREVER),
    _Rule(scheme=Scheme.RSA_PKCS1, bits=2048, until=datetime(2031, 1, 1, tzinfo=UTC)),
    _Rule(scheme=Scheme.RSA_PSS, bits=3000, until=_FOREVER),
    _Rule(scheme=Scheme.RSA_PSS, bits=2048, until=datetime(2031, 1, 1, tzinfo=UTC)),
    _Rule(scheme=Scheme.ECDSA, bits=256, until=_FOREVER),
    _Rule(scheme=Scheme.ED25519, bits=256, until=_FOREVER),
)


def key_bits(key: PublicKey) -> int:
    """Return the size of `key` in bits."""
    return 256 if isinstance(key, ed25519.Ed25519PublicKey) else key.key_size


def refusal(algorithm: Algorithm, key: PublicKey, at: datetime) -> str:
    """Return why `algorithm` with `key` is not allowed at the instant `at`, or an empty text when it is."""
    if algorithm.digest not in DIGEST_BITS:
        return f"digest {algorithm.digest} is not allowed"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name not in _CURVES:
        return f"curve {key.curve.name} is not allowed"
    for rule in _RULES:
        if rule.scheme is algorithm.scheme and key_bits(key) >= rule.bits:
            return "" if at < rule.until else f"{algorithm} with {key_bits(key)} bits was allowed until {rule.until:%F}"
    return f"{algorithm} with a key of {key_bits(key)} bits is not allowed"


def verify_raw(key: PublicKey, algorithm: Algorithm, digest: bytes, signature: bytes) -> bool:
    """Say whether `signature` over the already computed `digest` holds; ECDSA signatures are DER.

    Ed25519 signs messages, not digests, and is verified by :func:`verify_message`.
    """
    if algorithm.digest not in _HASHES:
        return False
    prehashed = Prehashed(_HASHES[algorithm.digest])
    try:
        if isinstance(key, rsa.RSAPublicKey) and algorithm.scheme in {Scheme.RSA_PKCS1, Scheme.RSA_PSS}:
            key.verify(signature, digest, _padding(algorithm), prehashed)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm.scheme is Scheme.ECDSA:
            key.verify(signature, digest, ec.ECDSA(prehashed))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def verify_message(key: PublicKey, algorithm: Algorithm, message: bytes, signature: bytes) -> bool:
    """Say whether `signature` over `message` holds; ECDSA signatures are DER."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        if algorithm.scheme is not Scheme.ED25519:
            return False
        try:
            key.verify(signature, message)
        except InvalidSignature:
            return False
        return True
    hasher = hashes.Hash(_HASHES[algorithm.digest]) if algorithm.digest in _HASHES else None
    if hasher is None:
        return False
    hasher.update(message)
    return verify_raw(key, algorithm, hasher.finalize(), signature)


def ecdsa_der(key: PublicKey, signature: bytes) -> bytes:
    """Return the DER form of an ECDSA signature r‖s; octets of a wrong length come back as they are (they fail)."""
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return signature
    size = _CURVES.get(key.curve.name, 0)
    if not size or len(signature) != 2 * size:
        return signature
    return encode_dss_signature(int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big"))


def _padding(algorithm: Algorithm) -> padding.AsymmetricPadding:
    if algorithm.scheme is Scheme.RSA_PKCS1:
        return padding.PKCS1v15()
    return padding.PSS(mgf=padding.MGF1(_HASHES[algorithm.digest]), salt_length=algorithm.salt)
