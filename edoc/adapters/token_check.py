"""A self-test of a token: sign twice with every algorithm and check against the certificate.

Rules: twice, because a key that asks for its PIN at every signature (CKA_ALWAYS_AUTHENTICATE) passes once on the
strength of the login.  The signatures are over digests of fixed texts and worth nothing.

Does not judge the certificate.
"""

from __future__ import annotations

import hashlib

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from edoc.errors import EdocError
from edoc.errors.token import TOKEN_ABSENT, TOKEN_BROKEN
from edoc.model.identifiers import DocumentId, OrganId
from edoc.model.signing import Purpose, SigningPriority, SignRequest, TokenState
from edoc.model.trust import SignatureAlgorithm
from edoc.ports import Token

_TEXTS = (b"edoc self-test, first signature", b"edoc self-test, second signature")


async def self_test(token: Token, office: OrganId, document_id: DocumentId) -> TokenState:
    """Sign twice with each algorithm of `token`, check the signatures, and return the state it was checked in.

    `document_id` is what the token's log will show.  Raises EdocError as Token.sign does, and TOKEN_BROKEN when a
    signature does not verify with the certificate.
    """
    state = await token.state()
    if not state.certificate:
        raise EdocError(TOKEN_ABSENT, office=office, cause=state.detail)
    for algorithm in state.algorithms:
        for text in _TEXTS:
            digest = hashlib.sha256(text).digest()
            request = SignRequest(
                office=office,
                purpose=Purpose.CHECK,
                document_id=document_id,
                priority=SigningPriority.REFUSAL,
                algorithm=algorithm,
                digest=digest,
            )
            if not holds(state.certificate, algorithm, digest, await token.sign(request)):
                raise EdocError(TOKEN_BROKEN, office=office, reason=f"its {algorithm} signature does not verify")
    return state


def holds(certificate: bytes, algorithm: SignatureAlgorithm, digest: bytes, signature: bytes) -> bool:
    """Say whether `signature` (as the Token port gives it) over a SHA-256 `digest` is the certificate's key's."""
    key = x509.load_der_x509_certificate(certificate).public_key()
    hashed = Prehashed(SHA256())
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and algorithm is SignatureAlgorithm.ECDSA_SHA256:
            half = len(signature) // 2
            pair = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
            key.verify(encode_dss_signature(*pair), digest, ec.ECDSA(hashed))
        elif isinstance(key, rsa.RSAPublicKey) and algorithm is SignatureAlgorithm.RSA_PKCS1_SHA256:
            key.verify(signature, digest, padding.PKCS1v15(), hashed)
        elif isinstance(key, rsa.RSAPublicKey) and algorithm is SignatureAlgorithm.RSA_PSS_SHA256:
            key.verify(signature, digest, padding.PSS(padding.MGF1(SHA256()), 32), hashed)
        else:
            return False
    except InvalidSignature:
        return False
    return True
