"""The fake and the real Store keep one contract."""

from __future__ import annotations

from pathlib import Path

import pytest
from contracts.store import StoreContract
from fakes.store import FakeStore, MemoryFiles

from edoc.adapters.store_fs import FsStore
from edoc.model.identifiers import FileRef
from edoc.ports import Store


class TestFakeStore(StoreContract):
    @pytest.fixture(autouse=True)
    def _files(self) -> None:
        self.files = MemoryFiles()

    def store(self) -> Store:
        return FakeStore(self.files)

    def write(self, ref: FileRef, content: bytes) -> None:
        self.files.put(ref, content)


class TestFsStore(StoreContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "state"

    def store(self) -> Store:
        store = FsStore(self.folder)
        store.prepare()
        return store

    def write(self, ref: FileRef, content: bytes) -> None:
        Path(ref).write_bytes(content)
