"""Small well-formed values that tests start from."""

from __future__ import annotations

from datetime import UTC, date, datetime

from edoc.exchange.office import Office, Policy
from edoc.model.document import (
    Attachment,
    AttachmentRole,
    Code,
    DeclaredFile,
    Document,
    Party,
    Signer,
    Submission,
)
from edoc.model.identifiers import DocumentId, FileRef, OrganId, sha256_of
from edoc.model.record import JobFile, StoredFile
from edoc.model.verdict import Indication, SignatureReport, SubIndication, Verdict

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
COMMUNE = OrganId("H53.31.20")
DISTRICT = OrganId("H53.31")
PROVINCE = OrganId("000.00.00.H53")
LEVELS = {COMMUNE: "commune", DISTRICT: "district", PROVINCE: "province"}
DOCUMENT_ID = DocumentId("6f1c5a52-7c0e-4a41-9f0e-0d8f1f3f9d10")


def office(code: OrganId = COMMUNE, talk: frozenset[tuple[str, str]] | None = None) -> Office:
    return Office(code=code, anchors=(), intermediates=(), policy=Policy(talk=talk))


def document(
    sender: OrganId = COMMUNE,
    recipients: tuple[OrganId, ...] = (DISTRICT,),
    document_id: DocumentId = DOCUMENT_ID,
    attachments: tuple[Attachment, ...] = (),
) -> Document:
    return Document(
        document_id=document_id,
        sender=Party(organ_id=sender, name="UBND xã Tân Lập"),
        recipients=tuple(Party(organ_id=code) for code in recipients),
        code=Code(number="12", notation="BC-UBND"),
        subject="Báo cáo tình hình thực hiện nhiệm vụ tháng 02",
        place="Tân Lập",
        promulgation_date=date(2026, 3, 2),
        type_name="Báo cáo",
        signer=Signer(full_name="Nguyễn Văn Bình", competence="TM. ỦY BAN NHÂN DÂN", position="Chủ tịch"),
        attachments=attachments,
    )


def job_file(name: str, content: bytes = b"%PDF-1.4") -> JobFile:
    return JobFile(
        name=name, stored=StoredFile(ref=FileRef(f"fake/{name}"), size=len(content), sha256=sha256_of(content))
    )


def submission(*names: str, **fields: str) -> Submission:
    return Submission(
        document=document(),
        files=tuple(DeclaredFile(file=name, name=name, role=AttachmentRole.MAIN) for name in names),
        **fields,
    )


def signature(
    path: str = "META-INF/signatures001.xml",
    indication: Indication = Indication.TOTAL_PASSED,
    sub_indication: SubIndication | None = None,
) -> SignatureReport:
    return SignatureReport(
        path=path,
        scope="",
        format="XAdES",
        level="B-B",
        indication=indication,
        sub_indication=sub_indication,
        crypto_intact=indication is not Indication.TOTAL_FAILED,
        signer="UBND xã Tân Lập",
        organisation=COMMUNE,
        signing_time=NOW,
        checks=(),
    )


def verdict(*signatures: SignatureReport) -> Verdict:
    worst = next((one for one in signatures if one.indication is not Indication.TOTAL_PASSED), None)
    first = worst or (signatures[0] if signatures else None)
    return Verdict(
        indication=first.indication if first else None,
        sub_indication=first.sub_indication if first else None,
        signatures=signatures,
    )
