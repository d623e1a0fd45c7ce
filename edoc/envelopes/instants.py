"""Instants as text: exact ones of ours, local ones of the field.

Rules: ours are UTC with “Z”; the field's are Vietnamese local time without a zone (UTC+7, no daylight saving), so
they are written for people and never decide anything.  Does not read a clock.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

VIETNAM = timezone(timedelta(hours=7))

# The years are bounded so that no zone can push an instant over the edge of the calendar.
_EXACT = re.compile(r"(?:19|2\d)\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?Z", re.ASCII)


def exact_text(instant: datetime) -> str:
    """Return an aware `instant` as ISO 8601 in UTC; ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def parse_exact(text: str) -> datetime:
    """Return the instant that :func:`exact_text` wrote; ValueError for any other spelling."""
    if not _EXACT.fullmatch(text):
        raise ValueError(f"not an instant: {text[:40]}")
    return datetime.fromisoformat(text)


def local_text(instant: datetime) -> str:
    """Return `instant` in the field's spelling, ``yyyy/MM/dd HH:mm:ss`` of Vietnamese local time."""
    local = instant.astimezone(VIETNAM)
    return f"{local.year:04}/{local.month:02}/{local.day:02} {local.hour:02}:{local.minute:02}:{local.second:02}"
