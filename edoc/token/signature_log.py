"""The token process's own log: one JSON line per signature, made or refused, and per unlock.

Rules: whoever holds the daemon cannot make a signature that this log does not show, so a line is written before the
answer leaves, and what cannot be logged does not leave.  Digests are shortened, PINs are never here.  It is
independent of how the rest of the house logs.

Does not rotate or keep anything: standard error is the system journal's.
"""

from __future__ import annotations

from typing import TextIO

import msgspec
import structlog

from edoc.envelopes.token_frames import Sign


class SignatureLog:
    """Writes lines about the key of one office to a stream."""

    def __init__(self, stream: TextIO, office: str) -> None:
        self._log = structlog.wrap_logger(
            structlog.WriteLogger(stream),
            processors=[
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
                structlog.processors.JSONRenderer(_json),
            ],
            wrapper_class=structlog.BoundLogger,
            office=office,
        ).bind()

    def signature(self, request: Sign, uid: int, result: str, ms: float, cause: str = "") -> None:
        """Tell of one signature: what it was asked for, by whom, the result (``signed`` or a fault's code), time."""
        self._log.info(
            "signature",
            asked_office=request.office[:40],
            purpose=request.purpose[:20],
            document_id=request.document_id[:40],
            priority=request.priority,
            algorithm=request.algorithm,
            digest=request.digest[:8].hex(),
            uid=uid,
            result=result,
            ms=round(ms, 1),
            **({"cause": cause} if cause else {}),
        )

    def unlocked(self, uid: int, result: str) -> None:
        """Tell that a person unlocked the token, or tried to."""
        self._log.info("unlock", uid=uid, result=result)

    def peer_refused(self, uid: int, reason: str) -> None:
        """Tell of a client that was sent away."""
        self._log.warning("peer-refused", uid=uid, reason=reason)


def _json(line: dict[str, object], **_options: object) -> str:
    """Render with msgspec: a line is written for every signature, and the standard library takes five times longer."""
    return msgspec.json.encode(line).decode()
