"""Sealed material for tests: a PKI with seals, and packages, statuses and PDFs sealed by them.

Everything is made anew, in memory.  Does not use a token.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from fakes.signer import sign_digest
from fpdf import FPDF
from lab.pki import Issued, KeyKind, Pki

from edoc.envelopes import asic
from edoc.envelopes.edxml import write_envelope
from edoc.envelopes.pdf import prepare_revision
from edoc.envelopes.status import write_status
from edoc.model.document import Attachment, Code, Document, Party
from edoc.model.evidence import EvidenceEvent
from edoc.model.identifiers import DocumentId, OrganId, Sha256
from edoc.model.message import StatusCode, StatusReport
from edoc.model.trust import Pin, PinPurpose, SignatureAlgorithm, TrustMaterial
from edoc.signatures import cades, pades, xades
from edoc.signatures.creation import SealCertificate

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SENDER = OrganId("H53.31.20")
RECIPIENT = OrganId("G22")
DOCUMENT_ID = DocumentId("0f8fad5b-d9cb-469f-a165-70867728950e")


@dataclass(frozen=True, kw_only=True)
class World:
    """A PKI, the sender's seal, and what a verifier is handed."""

    pki: Pki
    seal: Issued
    material: TrustMaterial

    def pinned(self, *pins: Pin) -> TrustMaterial:
        """Return the material with other pins."""
        return replace(self.material, pins=pins)


def pin(issued: Issued, organ_id: OrganId = SENDER, purpose: PinPurpose = PinPurpose.SEAL) -> Pin:
    """Bind a certificate to an organisation since last year."""
    return Pin(
        organ_id=organ_id,
        certificate_sha256=Sha256(issued.sha256),
        purpose=purpose,
        not_before=NOW - timedelta(days=365),
    )


def make_world(kind: KeyKind = "ec") -> World:
    """Make a PKI and the sender's seal, pinned."""
    pki = Pki.create(NOW)
    seal = pki.seal(SENDER, "Ủy ban nhân dân xã Thử Nghiệm", kind=kind)
    material = TrustMaterial(
        anchors=pki.anchors,
        intermediates=pki.intermediates,
        crls=(pki.crl(NOW - timedelta(hours=1)), pki.root_crl(NOW - timedelta(hours=1))),
        pins=(pin(seal),),
        at=NOW,
    )
    return World(pki=pki, seal=seal, material=material)


def plain_pdf(text: str = "Cong van thu nghiem") -> bytes:
    """Return a small PDF."""
    pdf = FPDF()
    pdf.set_creation_date(NOW)
    pdf.add_page()
    pdf.set_font("Helvetica", size=12)
    pdf.cell(text=text)
    return bytes(pdf.output())


def seal_pdf(content: bytes, issued: Issued, algorithm: SignatureAlgorithm | None = None) -> bytes:
    """Return `content` with a PAdES seal."""
    certificate = SealCertificate.read(issued.der)
    target = io.BytesIO()
    revision = prepare_revision(
        io.BytesIO(content), target, certificates=(issued.der,), name=certificate.subject, reason="", at=NOW
    )
    prepared = pades.prepare(revision.digest, certificate, algorithm or certificate.algorithm)
    value = sign_digest(issued, prepared.algorithm, prepared.digest)
    target.seek(revision.contents_offset)
    target.write(pades.contents(cades.finish(prepared, value), revision.contents_digits))
    return target.getvalue()


def document_with(files: Sequence[bytes], sender: OrganId = SENDER) -> Document:
    """Return a document with `files` as its attachments, all named *.pdf."""
    attachments = tuple(
        Attachment(
            number=number,
            name=f"Công văn {number}.pdf",
            media_type="application/pdf",
            size=len(content),
            sha256=Sha256(hashlib.sha256(content).hexdigest()),
        )
        for number, content in enumerate(files, 1)
    )
    return Document(
        document_id=DOCUMENT_ID,
        sender=Party(organ_id=sender, name="UBND xã Thử Nghiệm"),
        recipients=(Party(organ_id=RECIPIENT, name="Văn phòng Chính phủ"),),
        code=Code(number="123", notation="UBND-VP"),
        subject="V/v thử nghiệm",
        place="Tây Ninh",
        promulgation_date=date(2026, 11, 22),
        type_name="Công văn",
        sealed_at=NOW,
        attachments=attachments,
    )


def entries_of(document: Document, files: Sequence[bytes]) -> list[tuple[str, str, bytes]]:
    """Return (entry, media type, content) of the sealed entries."""
    named = [
        (asic.attachment_entry(one.number, one.name), one.media_type, content)
        for one, content in zip(document.attachments, files, strict=True)
    ]
    return [(asic.ENVELOPE, "text/xml", write_envelope(document)), *named]


def seal_entries(
    entries: Sequence[tuple[str, str, bytes]],
    issued: Issued,
    *,
    algorithm: SignatureAlgorithm | None = None,
    at: datetime = NOW,
) -> bytes:
    """Return META-INF/signatures001.xml over `entries`."""
    certificate = SealCertificate.read(issued.der)
    signed = [
        xades.SignedEntry(name=name, media_type=kind, sha256=Sha256(hashlib.sha256(content).hexdigest()))
        for name, kind, content in entries
    ]
    prepared = xades.prepare_detached(signed, certificate, algorithm or certificate.algorithm, at)
    return xades.finish_detached(prepared, sign_digest(issued, prepared.algorithm, prepared.digest))


def container(entries: Sequence[tuple[str, str, bytes]], signatures: bytes | None) -> bytes:
    """Return an ASiC-E container of `entries`, with `signatures` unless they are None."""
    manifest = asic.open_manifest([(name, kind) for name, kind, _ in entries])
    parts: list[tuple[str, bytes]] = [(name, content) for name, _, content in entries]
    parts.append((asic.MANIFEST, manifest))
    if signatures is not None:
        parts.append((asic.SIGNATURES, signatures))
    target = io.BytesIO()
    asic.write_container(target, parts)
    return target.getvalue()


def package(
    issued: Issued,
    files: Sequence[bytes] = (b"%PDF-1.4 none",),
    *,
    algorithm: SignatureAlgorithm | None = None,
    sender: OrganId = SENDER,
    at: datetime = NOW,
) -> bytes:
    """Return a sealed package with `files`."""
    entries = entries_of(document_with(files, sender), files)
    return container(entries, seal_entries(entries, issued, algorithm=algorithm, at=at))


def status_report(sender: OrganId = SENDER) -> StatusReport:
    """Return a receipt."""
    return StatusReport(
        status_id=DocumentId("7c9e6679-7425-40de-944b-e07fc1f90ae7"),
        document_id=DOCUMENT_ID,
        sender=Party(organ_id=sender, name="UBND xã Thử Nghiệm"),
        recipient=RECIPIENT,
        code=StatusCode.ARRIVED,
        event=EvidenceEvent.CONTENT_CONSIGNMENT,
        timestamp=NOW,
        container_sha256=Sha256("ab" * 32),
        signature_digests=(Sha256("cd" * 32),),
    )


def signed_status(issued: Issued, sender: OrganId = SENDER) -> bytes:
    """Return a signed status message."""
    certificate = SealCertificate.read(issued.der)
    prepared = xades.prepare_enveloped(write_status(status_report(sender)), certificate, certificate.algorithm, NOW)
    return xades.finish_enveloped(prepared, sign_digest(issued, prepared.algorithm, prepared.digest))
