"""CAdES baseline signatures (EN 319 122-1), made: for manifests, the directory, and inside PDFs.

Rules: one signer; signed attributes are content-type, message-digest, ESS signing-certificate-v2, and signing-time
except in a PDF (EN 319 142-1, 6.3: there the time stands in the M entry).  The structure is written as DER directly,
and what depends on the certificate alone is made once.

Does not verify what the token returns: :func:`edoc.signatures.creation.verify_own` does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

from edoc.errors import EdocError
from edoc.errors.verification import TIMESTAMP_MISMATCH
from edoc.model.trust import SignatureAlgorithm
from edoc.signatures.algorithms import ecdsa_der
from edoc.signatures.certificates import Certificate
from edoc.signatures.creation import SealCertificate, ToBeSigned
from edoc.signatures.der import NULL, OCTETS, SEQUENCE, SET, integer, oid, set_of, signing_time, tlv
from edoc.signatures.timestamp import read_token

_CONTEXT_0: Final = 0xA0
_CONTEXT_1: Final = 0xA1
_DATA: Final = oid("1.2.840.113549.1.7.1")
_SIGNED_DATA: Final = oid("1.2.840.113549.1.7.2")
_SHA256_OID: Final = oid("2.16.840.1.101.3.4.2.1")
_SHA256: Final = tlv(SEQUENCE, _SHA256_OID)  # parameters absent (RFC 5754, 2)
_CONTENT_TYPE: Final = tlv(SEQUENCE, oid("1.2.840.113549.1.9.3"), tlv(SET, _DATA))
_MESSAGE_DIGEST: Final = oid("1.2.840.113549.1.9.4")
_SIGNING_TIME: Final = oid("1.2.840.113549.1.9.5")
_SIGNING_CERTIFICATE_V2: Final = oid("1.2.840.113549.1.9.16.2.47")
_SIGNATURE_TIMESTAMP: Final = oid("1.2.840.113549.1.9.16.2.14")

_MGF1: Final = tlv(SEQUENCE, oid("1.2.840.113549.1.1.8"), _SHA256)
_ALGORITHMS: Final = {
    SignatureAlgorithm.RSA_PKCS1_SHA256: tlv(SEQUENCE, oid("1.2.840.113549.1.1.11"), tlv(NULL)),
    SignatureAlgorithm.RSA_PSS_SHA256: tlv(
        SEQUENCE,
        oid("1.2.840.113549.1.1.10"),
        tlv(SEQUENCE, tlv(0xA0, _SHA256), tlv(0xA1, _MGF1), tlv(0xA2, integer(32))),
    ),
    SignatureAlgorithm.ECDSA_SHA256: tlv(SEQUENCE, oid("1.2.840.10045.4.3.2")),
}


def prepare(
    digest: bytes,
    certificate: SealCertificate,
    algorithm: SignatureAlgorithm,
    at: datetime | None,
    *,
    content: bytes | None = None,
    pdf: bool = False,
    intermediates: Sequence[bytes] = (),
) -> ToBeSigned:
    """Prepare SignedData over content with the SHA-256 `digest` (32 octets); EN 319 122-1, 6.3.

    With `content` the signature carries it (its digest is taken here and must be `digest`), without it is detached.
    `pdf` leaves out signing-time whatever `at` is.  Raises EdocError ALGORITHM_UNFIT.
    """
    certificate.fits(algorithm)
    if content is not None and hashlib.sha256(content).digest() != digest:
        raise ValueError("the digest is not that of the content")
    attributes = [_CONTENT_TYPE, tlv(SEQUENCE, _MESSAGE_DIGEST, tlv(SET, tlv(OCTETS, digest)))]
    attributes.append(_certificate_attribute(certificate.certificate))
    if at is not None and not pdf:
        attributes.append(tlv(SEQUENCE, _SIGNING_TIME, tlv(SET, signing_time(at))))
    signed = set_of(*attributes)
    encapsulated = tlv(SEQUENCE, _DATA, *(() if content is None else (tlv(_CONTEXT_0, tlv(OCTETS, content)),)))
    certificates = set_of(certificate.der, *intermediates)
    head = tlv(SET, _SHA256) + encapsulated + bytes((_CONTEXT_0,)) + certificates[1:]
    signer = integer(1) + _identifier(certificate.certificate) + _SHA256
    signer += bytes((_CONTEXT_0,)) + signed[1:] + _ALGORITHMS[algorithm]
    return ToBeSigned(
        digest=hashlib.sha256(signed).digest(), algorithm=algorithm, certificate=certificate, head=head, tail=signer
    )


def finish(prepared: ToBeSigned, signature: bytes) -> bytes:
    """Return the DER of ContentInfo with the token's answer (RSA octets or r‖s)."""
    return _content_info(prepared, tlv(OCTETS, signature_value(prepared, signature)))


def with_timestamp(prepared: ToBeSigned, signature: bytes, token: bytes) -> bytes:
    """Return the same with an RFC 3161 `token` over :func:`signature_value`: level B-T.

    Raises EdocError TIMESTAMP_MISMATCH unless the token covers this signature value.
    """
    value = signature_value(prepared, signature)
    stated = read_token(token)
    if stated.digest_name != "sha256" or stated.digest != hashlib.sha256(value).digest():
        raise EdocError(TIMESTAMP_MISMATCH, what="another signature value")
    unsigned = tlv(_CONTEXT_1, tlv(SEQUENCE, _SIGNATURE_TIMESTAMP, tlv(SET, token)))
    return _content_info(prepared, tlv(OCTETS, value) + unsigned)


def signature_value(prepared: ToBeSigned, signature: bytes) -> bytes:
    """Return the token's answer as CMS carries it: what a time-stamp covers (ECDSA in DER)."""
    if prepared.algorithm is SignatureAlgorithm.ECDSA_SHA256:
        return ecdsa_der(prepared.certificate.certificate.key, signature)
    return signature


def _content_info(prepared: ToBeSigned, end_of_signer: bytes) -> bytes:
    signer = tlv(SEQUENCE, prepared.tail, end_of_signer)
    signed_data = tlv(SEQUENCE, integer(1), prepared.head, tlv(SET, signer))
    return tlv(SEQUENCE, _SIGNED_DATA, tlv(_CONTEXT_0, signed_data))


@lru_cache(maxsize=64)
def _identifier(certificate: Certificate) -> bytes:
    return tlv(SEQUENCE, certificate.issuer, integer(certificate.serial))


@lru_cache(maxsize=64)
def _certificate_attribute(certificate: Certificate) -> bytes:
    """Return ESS signing-certificate-v2 with issuer and serial; SHA-256 is its default and stays out (RFC 5035, 4)."""
    bound = tlv(SEQUENCE, tlv(OCTETS, bytes.fromhex(certificate.sha256)), certificate.issuer_serial)
    return tlv(SEQUENCE, _SIGNING_CERTIFICATE_V2, tlv(SET, tlv(SEQUENCE, tlv(SEQUENCE, bound))))
