"""XAdES signatures: the facts of one ds:Signature of the accepted structure.

Rules: a reference is (a) the raw octets of a container's entry, without transforms; or (b) the whole document,
``URI=""`` with enveloped-signature and exclusive canonicalisation, the signature standing last in edXMLHeader; and
exactly one is (c) SignedProperties inside this very signature.  Anything else fails with its name.  No XPath, no
XSLT, no search by Id, nothing is fetched.

Does not judge trust.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias
from urllib.parse import unquote

from lxml import etree

from edoc.envelopes.xml import DS, XADES, canonical
from edoc.errors import EdocError
from edoc.errors.verification import SIGNATURE_UNREADABLE
from edoc.model.identifiers import Sha256
from edoc.model.verdict import SubIndication
from edoc.signatures.algorithms import (
    DIGEST_URIS,
    ENVELOPED,
    EXCLUSIVE_C14N,
    WEAK_NAMES,
    XML_URIS,
    Scheme,
    ecdsa_der,
    verify_message,
)
from edoc.signatures.certificates import Certificate, read_certificate
from edoc.signatures.facts import CRYPTO_CLAUSE, FORMAT_CLAUSE, SIGNER_CLAUSE, SignatureFacts, unreadable
from edoc.signatures.findings import Findings
from edoc.signatures.xades import SIGNED_PROPERTIES
from edoc.signatures.xml_structure import attribute, octets, only_child, text

EntryDigest: TypeAlias = Callable[[str, str], bytes | None]
"""Return the digest of the entry of that name by hashlib's name of the algorithm, None when there is no such entry."""

MAX_REFERENCES: Final = 1000
MAX_CERTIFICATES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """The elements of one signature, each reached by walking."""

    signature: etree._Element
    info: etree._Element
    method: str  # URI of the signature algorithm
    value: bytes
    value_element: etree._Element
    properties: etree._Element
    qualifying: etree._Element
    certificates: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reference:
    """One ds:Reference as it stands."""

    uri: str | None
    type: str
    identifier: str
    transforms: tuple[str, ...]
    digest_name: str
    digest: bytes


def detached_facts(signature: etree._Element, digest_of: EntryDigest, present: frozenset[str]) -> SignatureFacts:
    """Return the facts of a signature over a container's entries; `present` are the names that must be signed."""
    findings = Findings()
    try:
        parts = _parts(signature)
        references = _references(parts)
        _check_entries(references, digest_of, present, findings)
        return _facts(parts, references, findings, f"{len(present)} entries of the container")
    except EdocError as error:
        return unreadable("XAdES", str(error))


def enveloped_facts(signature: etree._Element) -> SignatureFacts:
    """Return the facts of a signature over the document that it stands in."""
    try:
        return _enveloped(signature)
    except EdocError as error:
        return unreadable("XAdES", str(error))


def _enveloped(signature: etree._Element) -> SignatureFacts:
    parts = _parts(signature)
    references = _references(parts)
    findings = Findings()
    documents = [one for one in references if one.type != SIGNED_PROPERTIES]
    _check_place(signature, findings)
    if len(documents) == 1 and documents[0].uri == "" and documents[0].transforms == (ENVELOPED, EXCLUSIVE_C14N):
        digest = hashlib.new(documents[0].digest_name, _without(signature)).digest()
        _compare(digest, documents[0], "the document", findings)
    else:
        detail = "the only reference must be to the whole document, enveloped and exclusively canonical"
        findings.failed("references", FORMAT_CLAUSE, SubIndication.FORMAT_FAILURE, detail)
    return _facts(parts, references, findings, "the whole document")


def _facts(parts: _Parts, references: tuple[_Reference, ...], findings: Findings, scope: str) -> SignatureFacts:
    """Check what both kinds have in common (EN 319 102-1, 5.2.3 and 5.2.7; EN 319 132-1, 6.3)."""
    _check_properties(parts, references, findings)
    certificate = _signing_certificate(parts, findings)
    algorithm = XML_URIS.get(parts.method)
    if algorithm is None:
        sub = SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE
        findings.refused(
            "algorithm", "EN 319 102-1, 5.2.8", sub, f"{WEAK_NAMES.get(parts.method, parts.method)} is not allowed"
        )
    elif certificate is not None:
        value = ecdsa_der(certificate.key, parts.value) if algorithm.scheme is Scheme.ECDSA else parts.value
        if verify_message(certificate.key, algorithm, _canonical(parts.info), value):
            findings.passed("signature-value", CRYPTO_CLAUSE, str(algorithm))
        else:
            detail = "the signature value does not hold"
            findings.failed("signature-value", CRYPTO_CLAUSE, SubIndication.SIG_CRYPTO_FAILURE, detail)
    return SignatureFacts(
        format="XAdES",
        scope=scope,
        findings=findings,
        certificate=certificate,
        extra=parts.certificates,
        algorithm=algorithm,
        signing_time=_signing_time(parts, findings),
        signature_sha256=Sha256(hashlib.sha256(parts.value).hexdigest()),
        crypto_intact=findings.good,
        baseline=findings.good,
        stamped=_canonical(parts.value_element),
        timestamps=_timestamps(parts, findings),
    )


# --- Structure -------------------------------------------------------------------------------------------------------


def _parts(signature: etree._Element) -> _Parts:
    """Return the parts of `signature`; EdocError SIGNATURE_UNREADABLE unless each stands exactly where it belongs."""
    value = only_child(signature, DS, "SignatureValue")
    qualifying = only_child(only_child(signature, DS, "Object"), XADES, "QualifyingProperties")
    data = only_child(only_child(signature, DS, "KeyInfo"), DS, "X509Data")
    info = only_child(signature, DS, "SignedInfo")
    return _Parts(
        signature=signature,
        info=info,
        method=attribute(only_child(info, DS, "SignatureMethod"), "Algorithm"),
        value=octets(value),
        value_element=value,
        properties=only_child(qualifying, XADES, "SignedProperties"),
        qualifying=qualifying,
        certificates=tuple(_certificates(data)),
    )


def _certificates(data: etree._Element) -> list[Certificate]:
    found = []
    for element in list(data.iterchildren(f"{{{DS}}}X509Certificate"))[:MAX_CERTIFICATES]:
        try:
            found.append(read_certificate(octets(element)))
        except EdocError:  # a candidate that cannot be read is none; if it is the signer's, the signer is missing
            continue
    return found


def _references(parts: _Parts) -> tuple[_Reference, ...]:
    method = attribute(only_child(parts.info, DS, "CanonicalizationMethod"), "Algorithm")
    elements = list(parts.info.iterchildren(f"{{{DS}}}Reference"))
    if method != EXCLUSIVE_C14N:
        raise EdocError(SIGNATURE_UNREADABLE, what=f"canonicalisation {method}")
    if len(elements) > MAX_REFERENCES:
        raise EdocError(SIGNATURE_UNREADABLE, what=f"more than {MAX_REFERENCES} references")
    return tuple(_reference(element) for element in elements)


def _reference(element: etree._Element) -> _Reference:
    method = attribute(only_child(element, DS, "DigestMethod"), "Algorithm")
    if method not in DIGEST_URIS:
        raise EdocError(SIGNATURE_UNREADABLE, what=f"digest {WEAK_NAMES.get(method, method)}")
    return _Reference(
        uri=element.get("URI"),
        type=attribute(element, "Type"),
        identifier=attribute(element, "Id"),
        transforms=_transforms(element),
        digest_name=DIGEST_URIS[method],
        digest=octets(only_child(element, DS, "DigestValue")),
    )


def _transforms(reference: etree._Element) -> tuple[str, ...]:
    found = list(reference.iterchildren(f"{{{DS}}}Transforms"))
    if not found:
        return ()
    names = []
    for transform in only_child(reference, DS, "Transforms"):
        # A transform with content (XPath, XSLT, InclusiveNamespaces) is another transform than its name alone.
        if transform.tag != f"{{{DS}}}Transform" or len(transform):
            raise EdocError(SIGNATURE_UNREADABLE, what="a transform with parameters")
        names.append(attribute(transform, "Algorithm"))
    return tuple(names)


def _check_place(signature: etree._Element, findings: Findings) -> None:
    """Check that the signature is the only and last child of the header, so that it covers all of this document."""
    header = signature.getparent()
    if header is None or len(list(header.iterchildren(f"{{{DS}}}Signature"))) != 1 or header[-1] is not signature:
        detail = "the signature is not the only one, last in edXMLHeader"
        findings.failed("format", FORMAT_CLAUSE, SubIndication.FORMAT_FAILURE, detail)
        return
    root = signature.getroottree().getroot()
    if root.getprevious() is not None or root.getnext() is not None:
        detail = "something stands beside the root element"
        findings.failed("format", FORMAT_CLAUSE, SubIndication.FORMAT_FAILURE, detail)
        return
    findings.passed("format", FORMAT_CLAUSE, "XAdES, enveloped")


def _without(signature: etree._Element) -> bytes:
    """Return the canonical document without `signature` (XMLDSig 1.1, 6.6.4); the text around it stays."""
    root = copy.deepcopy(signature.getroottree().getroot())
    path = []
    element = signature
    while (parent := element.getparent()) is not None:
        path.append(parent.index(element))
        element = parent
    target = root
    for index in reversed(path):
        target = target[index]
    parent = target.getparent()
    if parent is not None:
        if target.tail:
            before = target.getprevious()
            if before is None:
                parent.text = (parent.text or "") + target.tail
            else:
                before.tail = (before.tail or "") + target.tail
        parent.remove(target)
    return _canonical(root)


def _canonical(element: etree._Element) -> bytes:
    """Return the canonical form; EdocError SIGNATURE_UNREADABLE for what has none (relative namespace names)."""
    try:
        return canonical(element)
    except etree.LxmlError as error:
        raise EdocError(SIGNATURE_UNREADABLE, what="no canonical form", cause=str(error)) from error


# --- References ------------------------------------------------------------------------------------------------------


def _check_entries(
    references: tuple[_Reference, ...], digest_of: EntryDigest, present: frozenset[str], findings: Findings
) -> None:
    """Check that the signed set is the set of entries, exactly (EN 319 162-1, 4.4)."""
    signed: set[str] = set()
    for reference in references:
        if reference.type == SIGNED_PROPERTIES:
            continue
        name = unquote(reference.uri or "")
        if not name or reference.transforms or name in signed:
            detail = f"reference {reference.identifier}: unnamed, twice, or with transforms"
            findings.failed("references", FORMAT_CLAUSE, SubIndication.FORMAT_FAILURE, detail)
            continue
        signed.add(name)
        digest = digest_of(name, reference.digest_name)
        if digest is None:
            sub = SubIndication.SIGNED_DATA_NOT_FOUND
            findings.unknown("reference", CRYPTO_CLAUSE, sub, f"{name} is signed but missing")
        else:
            _compare(digest, reference, name, findings)
    for name in sorted(present - signed):
        detail = f"{name} is in the container but not signed"
        findings.failed("entries", FORMAT_CLAUSE, SubIndication.FORMAT_FAILURE, detail)
    if signed == present:
        findings.passed("entries", FORMAT_CLAUSE, f"{len(signed)} entries, all signed")


def _compare(digest: bytes, reference: _Reference, name: str, findings: Findings) -> None:
    if digest == reference.digest:
        findings.passed("reference", CRYPTO_CLAUSE, f"{reference.digest_name} of {name}")
    else:
        findings.failed("reference", CRYPTO_CLAUSE, SubIndication.HASH_FAILURE, f"{name} was changed")


def _check_properties(parts: _Parts, references: tuple[_Reference, ...], findings: Findings) -> None:
    """Check the reference to SignedProperties: by Id, to the element inside this very signature."""
    found = [one for one in references if one.type == SIGNED_PROPERTIES]
    identifier, own = attribute(parts.properties, "Id"), attribute(parts.signature, "Id")
    fits = (
        len(found) == 1
        and bool(identifier and own)
        and found[0].uri == f"#{identifier}"
        and found[0].transforms == (EXCLUSIVE_C14N,)
        and attribute(parts.qualifying, "Target") == f"#{own}"
    )
    if not fits:
        detail = "SignedProperties are not referenced once, exclusively canonical, inside this signature"
        findings.failed("signed-properties", FORMAT_CLAUSE, SubIndication.FORMAT_FAILURE, detail)
        return
    digest = hashlib.new(found[0].digest_name, _canonical(parts.properties)).digest()
    _compare(digest, found[0], "SignedProperties", findings)


# --- Properties ------------------------------------------------------------------------------------------------------


def _signing_certificate(parts: _Parts, findings: Findings) -> Certificate | None:
    """Return the certificate that SigningCertificateV2 binds (EN 319 102-1, 5.2.3.4; EN 319 132-1, 5.2.2)."""
    sub = SubIndication.NO_SIGNING_CERTIFICATE_FOUND
    try:
        method, digest, serials = _binding(parts.properties)
    except EdocError as error:
        findings.unknown("signing-certificate", SIGNER_CLAUSE, sub, str(error))
        return None
    for certificate in parts.certificates:
        if not method or hashlib.new(method, certificate.der).digest() != digest:
            continue
        if any(serial != certificate.issuer_serial for serial in serials):
            findings.unknown("signing-certificate", SIGNER_CLAUSE, sub, "issuer and serial are another's")
        else:
            findings.passed("signing-certificate", SIGNER_CLAUSE, certificate.subject_text)
        return certificate
    detail = "the certificate that SigningCertificateV2 names is not in KeyInfo"
    findings.unknown("signing-certificate", SIGNER_CLAUSE, sub, detail)
    return None


def _binding(properties: etree._Element) -> tuple[str, bytes, list[bytes]]:
    """Return digest algorithm (empty if not allowed), digest, and the DER of each IssuerSerialV2 of the only Cert."""
    general = only_child(properties, XADES, "SignedSignatureProperties")
    bound = only_child(only_child(general, XADES, "SigningCertificateV2"), XADES, "Cert")
    stated = only_child(bound, XADES, "CertDigest")
    method = DIGEST_URIS.get(attribute(only_child(stated, DS, "DigestMethod"), "Algorithm"), "")
    serials = [octets(element) for element in bound.iterchildren(f"{{{XADES}}}IssuerSerialV2")]
    return method, octets(only_child(stated, DS, "DigestValue")), serials


def _signing_time(parts: _Parts, findings: Findings) -> datetime | None:
    stated = list(parts.properties.iter(f"{{{XADES}}}SigningTime"))
    try:
        moment = datetime.fromisoformat(text(stated[0])) if len(stated) == 1 else None
    except (ValueError, EdocError):
        moment = None
    if moment is None or moment.tzinfo is None:
        findings.noted("signing-time", FORMAT_CLAUSE, "SigningTime is missing, unreadable or without a zone")
        return None
    return moment


def _timestamps(parts: _Parts, findings: Findings) -> tuple[bytes, ...]:
    """Return the tokens of SignatureTimeStamp properties (EN 319 132-1, 5.3)."""
    tokens = []
    for element in parts.qualifying.iterdescendants(f"{{{XADES}}}SignatureTimeStamp"):
        try:
            tokens.append(octets(only_child(element, XADES, "EncapsulatedTimeStamp")))
        except EdocError as error:
            findings.noted("timestamp", FORMAT_CLAUSE, str(error))
    return tuple(tokens)
