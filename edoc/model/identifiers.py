"""Identifiers: organisations, documents, messages, digests.

Rules: an identifier is checked once, where it enters, by the ``parse_*`` function of its type; after that the type
says that it is good.  Nothing else turns text into one of these types.

Does not know an organisation's level: it cannot be read off the code (the directory has it).
"""

from __future__ import annotations

import hashlib
import re
from typing import NewType
from uuid import UUID

from edoc.errors import EdocError
from edoc.errors.package import BAD_IDENTIFIER

OrganId = NewType("OrganId", str)
"""Code of an organisation, old grammar (QCVN 102) or new (Decision 20/2020)."""

DocumentId = NewType("DocumentId", str)
"""Lower-case UUID, minted when a job is claimed; sealed into the envelope; names every folder."""

MessageId = NewType("MessageId", str)
"""Lower-case UUID of one publishing attempt."""

Sha256 = NewType("Sha256", str)
"""Lower-case hexadecimal SHA-256."""

FileRef = NewType("FileRef", str)
"""Where an adapter keeps a file of ours; opaque to the core and never made from a message."""

# Decision 20/2020 allows 35 characters of [A-Z0-9.]; QCVN 102's 13-character codes are a subset of the alphabet.
_ORGAN_ID = re.compile(r"[A-Z0-9]+(?:\.[A-Z0-9]+)*", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


def parse_organ_id(text: str) -> OrganId:
    """Return `text` as an organisation's code.

    Raises EdocError BAD_IDENTIFIER.  Decision 20/2020, article 4: at most 35 characters of A-Z, 0-9 and full stop.
    """
    if len(text) > 35 or not _ORGAN_ID.fullmatch(text):
        raise EdocError(BAD_IDENTIFIER, kind="organ_id", value=text[:60])
    return OrganId(text)


def parse_document_id(text: str) -> DocumentId:
    """Return `text` as a document's id: a UUID in its canonical lower-case form, else EdocError BAD_IDENTIFIER."""
    try:
        canonical = str(UUID(text))
    except ValueError as error:
        raise EdocError(BAD_IDENTIFIER, kind="document_id", value=text[:60]) from error
    if canonical != text:
        raise EdocError(BAD_IDENTIFIER, kind="document_id", value=text[:60])
    return DocumentId(text)


def parse_sha256(text: str) -> Sha256:
    """Return `text` as a lower-case hexadecimal SHA-256, else EdocError BAD_IDENTIFIER."""
    if not _SHA256.fullmatch(text):
        raise EdocError(BAD_IDENTIFIER, kind="sha256", value=text[:70])
    return Sha256(text)


def sha256_of(content: bytes) -> Sha256:
    """Return the SHA-256 of `content`."""
    return Sha256(hashlib.sha256(content).hexdigest())
