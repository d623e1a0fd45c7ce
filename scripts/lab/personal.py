"""The personal signature that the authorised signer puts on a PDF before it reaches the clerical office.

Rules: PAdES B-B by a program that is not ours (pyHanko), as a signer's own tool would make it.
Does not seal: the agency's seal is the product's work.
"""

from __future__ import annotations

import io

from asn1crypto.keys import PrivateKeyInfo
from asn1crypto.x509 import Certificate
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko_certvalidator.registry import SimpleCertificateStore

from lab.pki import Issued, Pki


def sign_as_person(pdf: bytes, person: Issued, pki: Pki, *, name: str) -> bytes:
    """Return `pdf` with the signature of `person`, an incremental update; blocking, outside of an event loop."""
    key = person.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # its package ships half its types
    store.register(Certificate.load(pki.issuing.der))
    signer = signers.SimpleSigner(
        signing_cert=Certificate.load(person.der), signing_key=PrivateKeyInfo.load(key), cert_registry=store
    )
    wanted = signers.PdfSignatureMetadata(
        field_name="ChuKyCaNhan",
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        name=name,
        reason="Ký ban hành",
    )
    target = io.BytesIO()
    signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), wanted, signer=signer, output=target)
    return target.getvalue()
