"""The directory as a command reads it: verified, decoded, and nothing kept.

Rules: the signature is checked in the bounded child against one pinned certificate.  Keeping editions and refusing
older ones is the daemon's matter: a command must work for a user who may not write to the state folder.

Does not print.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edoc.directory.codec import decode_directory
from edoc.directory.organisation import Snapshot
from edoc.errors import EdocError
from edoc.errors.trust import DIRECTORY_MISSING, DIRECTORY_SIGNATURE
from edoc.ports import Sandbox

if TYPE_CHECKING:  # --help must not wait for it
    from edoc.config import Config


async def read_directory(sandbox: Sandbox, path: Path, signer: bytes | None) -> Snapshot:
    """Return the directory in `path`, verified for `signer` (DER).

    Without a signer the file counts as it stands: the operator handed it over.  Raises EdocError DIRECTORY_MISSING,
    DIRECTORY_SIGNATURE, DIRECTORY_INVALID.
    """
    from edoc.adapters.clock_system import SystemClock  # noqa: PLC0415 -- --help must not wait for it
    from edoc.adapters.directory_file import signed_by  # noqa: PLC0415 -- as above

    content, cms = _read(path, signed=signer is not None)
    if signer is not None:
        verdict = await signed_by(sandbox, signer, SystemClock())(content, cms)
        if not verdict.passed:
            detail = verdict.sub_indication or verdict.indication or "no signature"
            raise EdocError(DIRECTORY_SIGNATURE, path=path, detail=detail)
    return decode_directory(content)


def _read(path: Path, *, signed: bool) -> tuple[bytes, bytes]:
    try:
        return path.read_bytes(), path.with_name(path.name + ".p7s").read_bytes() if signed else b""
    except OSError as error:
        raise EdocError(DIRECTORY_MISSING, path=path, cause=str(error)) from error


async def office_directory(office: Config) -> Snapshot:
    """Return the directory of an office's configuration, verified for its configured signer."""
    from edoc.adapters.trust_files import read_pinned_certificate  # noqa: PLC0415 -- --help must not wait for it
    from edoc.wiring import open_sandbox  # noqa: PLC0415 -- as above

    trust = office.trust
    signer = read_pinned_certificate(trust.directory_signer.file, trust.directory_signer.fingerprint)
    async with open_sandbox(office.limits.sandbox_memory_bytes, office.limits.sandbox_seconds) as sandbox:
        return await read_directory(sandbox, trust.directory, signer)
