"""The fake and the real Journal keep one contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from contracts.journal import JournalContract
from fakes.journal import FakeJournal

from edoc.adapters.journal_sqlite import SqliteJournal
from edoc.ports import Journal


class TestFakeJournal(JournalContract):
    @pytest.fixture(autouse=True)
    def _journal(self) -> None:
        self.journal = FakeJournal()

    async def start(self, *, rebooted: bool = False) -> Journal:
        self.journal.start(rebooted=rebooted)
        return self.journal

    async def kill(self, journal: Journal) -> None:
        assert journal is self.journal
        self.journal.closed = False


class TestSqliteJournal(JournalContract):
    @pytest.fixture(autouse=True)
    async def _journals(self, tmp_path: Path) -> AsyncIterator[None]:
        self.path = tmp_path / "state" / "journal.sqlite"
        self.boots = 0
        self.opened: list[Journal] = []
        yield
        for journal in self.opened:
            await journal.close(clean=False)

    async def start(self, *, rebooted: bool = False) -> Journal:
        self.boots += rebooted
        journal = await SqliteJournal(self.path, boot_id=f"boot {self.boots}").open()
        self.opened.append(journal)
        return journal

    async def kill(self, journal: Journal) -> None:
        await journal.close(clean=False)  # leaves every mark as a kill does; a real kill has its own test
