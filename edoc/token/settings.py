"""What a token process is told: whose key, which module, which token.

Rules: no secret is in it; a PIN is named by the file that holds it.

Does not read configuration files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from edoc.model.identifiers import OrganId, Sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerSettings:
    """Settings of one token process.

    `state` is the folder of the PIN marks and must survive reboots.  `environment` is for the module alone.
    `credentials` is systemd's $CREDENTIALS_DIRECTORY, whose file ``pin`` is asked before `pin_file`.
    `request_timeout` bounds every call into the module, `start_timeout` its loading.
    """

    office: OrganId
    socket: Path
    module: Path
    allowed_modules: tuple[Path, ...]
    key_uri: str
    state: Path
    allowed_uids: frozenset[int]
    pin_file: Path | None = None
    credentials: Path | None = None
    certificate_sha256: Sha256 | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    request_timeout: timedelta = timedelta(seconds=15)
    start_timeout: timedelta = timedelta(seconds=30)
    backoff: timedelta = timedelta(seconds=1)
    socket_mode: int = 0o600
