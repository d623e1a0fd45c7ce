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

_LOCAL = re.compile(
    r"(?:(?P<y>(?:19|2\d)\d\d)[/-](?P<m>\d{1,2})[/-](?P<d>\d{1,2})|(?P<d2>\d{1,2})[/-](?P<m2>\d{1,2})[/-](?P<y2>(?:19|2\d)\d\d))"
    r"[ T]+(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:\.\d{1,9})?)?",
    re.ASCII,
)


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


def parse_local(text: str) -> datetime | None:
    """Return the instant that a time-stamp of the field says, None when it says none.

    ``yyyy/MM/dd HH:mm:ss`` is the rule; day first, hyphens, “T” and a time without seconds occur.
    """
    match = _LOCAL.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day = match["y"] or match["y2"], match["m"] or match["m2"], match["d"] or match["d2"]
    parts = [int(part or 0) for part in (year, month, day, match["hour"], match["minute"], match["second"])]
    try:
        return datetime(*parts, tzinfo=VIETNAM)  # type: ignore[arg-type,misc]  # six integers, by the pattern
    except ValueError:
        return None
