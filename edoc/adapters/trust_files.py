"""Certificates in files: trust anchors, intermediates, the directory's signer.

Rules: first trust is a fingerprint given out of band; a certificate with another fingerprint is refused, never
replaced by what the file says.  The fingerprint is the SHA-256 of the certificate's DER, whether the file is PEM or
DER, because that is what “openssl x509 -fingerprint -sha256” prints and authorities publish.

Does not check what a certificate says: validation does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from edoc.directory.der import der_objects
from edoc.errors import EdocError
from edoc.errors.trust import ANCHOR_MISMATCH, CERTIFICATE_UNREADABLE
from edoc.model.identifiers import Sha256

_MOST_BYTES = 4 * 1024 * 1024


def read_certificates(path: Path) -> tuple[bytes, ...]:
    """Return the certificates in `path` (PEM, several allowed, or DER) as DER; EdocError CERTIFICATE_UNREADABLE."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES)
        return der_objects(content, "CERTIFICATE")
    except OSError as error:
        raise EdocError(CERTIFICATE_UNREADABLE, path=path, detail=error.strerror or "", cause=str(error)) from error
    except ValueError as error:
        raise EdocError(CERTIFICATE_UNREADABLE, path=path, detail=error) from error


def read_pinned_certificate(path: Path, expected: Sha256) -> bytes:
    """Return the one certificate in `path` if its DER has the SHA-256 `expected`.

    Raises EdocError CERTIFICATE_UNREADABLE, ANCHOR_MISMATCH.
    """
    certificates = read_certificates(path)
    found = hashlib.sha256(certificates[0]).hexdigest()
    if len(certificates) != 1:
        raise EdocError(CERTIFICATE_UNREADABLE, path=path, detail=f"{len(certificates)} certificates, expected one")
    if found != expected:
        raise EdocError(ANCHOR_MISMATCH, path=path, found=found, expected=expected)
    return certificates[0]


def read_anchors(pinned: Iterable[tuple[Path, Sha256]]) -> tuple[bytes, ...]:
    """Return the trust anchors (DER) of files with their fingerprints; the errors of read_pinned_certificate."""
    return tuple(read_pinned_certificate(path, expected) for path, expected in pinned)


def read_intermediates(paths: Iterable[Path]) -> tuple[bytes, ...]:
    """Return the certificates (DER) of all files; EdocError CERTIFICATE_UNREADABLE."""
    return tuple(certificate for path in paths for certificate in read_certificates(path))
