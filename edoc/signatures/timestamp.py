"""Time-stamps (RFC 3161): requests written, responses and tokens read.

Rules: a token counts only for the digest that it names; a response is used only when it answers our digest and our
nonce.  Reading a token says what it states; whether to believe it is decided with the chain of its authority.

Does not send anything: the Timestamp port does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from asn1crypto import tsp

from edoc.errors import EdocError
from edoc.errors.verification import TIMESTAMP_REFUSED
from edoc.signatures.cms import CmsSignature, read_cms
from edoc.signatures.der import NULL, OCTETS, SEQUENCE, integer, oid, tlv

SHA256_OID: Final = "2.16.840.1.101.3.4.2.1"
TST_INFO: Final = "tst_info"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampToken:
    """What a token states: the digest, when, and the CMS signature around it."""

    digest_name: str  # hashlib's name
    digest: bytes
    at: datetime
    signature: CmsSignature


def request(digest: bytes, nonce: int) -> bytes:
    """Return the DER of a TimeStampReq over a SHA-256 `digest`, asking for the authority's certificate (2.4.1)."""
    algorithm = tlv(SEQUENCE, oid(SHA256_OID), tlv(NULL))
    imprint = tlv(SEQUENCE, algorithm, tlv(OCTETS, digest))
    return tlv(SEQUENCE, integer(1), imprint, integer(nonce), tlv(0x01, b"\xff"))


def read_response(response: bytes, digest: bytes, nonce: int) -> bytes:
    """Return the token (DER) in a TimeStampResp over `digest` with `nonce`; EdocError TIMESTAMP_REFUSED (2.4.2)."""
    try:
        parsed = tsp.TimeStampResp.load(response, strict=True)
        status = parsed["status"]["status"].native
        if status not in {"granted", "granted_with_mods"}:
            raise EdocError(TIMESTAMP_REFUSED, what=f"status {status}")
        der: bytes = parsed["time_stamp_token"].dump()
        stated = parsed["time_stamp_token"]["content"]["encap_content_info"]["content"].parsed["nonce"].native
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise EdocError(TIMESTAMP_REFUSED, what="unreadable", cause=str(error)) from error
    if stated != nonce:
        raise EdocError(TIMESTAMP_REFUSED, what="another nonce")
    if read_token(der).digest != digest:
        raise EdocError(TIMESTAMP_REFUSED, what="another digest")
    return der


def read_token(der: bytes) -> TimestampToken:
    """Return what a token states; EdocError SIGNATURE_UNREADABLE or TIMESTAMP_REFUSED when it is none."""
    signature = read_cms(der)
    if signature.content_type != TST_INFO or signature.content is None:
        raise EdocError(TIMESTAMP_REFUSED, what="not a time-stamp token")
    try:
        info = tsp.TSTInfo.load(signature.content, strict=True)
        imprint = info["message_imprint"]
        return TimestampToken(
            digest_name=imprint["hash_algorithm"]["algorithm"].native,
            digest=imprint["hashed_message"].native,
            at=info["gen_time"].native,
            signature=signature,
        )
    except (ValueError, TypeError, KeyError) as error:
        raise EdocError(TIMESTAMP_REFUSED, what="unreadable", cause=str(error)) from error
