"""What a verdict rests on besides the bytes: anchors, pins, revocation data, algorithms.

Rules: material is handed in whole, with the instant of validation; validation fetches nothing and reads no clock.
Does not say where material comes from.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from edoc.model.identifiers import OrganId, Sha256


class SignatureAlgorithm(StrEnum):
    """Signature algorithms a token is asked for."""

    RSA_PKCS1_SHA256 = "rsa-pkcs1-sha256"
    RSA_PSS_SHA256 = "rsa-pss-sha256"
    ECDSA_SHA256 = "ecdsa-sha256"


class PinPurpose(StrEnum):
    """What a pinned certificate may do for its organisation."""

    SEAL = "seal"
    PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A certificate that the directory binds to an organisation, for a time."""

    organ_id: OrganId
    certificate_sha256: Sha256  # of the certificate's DER
    purpose: PinPurpose
    not_before: datetime  # aware
    not_after: datetime | None = None  # aware; None: until revoked from the directory


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustMaterial:
    """What a verdict needs besides the bytes; certificates and CRLs are DER.

    `pins` None means that no directory was given: pins are then not checked, and the report says so.
    """

    anchors: tuple[bytes, ...]
    intermediates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    pins: tuple[Pin, ...] | None = None
    at: datetime  # the instant of validation, aware
