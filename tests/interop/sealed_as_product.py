"""Packages, PDFs, statuses and manifests made by the same calls in the same order as edoc.exchange makes them.

Rules: signatures come from a key in memory instead of a token; everything else is the product's own code.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from asn1crypto import keys, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from fakes.signer import sign_digest
from lab.documents import Letter, make_pdf, make_xlsx
from lab.pki import Issued, Pki
from pyhanko.sign.timestamps import DummyTimeStamper

from edoc.envelopes import asic, edxml, pdf, sniff, status, wire
from edoc.model.document import Attachment, Code, Document, Party
from edoc.model.evidence import EvidenceEvent
from edoc.model.identifiers import DocumentId, OrganId, Sha256, sha256_of
from edoc.model.message import CHUNK_BYTES, ChunkManifest, StatusCode, StatusReport
from edoc.model.trust import SignatureAlgorithm
from edoc.signatures import cades, pades, timestamp, xades
from edoc.signatures.creation import SealCertificate, ToBeSigned

DOCUMENT_ID = DocumentId("0f8fad5b-d9cb-469f-a165-70867728950e")
SENDER = Party(organ_id=OrganId("H53.31.20"), name="Ủy ban nhân dân xã Tân Lập")
RECIPIENT = Party(organ_id=OrganId("G22"), name="Văn phòng Chính phủ")

_NONCE = 2026


@dataclass(frozen=True, kw_only=True)
class Sealer:
    """An office's seal and the instant it seals at; `authority` adds time-stamps."""

    issued: Issued
    at: datetime
    algorithm: SignatureAlgorithm | None = None
    authority: DummyTimeStamper | None = None

    @property
    def certificate(self) -> SealCertificate:
        """Return the certificate as the product reads it from a token."""
        return SealCertificate.read(self.issued.der)

    @property
    def chosen(self) -> SignatureAlgorithm:
        """Return the algorithm asked for, or the one the product takes for the key."""
        return self.algorithm or self.certificate.algorithm

    def sign(self, prepared: ToBeSigned) -> bytes:
        """Answer as the token does."""
        return sign_digest(self.issued, prepared.algorithm, prepared.digest)

    def stamp(self, digest: bytes) -> bytes:
        """Return an RFC 3161 token over a SHA-256 digest."""
        if self.authority is None:
            raise TypeError("this seal has no time-stamping authority")
        answer = self.authority.request_tsa_response(tsp.TimeStampReq.load(timestamp.request(digest, _NONCE)))
        return timestamp.read_response(answer.dump(), digest, _NONCE)


def letter() -> bytes:
    """Return a report of a commune as PDF."""
    return make_pdf(
        Letter(
            agency=SENDER.name,
            number="07",
            notation="BC-UBND",
            place="Tây Ninh",
            day=date(2026, 11, 22),
            subject="Kết quả rà soát hộ nghèo",
            to=(RECIPIENT.name,),
            signer="Nguyễn Văn Thọ",
            position="CHỦ TỊCH",
        )
    )


def spreadsheet() -> bytes:
    """Return an annex as xlsx."""
    return make_xlsx((("STT", "Họ và tên"), ("1", "Điểu Krứ")))


def seal_pdf(content: bytes, sealer: Sealer) -> bytes:
    """Return `content` with the office's seal: Outgoing.seal."""
    certificate, target = sealer.certificate, io.BytesIO()
    revision = pdf.prepare_revision(
        io.BytesIO(content), target, certificates=(certificate.der,), name=certificate.subject, reason="", at=sealer.at
    )
    prepared = cades.prepare(revision.digest, certificate, sealer.chosen, at=None, content=None, pdf=True)
    target.seek(revision.contents_offset)
    target.write(pades.contents(_finish_cms(prepared, sealer), revision.contents_digits))
    return target.getvalue()


def make_package(files: Sequence[tuple[str, bytes]], sealer: Sealer) -> bytes:
    """Return the sealed package of `files` (name, content): Outgoing.pack."""
    certificate = sealer.certificate
    document = _document([_attachment(number, *file) for number, file in enumerate(files, 1)], sealer.at)
    envelope = edxml.write_envelope(document)
    names = [asic.attachment_entry(attachment.number, attachment.name) for attachment in document.attachments]
    signed = [
        xades.SignedEntry(name=asic.ENVELOPE, media_type="application/xml", sha256=sha256_of(envelope)),
        *(
            xades.SignedEntry(name=name, media_type=attachment.media_type, sha256=attachment.sha256)
            for name, attachment in zip(names, document.attachments, strict=True)
        ),
    ]
    prepared = xades.prepare_detached(signed, certificate, sealer.chosen, sealer.at)
    signatures = xades.finish_detached(prepared, sealer.sign(prepared))
    if sealer.authority is not None:
        signatures = xades.add_timestamp(signatures, sealer.stamp(xades.timestamp_digest(signatures)))
    entries = [(asic.ENVELOPE, envelope)]
    entries += ((name, content) for name, (_, content) in zip(names, files, strict=True))
    listing = asic.open_manifest([(entry.name, entry.media_type) for entry in signed])
    entries += [(asic.MANIFEST, listing), (asic.SIGNATURES, signatures)]
    target = io.BytesIO()
    asic.write_container(target, entries)
    return target.getvalue()


def make_status(sealer: Sealer) -> bytes:
    """Return a signed receipt: edoc.exchange.receipts."""
    report = StatusReport(
        status_id=DocumentId("7c9e6679-7425-40de-944b-e07fc1f90ae7"),
        document_id=DOCUMENT_ID,
        sender=SENDER,
        recipient=RECIPIENT.organ_id,
        code=StatusCode.ARRIVED,
        event=EvidenceEvent.CONTENT_CONSIGNMENT,
        timestamp=sealer.at,
        container_sha256=Sha256("ab" * 32),
        signature_digests=(Sha256("cd" * 32),),
        description="Đã đến: “Kết quả rà soát” & <kèm phụ lục>",
    )
    certificate = sealer.certificate
    prepared = xades.prepare_enveloped(status.write_status(report), certificate, sealer.chosen, sealer.at)
    return xades.finish_enveloped(prepared, sealer.sign(prepared))


def make_manifest(package: bytes, sealer: Sealer) -> bytes:
    """Return the sealed chunk manifest of a package: Outgoing.pack for packages above 1 MiB."""
    chunks = [package[start : start + CHUNK_BYTES] for start in range(0, len(package), CHUNK_BYTES)]
    content = wire.encode_manifest(
        ChunkManifest(
            document_id=DOCUMENT_ID,
            sender=SENDER.organ_id,
            recipients=(RECIPIENT.organ_id,),
            sha256=sha256_of(package),
            size=len(package),
            chunk_bytes=CHUNK_BYTES,
            chunks=tuple(sha256_of(chunk) for chunk in chunks),
        )
    )
    certificate = sealer.certificate
    digest = hashlib.sha256(content).digest()
    prepared = cades.prepare(digest, certificate, sealer.chosen, at=sealer.at, content=content, pdf=False)
    return _finish_cms(prepared, sealer)


def altered(package: bytes, name: str, old: bytes, new: bytes) -> bytes:
    """Return `package` with `old` replaced in entry `name`, or the entry added when it is not there."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as source, zipfile.ZipFile(target, "w") as archive:
        for entry in source.infolist():
            content = source.read(entry)
            archive.writestr(entry, content.replace(old, new, 1) if entry.filename == name else content)
        if name not in source.namelist():
            archive.writestr(name, new)
    return target.getvalue()


def timestamping_authority(pki: Pki, at: datetime) -> DummyTimeStamper:
    """Return an authority under `pki` whose clock always says `at`."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    issuer = pki.issuing.certificate
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Dấu thời gian thử nghiệm")]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(issuer.not_valid_before_utc)
        .not_valid_after(issuer.not_valid_after_utc)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
                issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
            ),
            critical=False,
        )
        .sign(pki.issuing.key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return DummyTimeStamper(
        asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER)),
        keys.PrivateKeyInfo.load(private),
        fixed_dt=at,
    )


def _finish_cms(prepared: ToBeSigned, sealer: Sealer) -> bytes:
    signature = sealer.sign(prepared)
    if sealer.authority is None:
        return cades.finish(prepared, signature)
    value = cades.signature_value(prepared, signature)
    return cades.with_timestamp(prepared, signature, sealer.stamp(hashlib.sha256(value).digest()))


def _attachment(number: int, name: str, content: bytes) -> Attachment:
    return Attachment(
        number=number,
        name=name,
        media_type=sniff.content_type(name, content[:1024]),
        size=len(content),
        sha256=sha256_of(content),
    )


def _document(attachments: Sequence[Attachment], at: datetime) -> Document:
    return Document(
        document_id=DOCUMENT_ID,
        sender=SENDER,
        recipients=(RECIPIENT,),
        code=Code(number="07", notation="BC-UBND"),
        subject="Kết quả rà soát hộ nghèo & hộ cận nghèo",
        place="Tây Ninh",
        promulgation_date=date(2026, 11, 22),
        type_name="Báo cáo",
        sealed_at=at,
        attachments=tuple(attachments),
    )
