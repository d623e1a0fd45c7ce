"""Small containers for tests."""

from __future__ import annotations

import io

from edoc.envelopes.asic import write_container
from edoc.model.identifiers import DocumentId, FileRef
from edoc.model.job import InboxFolder


def container_of(*attachments: bytes) -> bytes:
    """Return a container with an envelope and `attachments`; nothing in it is signed."""
    target = io.BytesIO()
    entries = [(f"attachments/{number}.pdf", content) for number, content in enumerate(attachments, start=1)]
    write_container(target, [("envelope.xml", b"<edXML/>"), *entries])
    return target.getvalue()


def inbox_folder(document_id: DocumentId, container: FileRef, attachments: int = 1) -> InboxFolder:
    """Return a delivery of such a container."""
    return InboxFolder(
        document_id=document_id,
        container=container,
        attachments=tuple((f"{n}.pdf", f"attachments/{n}.pdf") for n in range(1, attachments + 1)),
        files=(("document.json", b"{}"), ("verification.json", b"[]")),
    )
