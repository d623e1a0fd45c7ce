"""A token without a token: signs digests with a key in memory, as a real one answers.

RSA comes back as raw octets, ECDSA as r‖s.  Does not check what it signs.
"""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from lab.pki import Issued

from edoc.model.trust import SignatureAlgorithm

_PREHASHED = Prehashed(hashes.SHA256())


def sign_digest(issued: Issued, algorithm: SignatureAlgorithm, digest: bytes) -> bytes:
    """Sign a SHA-256 `digest` (32 octets) with the key of `issued`."""
    key = issued.key
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(_PREHASHED)))
        size = (key.curve.key_size + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    if algorithm is SignatureAlgorithm.RSA_PSS_SHA256:
        return key.sign(digest, padding.PSS(padding.MGF1(hashes.SHA256()), 32), _PREHASHED)
    return key.sign(digest, padding.PKCS1v15(), _PREHASHED)
