"""What is plugged in: tokens and their certificates, for the admin who has to write a key URI.

Rules: nothing is logged in to, so it costs no try; it must not run beside a token process on drivers that allow one
user only, and says TOKEN_BROKEN then.

Does not show private keys: they cannot be seen without the PIN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from edoc.errors import EdocError
from edoc.errors.token import TOKEN_BROKEN
from edoc.token import worker_frames as wire
from edoc.token.key_uri import KeyUri
from edoc.token.process import TokenCallError, Worker


async def survey(
    module: Path, allowed: Sequence[Path], environment: Mapping[str, str], limit: timedelta
) -> Sequence[wire.SeenToken]:
    """Return the tokens that `module` shows, each with its public certificates.

    Raises EdocError MODULE_NOT_ALLOWED, or TOKEN_BROKEN when the module fails or takes longer than `limit` a step.
    """
    worker = await Worker.start(environment)
    try:
        await worker.ask(wire.Load(str(module), tuple(str(path) for path in allowed)), limit)
        seen = await worker.ask(wire.Survey(), limit)
    except TokenCallError as error:
        raise EdocError(TOKEN_BROKEN, office="-", reason=error.reason) from error
    finally:
        await worker.kill()
    return seen.tokens if isinstance(seen, wire.Seen) else ()


def key_uri_for(token: wire.SeenToken, certificate: wire.SeenCertificate) -> KeyUri:
    """Return the URI of the private key that belongs to `certificate`."""
    return KeyUri(token=token.label or None, serial=token.serial or None, id=certificate.id)
