"""Warming the parent up: a package of our own, sealed by a key of the moment, is verified before any child is forked.

Rules: only our own bytes are read here, never anybody's.  What a library imports, compiles or caches at its first use
then happens once, in the parent, and every child starts with it; measured, a child needs a third less time and touches
a third fewer pages.

Does not test anything: a warm-up that finds our own package bad is a defect and stops the start.
"""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from edoc.adapters.sandbox_calls import Warmth
from edoc.envelopes import asic, edxml, pdf, status, submission
from edoc.model.appearance import Appearance, Place
from edoc.model.document import Attachment, Code, Document, Party
from edoc.model.evidence import EvidenceEvent
from edoc.model.identifiers import DocumentId, OrganId, Sha256, sha256_of
from edoc.model.message import StatusCode, StatusReport
from edoc.model.trust import Pin, PinPurpose, TrustMaterial
from edoc.signatures import cades, pades, validation, xades
from edoc.signatures.creation import SealCertificate

_CODE = OrganId("A00")
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_ID = DocumentId("00000000-0000-4000-8000-000000000000")
_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 999 999]>>endobj\nxref\n0 4\n0000000000 65535 f \n"
    b"0000000009 00000 n \n0000000052 00000 n \n0000000101 00000 n \n"
    b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n164\n%%EOF\n"
)
_JOB = (
    b'{"number":"1","notation":"A","type":"A","subject":"A","place":"A","date":"2026-01-01","recipients":["A01"],'
    b'"attachments":[{"file":"a.pdf","role":"main"}]}'
)


def warm_up(now: datetime, warmth: Warmth) -> None:
    """Seal and verify a status of our own, and, for FILES, a package with a PDF."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = SealCertificate.read(_certificate(key, now))
    pin = Pin(
        organ_id=_CODE,
        certificate_sha256=certificate.sha256,
        purpose=PinPurpose.SEAL,
        not_before=certificate.not_before,
    )
    material = TrustMaterial(anchors=(certificate.der,), pins=(pin,), at=now)
    if warmth is Warmth.FILES:
        _warm_files(key, certificate, material)
    to_sign = xades.prepare_enveloped(status.write_status(_report(now)), certificate, certificate.algorithm, now)
    validation.validate_status(xades.finish_enveloped(to_sign, _sign(key, to_sign.digest)), material)
    submission.read_submission(_JOB, _ID, Party(organ_id=_CODE))


def warm_seal(appearance: Appearance) -> None:
    """Draw the office's image, or a text of our own, on a PDF of our own: image, font and the way there stay warm.

    Done once for an image and once for texts.  Raises EdocError SEAL_IMAGE_UNFIT.
    """
    if appearance.text or appearance.image:
        _draw(b"" if appearance.text else appearance.image)


@lru_cache(maxsize=4)
def _draw(image: bytes) -> None:
    place = Place(page=1, x_mm=0, y_mm=0)
    look = Appearance(image=image, place=place) if image else Appearance(text="0")
    pdf.prepare_revision(
        io.BytesIO(_PDF), io.BytesIO(), certificates=(b"A",), name="A", reason="A", at=_SOME_DAY, appearance=look
    )


def _warm_files(key: ec.EllipticCurvePrivateKey, certificate: SealCertificate, material: TrustMaterial) -> None:
    import pyhanko.sign.diff_analysis  # noqa: PLC0415 -- 0.2 s and 15 MB, for PDFs that grew after signing
    import pyhanko.sign.validation.pdf_embedded  # noqa: F401, PLC0415 -- the same

    facts = validation.validate_package(_package(key, certificate, material.at), material)
    if not facts.verdict.passed:
        raise RuntimeError(f"our own package is {facts.verdict.indication} {facts.verdict.sub_indication}")


def _package(key: ec.EllipticCurvePrivateKey, certificate: SealCertificate, now: datetime) -> io.BytesIO:
    target = io.BytesIO()
    revision = pdf.prepare_revision(
        io.BytesIO(_PDF), target, certificates=(certificate.der,), name="A", reason="A", at=now
    )
    seal = pades.prepare(revision.digest, certificate, certificate.algorithm)
    target.seek(revision.contents_offset)
    target.write(pades.contents(cades.finish(seal, _sign(key, seal.digest)), revision.contents_digits))
    content = target.getvalue()
    attachment = Attachment(
        number=1, name="a.pdf", media_type="application/pdf", size=len(content), sha256=sha256_of(content)
    )
    envelope = edxml.write_envelope(_document(attachment, now))
    entry = asic.attachment_entry(1, attachment.name)
    signed = [
        xades.SignedEntry(name=asic.ENVELOPE, media_type="application/xml", sha256=sha256_of(envelope)),
        xades.SignedEntry(name=entry, media_type=attachment.media_type, sha256=attachment.sha256),
    ]
    to_sign = xades.prepare_detached(signed, certificate, certificate.algorithm, now)
    signatures = xades.finish_detached(to_sign, _sign(key, to_sign.digest))
    listing = asic.open_manifest([(one.name, one.media_type) for one in signed])
    container = io.BytesIO()
    entries = [(asic.ENVELOPE, envelope), (entry, content), (asic.MANIFEST, listing), (asic.SIGNATURES, signatures)]
    asic.write_container(container, entries)
    return container


def _document(attachment: Attachment, now: datetime) -> Document:
    return Document(
        document_id=_ID,
        sender=Party(organ_id=_CODE),
        recipients=(Party(organ_id=OrganId("A01")),),
        code=Code(number="1", notation="A"),
        subject="A",
        place="A",
        promulgation_date=date(2026, 1, 1),
        type_name="A",
        sealed_at=now,
        attachments=(attachment,),
    )


def _report(now: datetime) -> StatusReport:
    return StatusReport(
        status_id=_ID,
        document_id=_ID,
        sender=Party(organ_id=_CODE),
        recipient=OrganId("A01"),
        code=StatusCode.ARRIVED,
        event=EvidenceEvent.CONTENT_CONSIGNMENT,
        timestamp=now,
        container_sha256=Sha256(hashlib.sha256(b"").hexdigest()),
        signature_digests=(),
    )


def _certificate(key: ec.EllipticCurvePrivateKey, now: datetime) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "edoc warm-up")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def _sign(key: ec.EllipticCurvePrivateKey, digest: bytes) -> bytes:
    r, s = utils.decode_dss_signature(key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256()))))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
