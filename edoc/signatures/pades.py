"""PAdES (EN 319 142-1): the signature octets that go into a PDF's Contents.

Rules: the CMS is a detached CAdES signature over the byte range, without signing-time; the rest of the reserved room
is zeros (ISO 32000-1, 12.8.1).

Does not touch the PDF: :mod:`edoc.envelopes.pdf` makes the revision, an adapter patches the file.
"""

from __future__ import annotations

from collections.abc import Sequence

from edoc.errors import EdocError
from edoc.errors.verification import SIGNATURE_TOO_LARGE
from edoc.model.trust import SignatureAlgorithm
from edoc.signatures import cades
from edoc.signatures.creation import SealCertificate, ToBeSigned


def prepare(
    digest: bytes,
    certificate: SealCertificate,
    algorithm: SignatureAlgorithm,
    *,
    intermediates: Sequence[bytes] = (),
) -> ToBeSigned:
    """Prepare the CMS for a PDF whose byte range has the SHA-256 `digest`; EN 319 142-1, 6.3."""
    return cades.prepare(digest, certificate, algorithm, None, pdf=True, intermediates=intermediates)


def contents(cms: bytes, digits: int) -> bytes:
    """Return `cms` as exactly `digits` hexadecimal digits, padded with zeros; EdocError SIGNATURE_TOO_LARGE."""
    text = cms.hex().encode("ascii")
    if len(text) > digits:
        raise EdocError(SIGNATURE_TOO_LARGE, size=len(cms), room=digits // 2)
    return text.ljust(digits, b"0")
