"""What every Directory does, fake and real."""

from __future__ import annotations

from abc import abstractmethod

import pytest
from fakes.directory import tay_ninh

from edoc.directory.codec import encode_directory
from edoc.directory.organisation import Snapshot
from edoc.errors import EdocError
from edoc.ports import Directory


class DirectoryContract:
    """Subclass it and say how a directory comes into being."""

    @abstractmethod
    async def with_directory(self, snapshot: Snapshot) -> Directory:
        """Return a Directory in which `snapshot` is in force."""

    @abstractmethod
    async def without_directory(self) -> Directory:
        """Return a Directory that has none."""

    async def test_it_answers_with_the_directory_in_force(self) -> None:
        wanted = tay_ninh()
        directory = await self.with_directory(wanted)
        assert encode_directory(directory.snapshot()) == encode_directory(wanted)

    async def test_the_same_directory_is_answered_until_another_is_in_force(self) -> None:
        directory = await self.with_directory(tay_ninh())
        assert directory.snapshot() is directory.snapshot()

    async def test_without_a_directory_it_says_so(self) -> None:
        directory = await self.without_directory()
        with pytest.raises(EdocError) as caught:
            directory.snapshot()
        assert caught.value.code == "DIRECTORY_MISSING"
