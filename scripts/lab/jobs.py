"""Jobs as a document-management system writes them into an outbox.

Rules: a job is written under a name that the daemon ignores (``.….tmp``) and then renamed; where a writer cannot
rename, it fills ``NAME.part`` and writes an empty ``NAME.ready`` last.  What a job says may be wrong on purpose: this
module checks nothing.
Does not make documents: :mod:`lab.documents` does.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab.documents import Letter

Urgency = Literal["thường", "khẩn", "thượng khẩn", "hỏa tốc", "hỏa tốc hẹn giờ"]


@dataclass(frozen=True, kw_only=True)
class JobFile:
    """A file of a job: its name there, its bytes, what the description says of it."""

    file: str
    content: bytes
    name: str = ""  # shown to people; empty: `file`
    role: Literal["main", "appendix", "related"] = "main"
    description: str = ""
    sha256: str = ""  # as declared; empty: the true one


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job: the letter's header, to which codes, and its files."""

    name: str
    letter: Letter
    recipients: tuple[str, ...]
    files: tuple[JobFile, ...]
    urgency: Urgency = "thường"
    secrecy: str = ""
    dms_id: str = ""
    reply_to: str = ""  # number/notation of the document that is answered

    def description(self) -> bytes:
        """Return ``document.json``."""
        letter = self.letter
        fields: dict[str, object] = {
            "number": letter.number,
            "notation": letter.notation,
            "type": letter.type_name or "Công văn",
            "subject": letter.subject,
            "place": letter.place,
            "date": letter.day.isoformat(),
            "signer": {
                "full_name": letter.signer,
                "competence": letter.competence,
                "position": letter.position,
            },
            "recipients": list(self.recipients),
            "urgency": self.urgency,
            "attachments": [
                {
                    "file": one.file,
                    "name": one.name or one.file,
                    "role": one.role,
                    "description": one.description,
                    "sha256": one.sha256 or hashlib.sha256(one.content).hexdigest(),
                }
                for one in self.files
            ],
        }
        if self.secrecy:
            fields["secrecy"] = self.secrecy
        if self.dms_id:
            fields["dms_id"] = self.dms_id
        if self.reply_to:
            fields["reply_to"] = [{"code": self.reply_to}]
        return json.dumps(fields, ensure_ascii=False, indent=2).encode()


def write_job(outbox: Path, job: Job, *, ready_mark: bool = False) -> None:
    """Write `job` into `outbox`.

    By default it is written under a hidden name and renamed; with `ready_mark` it is written as ``NAME.part``, and an
    empty ``NAME.ready`` completes it.
    """
    write_folder(
        outbox,
        job.name,
        {"document.json": job.description(), **{one.file: one.content for one in job.files}},
        ready_mark=ready_mark,
    )


def write_folder(outbox: Path, name: str, files: dict[str, bytes], *, ready_mark: bool = False) -> None:
    """Write a job of whatever `files`; see :func:`write_job`."""
    # The name while it is written is short: the job's own may be as long as a file system allows.
    folder = outbox / (f"{name}.part" if ready_mark else f".{hashlib.sha256(name.encode()).hexdigest()[:16]}.tmp")
    folder.mkdir()
    for file, content in files.items():
        (folder / file).write_bytes(content)
    if ready_mark:
        (outbox / f"{name}.ready").touch()
    else:
        folder.rename(outbox / name)
