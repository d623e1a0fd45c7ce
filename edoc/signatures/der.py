"""DER, written: the few shapes that our CMS structures need.

Rules: everything written here has definite, minimal lengths (X.690, clause 10), so that it is the same octets every
time.  Building a seal this way takes microseconds; a general ASN.1 library takes milliseconds for each.

Does not read DER: what comes from outside is parsed by asn1crypto.
"""

from __future__ import annotations

from datetime import UTC, datetime

INTEGER, OCTETS, NULL, OID, UTC_TIME, GENERALIZED_TIME = 0x02, 0x04, 0x05, 0x06, 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31


def tlv(tag: int, *parts: bytes) -> bytes:
    """Return one element of `tag` whose content is `parts`, joined."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def integer(value: int) -> bytes:
    """Return an INTEGER, which may be negative."""
    bits = (value if value >= 0 else ~value).bit_length()  # of -128, seven: DER takes the shortest form
    return tlv(INTEGER, value.to_bytes(bits // 8 + 1, "big", signed=True))


def oid(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return tlv(OID, *(_base128(arc) for arc in (40 * first + second, *rest)))


def set_of(*elements: bytes) -> bytes:
    """Return a SET OF in DER's order (X.690, clause 11.6)."""
    return tlv(SET, *sorted(elements))


def signing_time(at: datetime) -> bytes:
    """Return a Time: UTCTime from 1950 to 2049, GeneralizedTime otherwise (RFC 5652, clause 11.3)."""
    moment = at.astimezone(UTC)
    if 1950 <= moment.year <= 2049:
        return tlv(UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())
    return tlv(GENERALIZED_TIME, moment.strftime("%Y%m%d%H%M%SZ").encode())


def _base128(value: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(0x80 | (value & 0x7F))
    return bytes(reversed(groups))
