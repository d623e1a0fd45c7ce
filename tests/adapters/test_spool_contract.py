"""The fake and the real Spool keep one contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from contracts.spool import SpoolContract
from fakes.spool import FakeSpool

from edoc.adapters.spool_fs import FsSpool, SpoolFolders
from edoc.ports import Spool


class TestFakeSpool(SpoolContract):
    @pytest.fixture(autouse=True)
    def _spool(self) -> None:
        self.fake = FakeSpool()

    def spool(self) -> Spool:
        return self.fake

    def drop(self, name: str, files: dict[str, bytes]) -> None:
        self.fake.drop(name, files)

    def seen(self, folder: str) -> dict[str, dict[str, bytes]]:
        return self.fake.sent_jobs if folder == "sent" else self.fake.failed_jobs

    def status(self, name: str) -> bytes:
        by_job = name.removeprefix("by-job/").removesuffix(".json")
        return self.fake.by_job[by_job] if name.startswith("by-job/") else self.fake.status[by_job]


class TestFsSpool(SpoolContract):
    @pytest.fixture(autouse=True)
    def _spool(self, tmp_path: Path) -> Iterator[None]:
        self.root = tmp_path
        names = ("outbox", "sent", "failed", "status")
        folders = {name: tmp_path / name for name in names}
        self.fs = FsSpool(SpoolFolders(**folders, claimed=tmp_path / "state/claimed"))
        self.fs.prepare()
        yield
        self.fs.close()

    def spool(self) -> Spool:
        return self.fs

    def drop(self, name: str, files: dict[str, bytes]) -> None:
        if set(files) == {name}:
            (self.root / "outbox/.new.tmp").write_bytes(files[name])
        else:
            (self.root / "outbox/.new.tmp").mkdir()
            for file, content in files.items():
                (self.root / "outbox/.new.tmp" / file).write_bytes(content)
        (self.root / "outbox/.new.tmp").rename(self.root / "outbox" / name)

    def seen(self, folder: str) -> dict[str, dict[str, bytes]]:
        return {path.name: _content(path) for path in (self.root / folder).iterdir()}

    def status(self, name: str) -> bytes:
        return (self.root / "status" / name).read_bytes()


def _content(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else list(path.iterdir())
    return {file.name: file.read_bytes() for file in files}
