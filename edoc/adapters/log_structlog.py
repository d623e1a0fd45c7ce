"""The log: one canonical line per message and stage, on standard error.

Rules: keys come from the vocabulary (document_id, peer, kind, state, lane, fault, ms, …); no content of a document, no
personal data, no secret.  JSON for machines, console for people.

Does not rotate or ship: journald does.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import msgspec
import structlog


def _without_nothing(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: value for key, value in event.items() if value is not None}


def _json(event: object, **_: object) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


class _Library(logging.Handler):
    """Hears libraries that log through the standard module as a name and a level: their messages may quote content."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger("edoc.library")
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        log.warning("library", library=record.name, severity=record.levelname.lower(), exception_type=kind)


def configure(form: str, level: str) -> None:
    """Write the log as `form` (``json`` or ``console``) from `level` upwards."""
    last: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if form == "console"
        else structlog.processors.JSONRenderer(serializer=_json)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_nothing,
            structlog.processors.format_exc_info,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Library()], force=True)
