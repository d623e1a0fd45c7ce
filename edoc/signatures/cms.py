"""CMS SignedData (RFC 5652), read: exactly one signer, with signed attributes.

Rules: what is read here is not yet believed.  The signer's certificate is found by the signer identifier *and* bound
by ESS signing-certificate-v2 later; certificates are only candidates.

Does not verify: :mod:`edoc.signatures.validate_cades` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

from asn1crypto import cms, core, parser
from asn1crypto import tsp as _tsp  # noqa: F401 -- registers the ESS and time-stamp attributes with asn1crypto.cms

from edoc.errors import EdocError
from edoc.errors.verification import SIGNATURE_UNREADABLE
from edoc.model.signers import SignerKind, SignerRules
from edoc.signatures.algorithms import Algorithm, Scheme
from edoc.signatures.certificates import Certificate, read_certificate

# asn1crypto ships no types; its values are walked here and leave this module as our own.
_Asn1: TypeAlias = Any

MAX_CERTIFICATES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateBinding:
    """One ESSCertID: the digest that the signer states of its certificate, and issuer and serial when given."""

    digest_name: str
    digest: bytes
    issuer_serial: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CmsSignature:
    """One SignedData with its only signer."""

    content_type: str  # asn1crypto's name: data, tst_info, …
    content: bytes | None = field(repr=False)
    certificates: tuple[Certificate, ...] = field(repr=False)
    signer: Certificate | None
    digest_name: str
    algorithm: Algorithm | None  # None: one that is not known here, named by `algorithm_name`
    algorithm_name: str
    signed_attributes: bytes = field(repr=False)  # DER of the SET, empty when there are none
    attribute_content_type: str
    message_digest: bytes
    signing_time: datetime | None
    bindings: tuple[CertificateBinding, ...]
    value: bytes = field(repr=False)
    timestamps: tuple[bytes, ...] = field(repr=False)


def trimmed(contents: bytes) -> bytes:
    """Return the element at the start of `contents` without the zeros that pad it; EdocError SIGNATURE_UNREADABLE."""
    try:
        size = parser.peek(contents)
    except ValueError as error:
        raise EdocError(SIGNATURE_UNREADABLE, what="CMS", cause=str(error)) from error
    if contents[size:].strip(b"\0"):
        raise EdocError(SIGNATURE_UNREADABLE, what="octets after the signature")
    return contents[:size]


def read_cms(der: bytes) -> CmsSignature:
    """Return the SignedData in `der`; EdocError SIGNATURE_UNREADABLE, also for more than one signer."""
    try:
        info = cms.ContentInfo.load(der, strict=True)
        if info["content_type"].native != "signed_data":
            raise EdocError(SIGNATURE_UNREADABLE, what="not SignedData")
        return _read(info["content"])
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise EdocError(SIGNATURE_UNREADABLE, what="CMS", cause=f"{type(error).__name__}: {error}") from error


def signer_kind(contents: bytes, rules: SignerRules) -> SignerKind:
    """Return whose the signature in a PDF's `contents` would be if it held; UNKNOWN for what cannot be read."""
    try:
        signer = read_cms(trimmed(contents)).signer
    except EdocError:
        return SignerKind.UNKNOWN
    return SignerKind.UNKNOWN if signer is None else rules.kind(signer.sha256, signer.policies)


def _read(signed: _Asn1) -> CmsSignature:
    signers = signed["signer_infos"]
    if len(signers) != 1:
        raise EdocError(SIGNATURE_UNREADABLE, what=f"{len(signers)} signers")
    signer = signers[0]
    wanted = "v1" if signer["sid"].name == "issuer_and_serial_number" else "v3"  # RFC 5652, 5.3
    if signer["version"].native != wanted:
        raise EdocError(SIGNATURE_UNREADABLE, what=f"signer of version {signer['version'].native}")
    certificates = tuple(_certificates(signed["certificates"]))
    encapsulated = signed["encap_content_info"]
    content = encapsulated["content"]
    attributes = _attributes(signer["signed_attrs"])
    digest_name = str(signer["digest_algorithm"]["algorithm"].native)
    return CmsSignature(
        content_type=str(encapsulated["content_type"].native),
        content=None if isinstance(content, core.Void) else bytes(content),
        certificates=certificates,
        signer=_signer(signer["sid"], certificates),
        digest_name=digest_name,
        algorithm=_algorithm(signer["signature_algorithm"], digest_name),
        algorithm_name=str(signer["signature_algorithm"]["algorithm"].native),
        # The signature is over the SET OF, not over the [0] that carries it (RFC 5652, 5.4).
        signed_attributes=b"\x31" + signer["signed_attrs"].dump()[1:] if attributes else b"",
        attribute_content_type=str(_single(attributes, "content_type") or ""),
        message_digest=bytes(_single(attributes, "message_digest") or b""),
        signing_time=_single(attributes, "signing_time"),
        bindings=tuple(_bindings(attributes)),
        value=signer["signature"].native,
        timestamps=tuple(_timestamps(signer["unsigned_attrs"])),
    )


def _certificates(choices: _Asn1) -> Iterator[Certificate]:
    for choice in list(choices)[:MAX_CERTIFICATES]:
        if choice.name != "certificate":
            continue
        try:
            yield read_certificate(choice.chosen.dump())
        except EdocError:  # a candidate that cannot be read is none; if it is the signer's, the signer is missing
            continue


def _signer(sid: _Asn1, certificates: tuple[Certificate, ...]) -> Certificate | None:
    """Return the certificate that the signer identifier names (RFC 5652, 5.3)."""
    chosen = sid.chosen
    for certificate in certificates:
        if sid.name == "issuer_and_serial_number":
            named = (chosen["issuer"].dump(), chosen["serial_number"].native)
            if named == (certificate.issuer, certificate.serial):
                return certificate
        elif certificate.subject_key_id == chosen.native:
            return certificate
    return None


def _attributes(attributes: _Asn1) -> dict[str, _Asn1]:
    """Return the value of each signed attribute; twice the same, or several values, is refused (RFC 5652, 11)."""
    found: dict[str, _Asn1] = {}
    for attribute in attributes:
        name = str(attribute["type"].native)
        if name in found:
            raise EdocError(SIGNATURE_UNREADABLE, what=f"attribute {name} stands twice")
        found[name] = attribute["values"]
    return found


def _single(attributes: dict[str, _Asn1], name: str) -> _Asn1:
    values = attributes.get(name)
    if values is None:
        return None
    if len(values) != 1:
        raise EdocError(SIGNATURE_UNREADABLE, what=f"attribute {name} has {len(values)} values")
    return values[0].native


def _bindings(attributes: dict[str, _Asn1]) -> Iterator[CertificateBinding]:
    """Yield ESS signing-certificate-v2 (RFC 5035), and the SHA-1 one of RFC 2634 so that it can be named."""
    for name, fixed in (("signing_certificate_v2", ""), ("signing_certificate", "sha1")):
        values = attributes.get(name)
        if values is None or len(values) != 1:
            continue
        for certificate in values[0]["certs"]:
            serial = certificate["issuer_serial"]
            yield CertificateBinding(
                digest_name=fixed or str(certificate["hash_algorithm"]["algorithm"].native),
                digest=certificate["cert_hash"].native,
                issuer_serial=None if isinstance(serial, core.Void) else serial.dump(),
            )


def _timestamps(attributes: _Asn1) -> Iterator[bytes]:
    for attribute in attributes:
        if attribute["type"].native == "signature_time_stamp_token":
            yield from (token.dump() for token in attribute["values"])


_FAMILIES: Final = {
    "rsassa_pkcs1v15": Scheme.RSA_PKCS1,
    "rsassa_pss": Scheme.RSA_PSS,
    "ecdsa": Scheme.ECDSA,
    "ed25519": Scheme.ED25519,
}


def _algorithm(identifier: _Asn1, digest_name: str) -> Algorithm | None:
    """Return the signature algorithm, None when it is not known or contradicts the digest algorithm."""
    scheme = _FAMILIES.get(identifier.signature_algo)
    if scheme is None or (scheme is Scheme.ED25519 and digest_name != "sha512"):
        return None
    if scheme is Scheme.ED25519:
        return Algorithm(scheme=scheme, digest="sha512")
    # "rsaEncryption" and "ecPublicKey" name no digest: the signer's digest algorithm is meant (RFC 5754, 3.2)
    named = digest_name if identifier["algorithm"].native in {"rsassa_pkcs1v15", "ecdsa"} else identifier.hash_algo
    if named != digest_name:
        return None
    if scheme is not Scheme.RSA_PSS:
        return Algorithm(scheme=scheme, digest=digest_name)
    parameters = identifier["parameters"]
    mask = parameters["mask_gen_algorithm"]
    if mask["algorithm"].native != "mgf1" or mask["parameters"]["algorithm"].native != digest_name:
        return None
    return Algorithm(scheme=scheme, digest=digest_name, salt=int(parameters["salt_length"].native))
