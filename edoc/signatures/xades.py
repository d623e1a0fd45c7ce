"""XAdES baseline signatures (EN 319 132-1), made: beside a container's entries, and inside a status message.

Rules: what is signed is written in its exclusive canonical form from the start, so that nothing has to be
canonicalised to be digested, and the same octets stand in the document.  Every entry has one reference, with an Id
and without transforms.  SHA-256 everywhere.

Does not verify what the token returns: :func:`edoc.signatures.creation.verify_own` does.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from lxml import etree

from edoc.envelopes.xml import ASIC, DS, XADES, canonical, parse, serialise
from edoc.errors import EdocError
from edoc.errors.verification import SIGNATURE_UNREADABLE, TIMESTAMP_MISMATCH
from edoc.model.identifiers import Sha256
from edoc.model.trust import SignatureAlgorithm
from edoc.signatures.algorithms import CREATED_URIS, ENVELOPED, EXCLUSIVE_C14N, SHA256_URI
from edoc.signatures.certificates import Certificate
from edoc.signatures.creation import SealCertificate, ToBeSigned
from edoc.signatures.timestamp import read_token
from edoc.signatures.xml_structure import header_of, octets, only_child, signatures_of

SIGNED_PROPERTIES: Final = "http://uri.etsi.org/01903#SignedProperties"

_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_DIGEST_METHOD = f'<ds:DigestMethod Algorithm="{SHA256_URI}"></ds:DigestMethod>'
_LONE_DIGEST_METHOD = f'<ds:DigestMethod xmlns:ds="{DS}" Algorithm="{SHA256_URI}"></ds:DigestMethod>'
_C14N_TRANSFORM = f'<ds:Transform Algorithm="{EXCLUSIVE_C14N}"></ds:Transform>'
_ENVELOPED_TRANSFORM = f'<ds:Transform Algorithm="{ENVELOPED}"></ds:Transform>'


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedEntry:
    """An entry of a container as it is signed: name, media type, SHA-256 of its octets."""

    name: str
    media_type: str
    sha256: Sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class _Covered:
    """One reference and the format property that belongs to it."""

    reference_id: str
    reference: str
    media_type: str


def prepare_detached(
    entries: Sequence[SignedEntry],
    certificate: SealCertificate,
    algorithm: SignatureAlgorithm,
    at: datetime,
    *,
    intermediates: Sequence[bytes] = (),
) -> ToBeSigned:
    """Prepare META-INF/signatures001.xml over `entries`; EN 319 162-1, 4.4.4 and EN 319 132-1, 6.3.

    `at` is aware; `intermediates` are DER and go into KeyInfo.  Raises EdocError ALGORITHM_UNFIT.
    """
    covered = [_entry_reference(number, entry) for number, entry in enumerate(entries, 1)]
    head, tail, digest = _signature("S1", covered, certificate, algorithm, at, intermediates)
    return ToBeSigned(
        digest=digest,
        algorithm=algorithm,
        certificate=certificate,
        head=_DECLARATION + f'<asic:XAdESSignatures xmlns:asic="{ASIC}">'.encode() + head,
        tail=tail + b"</asic:XAdESSignatures>\n",
    )


def finish_detached(prepared: ToBeSigned, signature: bytes) -> bytes:
    """Return META-INF/signatures001.xml with the token's answer (RSA octets or r‖s)."""
    return prepared.head + b64encode(signature) + prepared.tail


def prepare_enveloped(
    xml: bytes,
    certificate: SealCertificate,
    algorithm: SignatureAlgorithm,
    at: datetime,
    *,
    intermediates: Sequence[bytes] = (),
) -> ToBeSigned:
    """Prepare a signature over the whole edXML document `xml`, to stand last in its edXMLHeader.

    `at` is aware.  Raises EdocError ALGORITHM_UNFIT, MALFORMED_XML, and SIGNATURE_UNREADABLE when `xml` has no header.
    """
    root = parse(xml, long_text=True)
    header = header_of(root)
    if header is None or signatures_of(root):
        raise EdocError(SIGNATURE_UNREADABLE, what="edXMLHeader is missing or already signed")
    document_digest = hashlib.sha256(canonical(root)).digest()
    reference = (
        f'<ds:Reference Id="document" URI=""><ds:Transforms>{_ENVELOPED_TRANSFORM}{_C14N_TRANSFORM}</ds:Transforms>'
        f"{_DIGEST_METHOD}<ds:DigestValue>{_b64(document_digest)}</ds:DigestValue></ds:Reference>"
    )
    identifier = "S-" + document_digest.hex()[:16]  # unlikely to meet another Id in the document
    covered = [_Covered(reference_id="document", reference=reference, media_type="text/xml")]
    head, tail, digest = _signature(identifier, covered, certificate, algorithm, at, intermediates)
    # The signature is spliced in as octets: as a tree, lxml may give it another prefix that the document declares.
    mark = digest.hex()  # cannot stand in the document: it depends on the document's digest
    header.append(etree.Comment(mark))
    before, _, after = serialise(root).partition(f"<!--{mark}-->".encode())
    return ToBeSigned(
        digest=digest, algorithm=algorithm, certificate=certificate, head=before + head, tail=tail + after
    )


def finish_enveloped(prepared: ToBeSigned, signature: bytes) -> bytes:
    """Return the signed edXML document with the token's answer (RSA octets or r‖s)."""
    return prepared.head + b64encode(signature) + prepared.tail


def signature_digests(signatures_xml: bytes) -> tuple[Sha256, ...]:
    """Return the SHA-256 of each SignatureValue (the decoded octets): what a receipt binds.

    Raises EdocError MALFORMED_XML, SIGNATURE_UNREADABLE.
    """
    found = signatures_of(parse(signatures_xml))
    return tuple(Sha256(hashlib.sha256(octets(only_child(one, DS, "SignatureValue"))).hexdigest()) for one in found)


def timestamp_digest(xml: bytes) -> bytes:
    """Return the SHA-256 that a time-stamp of the only signature in `xml` has to cover.

    It is taken over the canonical ds:SignatureValue (EN 319 132-1, 5.3).  Raises EdocError SIGNATURE_UNREADABLE.
    """
    return hashlib.sha256(canonical(_value_element(parse(xml, long_text=True)))).digest()


def add_timestamp(xml: bytes, token: bytes) -> bytes:
    """Return `xml` with the RFC 3161 `token` (DER) as SignatureTimeStamp: level B-T.

    Raises EdocError TIMESTAMP_MISMATCH unless the token covers this very SignatureValue.
    """
    root = parse(xml, long_text=True)
    value = _value_element(root)
    stated = read_token(token)
    if stated.digest_name != "sha256" or stated.digest != hashlib.sha256(canonical(value)).digest():
        raise EdocError(TIMESTAMP_MISMATCH, what="another signature value")
    signature = value.getparent()
    if signature is None:
        raise EdocError(SIGNATURE_UNREADABLE, what="ds:Signature")
    properties = only_child(only_child(signature, DS, "Object"), XADES, "QualifyingProperties")
    if len(properties) != 1:  # SignedProperties alone: one time-stamp, once
        raise EdocError(TIMESTAMP_MISMATCH, what="the signature has unsigned properties already")
    unsigned = etree.SubElement(properties, f"{{{XADES}}}UnsignedProperties")
    unsigned = etree.SubElement(unsigned, f"{{{XADES}}}UnsignedSignatureProperties")
    stamp = etree.SubElement(unsigned, f"{{{XADES}}}SignatureTimeStamp", Id="T1")
    etree.SubElement(stamp, f"{{{DS}}}CanonicalizationMethod", Algorithm=EXCLUSIVE_C14N)
    etree.SubElement(stamp, f"{{{XADES}}}EncapsulatedTimeStamp").text = _b64(token)
    return serialise(root)


def _value_element(root: etree._Element) -> etree._Element:
    found = signatures_of(root)
    if len(found) != 1:
        raise EdocError(SIGNATURE_UNREADABLE, what=f"{len(found)} signatures")
    return only_child(found[0], DS, "SignatureValue")


def _signature(
    identifier: str,
    covered: Sequence[_Covered],
    certificate: SealCertificate,
    algorithm: SignatureAlgorithm,
    at: datetime,
    intermediates: Sequence[bytes],
) -> tuple[bytes, bytes, bytes]:
    """Return ds:Signature before and after its value, and the digest of SignedInfo."""
    certificate.fits(algorithm)
    properties = _signed_properties(identifier, covered, certificate.certificate, at)
    properties_digest = _b64(hashlib.sha256(properties.encode()).digest())
    info = (
        f'<ds:SignedInfo xmlns:ds="{DS}">'
        f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE_C14N}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{CREATED_URIS[algorithm]}"></ds:SignatureMethod>'
        f"{''.join(one.reference for one in covered)}"
        f'<ds:Reference Type="{SIGNED_PROPERTIES}" URI="#{identifier}-properties">'
        f"<ds:Transforms>{_C14N_TRANSFORM}</ds:Transforms>{_DIGEST_METHOD}"
        f"<ds:DigestValue>{properties_digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    ).encode()
    head = f'<ds:Signature xmlns:ds="{DS}" Id="{identifier}">'.encode() + info
    head += f'<ds:SignatureValue Id="{identifier}-value">'.encode()
    chain = "".join(
        f"<ds:X509Certificate>{_b64(der)}</ds:X509Certificate>" for der in (certificate.der, *intermediates)
    )
    tail = (
        f"</ds:SignatureValue><ds:KeyInfo><ds:X509Data>{chain}</ds:X509Data></ds:KeyInfo><ds:Object>"
        f'<xades:QualifyingProperties xmlns:xades="{XADES}" Target="#{identifier}">{properties}'
        "</xades:QualifyingProperties></ds:Object></ds:Signature>"
    ).encode()
    return head, tail, hashlib.sha256(info).digest()


def _entry_reference(number: int, entry: SignedEntry) -> _Covered:
    reference = (
        f'<ds:Reference Id="r{number}" URI="{quote(entry.name, safe="/")}">{_DIGEST_METHOD}'
        f"<ds:DigestValue>{_b64(bytes.fromhex(entry.sha256))}</ds:DigestValue></ds:Reference>"
    )
    return _Covered(reference_id=f"r{number}", reference=reference, media_type=entry.media_type)


def _signed_properties(identifier: str, covered: Sequence[_Covered], certificate: Certificate, at: datetime) -> str:
    """Return xades:SignedProperties in its exclusive canonical form (EN 319 132-1, 5.2)."""
    formats = "".join(
        f'<xades:DataObjectFormat ObjectReference="#{one.reference_id}">'
        f"<xades:MimeType>{_text(one.media_type)}</xades:MimeType></xades:DataObjectFormat>"
        for one in covered
    )
    return (
        f'<xades:SignedProperties xmlns:xades="{XADES}" Id="{identifier}-properties">'
        "<xades:SignedSignatureProperties>"
        f"<xades:SigningTime>{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}</xades:SigningTime>"
        f"{_signing_certificate(certificate)}</xades:SignedSignatureProperties>"
        f"<xades:SignedDataObjectProperties>{formats}</xades:SignedDataObjectProperties></xades:SignedProperties>"
    )


@lru_cache(maxsize=64)
def _signing_certificate(certificate: Certificate) -> str:
    """Return xades:SigningCertificateV2 with IssuerSerialV2 (EN 319 132-1, 5.2.2)."""
    return (
        f"<xades:SigningCertificateV2><xades:Cert><xades:CertDigest>{_LONE_DIGEST_METHOD}"
        f'<ds:DigestValue xmlns:ds="{DS}">{_b64(bytes.fromhex(certificate.sha256))}</ds:DigestValue>'
        f"</xades:CertDigest><xades:IssuerSerialV2>{_b64(certificate.issuer_serial)}</xades:IssuerSerialV2>"
        "</xades:Cert></xades:SigningCertificateV2>"
    )


def _b64(octets_: bytes) -> str:
    return b64encode(octets_).decode("ascii")


def _text(value: str) -> str:
    """Return `value` as canonical XML text."""
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;")
