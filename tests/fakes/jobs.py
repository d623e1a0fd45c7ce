"""Jobs as a document-management system writes them, and what it reads of the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

TEXT = b"Phu luc kem theo cong van\n"


def description(recipients: Sequence[str], files: Sequence[str], **fields: object) -> dict[str, object]:
    """Return the fields of a document.json."""
    return {
        "number": "07",
        "notation": "BC-UBND",
        "type": "Báo cáo",
        "subject": "Kết quả rà soát hộ nghèo năm 2026",
        "place": "Tân Lập",
        "date": "2026-11-22",
        "recipients": list(recipients),
        "attachments": [{"file": file, "role": "appendix" if number else "main"} for number, file in enumerate(files)],
        **fields,
    }


def job(recipients: Sequence[str], files: Mapping[str, bytes] | None = None, **fields: object) -> dict[str, bytes]:
    """Return the files of a job for `recipients`."""
    content = {"phu-luc.txt": TEXT} if files is None else dict(files)
    return {"document.json": msgspec.json.encode(description(recipients, list(content), **fields)), **content}


def write_job(outbox: Path, name: str, files: Mapping[str, bytes]) -> None:
    """Write a job and complete it by rename, as docs/dms.md tells."""
    hidden = outbox / f".{name}.tmp"
    hidden.mkdir()
    for file, content in files.items():
        (hidden / file).write_bytes(content)
    hidden.rename(outbox / name)


def read_json(path: Path) -> Any:
    """Return a JSON file as plain values."""
    return msgspec.json.decode(path.read_bytes())


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
