"""Jobs as the spool takes them, and deliveries as the inbox shows them.

Rules: names in a job are the DMS's, names in a folder are ours; refs are opaque.
Does not touch a disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edoc.errors import FaultReport
from edoc.model.document import Document
from edoc.model.identifiers import DocumentId, FileRef
from edoc.model.record import JobFile, StoredFile


class JobKind(StrEnum):
    """What a job is on disk."""

    FOLDER_JSON = "folder-json"  # a folder with document.json
    FOLDER_XML = "folder-xml"  # a folder with document.xml, an edXML header
    EDXML = "edxml"  # a single .edxml file, attachments inline
    UNREADABLE = "unreadable"  # a folder without a description


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedJob:
    """A job that is ours: the description and every other file, copied, hashed, fsynced.

    `fault` is set when the job cannot be copied as it is (symlink, FIFO, file that grows, …); `files` then holds
    what could be had.
    """

    document_id: DocumentId
    name: str
    kind: JobKind
    description: StoredFile | None
    files: tuple[JobFile, ...]
    fault: FaultReport | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxFolder:
    """What a delivery consists of: files by name.

    ``attachments`` are (name on disk, entry in the container); the adapter copies them out of the container.
    """

    document_id: DocumentId
    container: FileRef
    attachments: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, bytes], ...]  # document.json, verification.json, …
    name: str = ""  # of the folder; empty: the document's id
    edxml: Document | None = None  # when set, document.edxml with its attachments inline is written too
