"""What became of jobs, read from the offices' folders as a document-management system reads them.

Rules: only folders are read, never a journal; nothing is believed that the folders do not show: what arrived is
compared with what was handed in, byte for byte.
Does not wait: callers look again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edoc.exchange.reports import ErrorFile, StatusFile, VerificationFile
from edoc.model.state import State
from edoc.model.verdict import Indication
from lab.jobs import Job, JobFile
from lab.offices import Office

DELIVERY_FILES = frozenset(
    {"document.json", "document.xml", "package.asice", "verification.json", "verification.txt", "evidence.json"}
)
"""What every delivery holds besides the attachments."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A folder in an inbox, as far as the demo tells of it."""

    folder: Path
    sender: str
    sender_name: str
    code: str
    subject: str
    urgency: str
    files: tuple[str, ...]
    size: int
    indication: str


def status_of(office: Office, job: str) -> StatusFile | None:
    """Return ``status/by-job/<job>.json``, None when it is not there yet."""
    return _status(office.status / "by-job" / f"{job}.json")


def error_of(office: Office, job: str) -> ErrorFile | None:
    """Return ``failed/<job>/error.json``, None when the job did not fail."""
    path = office.failed / job / "error.json"
    return msgspec.json.decode(path.read_bytes(), type=ErrorFile) if path.exists() else None


def states(status: StatusFile) -> dict[str, State]:
    """Return the state per recipient."""
    return {str(one.organ_id): one.state for one in status.recipients}


def delivery(office: Office, document_id: str) -> Delivery | None:
    """Return what lies in the inbox under `document_id`, None when nothing does."""
    folder = office.inbox / document_id
    if not folder.is_dir():
        return None
    described = json.loads((folder / "document.json").read_bytes())
    verdict = msgspec.json.decode((folder / "verification.json").read_bytes(), type=VerificationFile)
    return Delivery(
        folder=folder,
        sender=described["sender"]["code"],
        sender_name=described["sender"]["name"],
        code=f"{described['number']}/{described['notation']}",
        subject=described["subject"],
        urgency=described["urgency"],
        files=tuple(one["file"] for one in described["attachments"]),
        size=sum((folder / one["file"]).stat().st_size for one in described["attachments"]),
        indication=verdict.indication or "unsigned",
    )


def complaints(office: Office, job: Job, status: StatusFile) -> list[str]:
    """Return what is wrong with the delivery of `job` to `office`; nothing when it is as it should be."""
    found = delivery(office, status.document_id)
    if found is None:
        return [f"{office.name}: nothing in the inbox for {job.name}"]
    wrong = []
    present = {path.name for path in found.folder.iterdir()}
    if present != DELIVERY_FILES | set(found.files):
        wrong.append(f"files {sorted(present)}")
    if found.indication != Indication.TOTAL_PASSED:
        wrong.append(f"verdict {found.indication}")
    if found.code != f"{job.letter.number}/{job.letter.notation}" or found.subject != job.letter.subject:
        wrong.append(f"header {found.code} “{found.subject}”")
    if _sha256(found.folder / "package.asice") != status.package_sha256:
        wrong.append("the package is not the one that was sent")
    if len(found.files) != len(job.files):
        wrong.append(f"{len(found.files)} attachments instead of {len(job.files)}")
    wrong += [
        f"{name} is not what was handed in"
        for name, file in zip(found.files, job.files, strict=False)
        if not _same(found.folder / name, file)
    ]
    return [f"{office.name}: {job.name}: {each}" for each in wrong]


def _same(path: Path, file: JobFile) -> bool:
    """Say whether `path` holds the file, byte for byte; a PDF may have grown by the seal, an incremental update."""
    content = path.read_bytes()
    if file.content.startswith(b"%PDF-"):
        return content.startswith(file.content)
    return content == file.content


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _status(path: Path) -> StatusFile | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    return msgspec.json.decode(content, type=StatusFile)
