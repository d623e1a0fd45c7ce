"""What every Revocation does, fake and real."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from edoc.ports import Revocation

LISTS = (b"\x30\x03\x02\x01\x01", b"\x30\x03\x02\x01\x02")  # DER, as far as an adapter looks


class RevocationContract:
    """Subclass it and say how lists come to be at hand."""

    @abstractmethod
    async def with_lists(self, lists: Sequence[bytes]) -> Revocation:
        """Return a Revocation that has `lists`."""

    async def test_it_answers_with_every_list_at_hand(self) -> None:
        revocation = await self.with_lists(LISTS)
        assert list(await revocation.crls()) == list(LISTS)
        assert list(await revocation.crls()) == list(LISTS)

    async def test_no_lists_are_an_empty_answer_and_no_error(self) -> None:
        revocation = await self.with_lists(())
        assert not await revocation.crls()
