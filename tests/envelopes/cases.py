"""Values that several tests of the envelopes start from."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from edoc.envelopes import xml
from edoc.model.document import Attachment, AttachmentRole, Code, Document, Party, Signer
from edoc.model.evidence import EvidenceEvent
from edoc.model.identifiers import DocumentId, OrganId, Sha256
from edoc.model.message import StatusCode, StatusReport

FIXTURES = Path(__file__).parent.parent / "fixtures" / "edxml"
ID = DocumentId("6f1c2b1e-0a6b-4a57-9a54-0d4c7c2b9a10")
OFFICE = Party(organ_id=OrganId("H41.05"), name="Sở Nội vụ tỉnh Nghệ An")
E = xml.EDXML

DOCUMENT = Document(
    document_id=ID,
    sender=OFFICE,
    recipients=(Party(organ_id=OrganId("H29.12.34"), name="UBND phường Bến Thành"),),
    code=Code(number="0123", notation="SNV-VP"),
    subject="V/v kiểm tra công tác văn thư",
    place="Nghệ An",
    promulgation_date=date(2026, 11, 22),
    type_name="Công văn",
    signer=Signer(full_name="Nguyễn Văn A", competence="KT.", position="Phó Giám đốc"),
    sealed_at=datetime(2026, 11, 22, 2, 0, 0, 5, tzinfo=UTC),
    attachments=(
        Attachment(
            number=1,
            name="Công văn.pdf",
            media_type="application/pdf",
            size=3,
            sha256=Sha256("ab" * 32),
            role=AttachmentRole.MAIN,
        ),
        Attachment(number=2, name="Phụ lục", media_type="application/zip", size=0, sha256=Sha256("cd" * 32)),
    ),
)

STATUS = StatusReport(
    status_id=DocumentId("0b0c2b1e-0a6b-4a57-9a54-0d4c7c2b9a11"),
    document_id=ID,
    sender=Party(organ_id=OrganId("H29.12.34"), name="UBND phường Bến Thành"),
    recipient=OFFICE.organ_id,
    code=StatusCode.ARRIVED,
    event=EvidenceEvent.CONTENT_CONSIGNMENT,
    timestamp=datetime(2026, 11, 21, 18, 30, 0, 123456, tzinfo=UTC),
    container_sha256=Sha256("ef" * 32),
    signature_digests=(Sha256("01" * 32),),
    description="Đã đến",
)
