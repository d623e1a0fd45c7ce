"""Which certificate belongs to a key, and what a digest looks like to a mechanism.  Pure.

Rules: a certificate belongs to a key when it carries the key's public half; equal labels or ids alone say nothing.
When several remain, the pinned one is taken; without a pin none is.

Does not talk to a token.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edoc.errors import EdocError
from edoc.errors.token import KEY_AMBIGUOUS, KEY_NOT_FOUND


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicHalf:
    """What a token tells of a key's public half: the modulus (RSA), or CKA_EC_POINT as it stands (EC).

    Both empty: the token tells nothing, only a signature can.
    """

    modulus: bytes = b""
    ec_point: bytes = b""


def belongs(der: bytes, half: PublicHalf) -> bool:
    """Say whether the certificate `der` carries the public half; a certificate that cannot be read does not."""
    try:
        key = x509.load_der_x509_certificate(der).public_key()
    except ValueError:
        return False
    if isinstance(key, rsa.RSAPublicKey):
        return bool(half.modulus) and key.public_numbers().n == int.from_bytes(half.modulus, "big")
    if isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        # PKCS#11 v2.40 wraps the point in an OCTET STRING; older modules give it bare.
        size = bytes([len(point)])
        return half.ec_point in {point, b"\x04" + size + point, b"\x04\x81" + size + point}
    return False


def verifies(der: bytes, digest: bytes, signature: bytes) -> bool:
    """Say whether `signature` (r‖s over a SHA-256 digest) was made by the EC key of the certificate `der`."""
    try:
        key = x509.load_der_x509_certificate(der).public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        half = len(signature) // 2
        pair = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
        key.verify(encode_dss_signature(*pair), digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    except (ValueError, InvalidSignature):
        return False
    return True


def choose_certificate(candidates: Sequence[bytes], owned: Iterable[bytes], pinned: str | None, uri: str) -> bytes:
    """Return the certificate (DER) of the key.

    `candidates` carry the key's CKA_ID, `owned` are those that belong to it; `pinned` is a SHA-256 in hexadecimal.
    Raises EdocError KEY_NOT_FOUND when none belongs to the key or none is the pinned one, KEY_AMBIGUOUS when several
    do and none is pinned.
    """
    left = sorted({der for der in owned if pinned is None or hashlib.sha256(der).hexdigest() == pinned})
    if not left:
        what = "certificate of the key" if pinned is None else "pinned certificate of the key"
        raise EdocError(KEY_NOT_FOUND, what=what, uri=uri, cause=f"{len(candidates)} certificates carry its CKA_ID")
    if len(left) > 1:
        raise EdocError(KEY_AMBIGUOUS, what="certificates of the key", count=len(left), uri=uri)
    return left[0]
