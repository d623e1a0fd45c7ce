"""The fake and the real Inbox keep one contract."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from contracts.inbox import InboxContract
from fakes.inbox import FakeInbox

from edoc.adapters.inbox_fs import FsInbox, InboxFolders
from edoc.model.identifiers import DocumentId
from edoc.ports import Inbox


class TestFakeInbox(InboxContract):
    @pytest.fixture(autouse=True)
    def _inbox(self) -> None:
        self.fake = FakeInbox()

    def inbox(self) -> Inbox:
        return self.fake

    def seen(self) -> dict[str, dict[str, bytes]]:
        return {str(name): files for name, files in self.fake.delivered.items()}

    def take(self, document: DocumentId) -> None:
        self.fake.delivered.pop(document)

    def quarantined(self) -> dict[str, dict[str, bytes]]:
        return self.fake.quarantined

    def staged(self) -> set[str]:
        return {ref.removeprefix("mem:staging/") for ref in self.fake.files.content if ref.startswith("mem:staging/")}


class TestFsInbox(InboxContract):
    @pytest.fixture(autouse=True)
    def _folders(self, tmp_path: Path) -> None:
        self.folders = InboxFolders(
            staging=tmp_path / "state/staging", inbox=tmp_path / "inbox", quarantine=tmp_path / "quarantine"
        )

    def inbox(self) -> Inbox:
        inbox = FsInbox(self.folders)
        inbox.prepare()
        return inbox

    def seen(self) -> dict[str, dict[str, bytes]]:
        return _folders_in(self.folders.inbox)

    def take(self, document: DocumentId) -> None:
        shutil.rmtree(self.folders.inbox / document)

    def quarantined(self) -> dict[str, dict[str, bytes]]:
        return _folders_in(self.folders.quarantine)

    def staged(self) -> set[str]:
        names = {path.name for path in self.folders.staging.iterdir() if not path.name.endswith(".parts")}
        assert all(re.fullmatch("[0-9a-f]{64}", name) for name in names), names
        return names


def _folders_in(folder: Path) -> dict[str, dict[str, bytes]]:
    """Return every folder, hidden ones too: after a delivery none may be left."""
    return {path.name: {file.name: file.read_bytes() for file in path.iterdir()} for path in folder.iterdir()}
