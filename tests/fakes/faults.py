"""Fault switches: what makes a fake fail like the real thing."""

from __future__ import annotations

from collections import defaultdict, deque

from edoc.errors import EdocError


class Faults:
    """Errors that the next calls of a method raise, in order; None lets one call pass."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[EdocError | None]] = defaultdict(deque)

    def plan(self, method: str, *errors: EdocError | None) -> None:
        """Let the next calls of `method` raise `errors`, one each."""
        self._waiting[method].extend(errors)

    def check(self, method: str) -> None:
        """Raise what is planned for this call of `method`."""
        if self._waiting[method]:
            error = self._waiting[method].popleft()
            if error is not None:
                raise error
