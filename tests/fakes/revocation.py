"""A Revocation in memory."""

from __future__ import annotations

from collections.abc import Sequence

from edoc.errors import EdocError


class FakeRevocation:
    """The Revocation port over a list; `fault` makes the next call fail."""

    def __init__(self, crls: Sequence[bytes] = ()) -> None:
        self.lists = list(crls)
        self.fault: EdocError | None = None

    async def crls(self) -> Sequence[bytes]:
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        return tuple(self.lists)
