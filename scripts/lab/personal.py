"""The personal signature that the authorised signer puts on a PDF before it reaches the clerical office.

Rules: PAdES B-B by a program that is not ours (pyHanko), as a signer's own tool would make it; with a box, the image of
a signature in blue ink is shown there (Decree 30/2020, Annex I).
Does not seal: the agency's seal is the product's work.
"""

from __future__ import annotations

import io
import math

from asn1crypto.keys import PrivateKeyInfo
from asn1crypto.x509 import Certificate
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from PIL import Image, ImageDraw
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from lab.pki import Issued, Pki


def sign_as_person(
    pdf: bytes,
    person: Issued,
    pki: Pki,
    *,
    name: str,
    box: tuple[int, int, int, int] | None = None,
    page: int = -1,
    field: str = "ChuKyCaNhan",
) -> bytes:
    """Return `pdf` with the signature of `person`, an incremental update; blocking, outside of an event loop.

    `box` (x1, y1, x2, y2 in user space of the page `page`, -1 is the last) shows it; without one it is invisible.
    """
    key = person.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # its package ships half its types
    store.register(Certificate.load(pki.issuing.der))
    signer = signers.SimpleSigner(
        signing_cert=Certificate.load(person.der), signing_key=PrivateKeyInfo.load(key), cert_registry=store
    )
    wanted = signers.PdfSignatureMetadata(
        field_name=field,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        name=name,
        reason="Ký ban hành",
    )
    target = io.BytesIO()
    signers.PdfSigner(
        wanted,
        signer=signer,
        stamp_style=None if box is None else StaticStampStyle(background=PdfImage(_handwriting()), border_width=0),
        new_field_spec=None if box is None else SigFieldSpec(field, on_page=page, box=box),
    ).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), output=target)
    return target.getvalue()


def _handwriting() -> Image.Image:
    """Return a stroke in blue ink on a transparent ground."""
    image = Image.new("RGBA", (600, 240), (0, 0, 0, 0))
    loops = [(20 + 5.6 * step, 120 + 95 * math.sin(step / 7) * math.cos(step / 23)) for step in range(100)]
    ImageDraw.Draw(image).line(loops, fill=(20, 40, 180, 255), width=8, joint="curve")
    return image
