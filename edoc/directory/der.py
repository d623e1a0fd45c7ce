"""Certificates and revocation lists as an operator stores them: PEM or DER in, DER out.

Rules: a PEM file may hold several; a DER file holds exactly one, and its outer length must be the file's.
Does not look inside: what the DER says is read where verdicts are made.
"""

from __future__ import annotations

import base64
import binascii
import re


def der_objects(content: bytes, label: str) -> tuple[bytes, ...]:
    """Return the DER objects in `content`: every PEM block with `label` (RFC 7468), or the content itself.

    Raises ValueError saying what is wrong; an empty PEM file is wrong too.
    """
    if b"-----BEGIN " not in content:
        return (_whole(content),)
    name = re.escape(label.encode("ascii"))
    blocks = re.findall(rb"-----BEGIN " + name + rb"-----(.*?)-----END " + name + rb"-----", content, re.DOTALL)
    if not blocks:
        raise ValueError(f"no PEM block “{label}”")
    try:
        return tuple(_whole(base64.b64decode(b"".join(block.split()), validate=True)) for block in blocks)
    except binascii.Error as error:
        raise ValueError(f"the base64 of a PEM block is broken: {error}") from error


def _whole(content: bytes) -> bytes:
    """Return `content` if it is one DER SEQUENCE of exactly its own length (X.690, 8.1.3)."""
    if len(content) < 2 or content[0] != 0x30:
        raise ValueError("neither PEM nor DER")
    length, header = content[1], 2
    if length & 0x80:
        header = 2 + (length & 0x7F)
        length = int.from_bytes(content[2:header], "big")
    if header + length != len(content):
        raise ValueError("cut off, or followed by other bytes")
    return content
