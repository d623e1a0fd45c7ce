"""Whose signature it is: a person's or an agency's.

Rules: the directory's pin decides; where it has none, the certificate's policy does; a name never does.  What neither
tells is UNKNOWN.
Does not verify.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from edoc.model.identifiers import Sha256
from edoc.model.trust import Pin, PinPurpose


class SignerKind(StrEnum):
    """Who may have signed."""

    PERSON = "person"
    AGENCY = "agency"
    UNKNOWN = "unknown"


class PersonSignature(StrEnum):
    """Whether a document needs the signature of a person before the agency seals it."""

    IF_PRESENT = "if-present"  # one that is there must be valid
    REQUIRED = "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerRules:
    """What tells persons from agencies: certificates that the directory pins, and certificate policies (OIDs)."""

    persons: frozenset[Sha256] = frozenset()
    agencies: frozenset[Sha256] = frozenset()
    person_policies: frozenset[str] = frozenset()
    agency_policies: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, pins: Iterable[Pin], *, person_policies: Iterable[str] = (), agency_policies: Iterable[str] = ()
    ) -> SignerRules:
        """Return the rules of `pins` and configured policies; when a pin holds is for validation to say."""
        known = tuple(pins)
        return cls(
            persons=frozenset(pin.certificate_sha256 for pin in known if pin.purpose is PinPurpose.PERSON),
            agencies=frozenset(pin.certificate_sha256 for pin in known if pin.purpose is PinPurpose.SEAL),
            person_policies=frozenset(person_policies),
            agency_policies=frozenset(agency_policies),
        )

    @property
    def knows_persons(self) -> bool:
        """Say whether anything tells a person."""
        return bool(self.persons or self.person_policies)

    def kind(self, certificate: Sha256 | None, policies: Iterable[str]) -> SignerKind:
        """Return whose a signature with this certificate is; a certificate with policies of both is nobody's."""
        if certificate in self.agencies:
            return SignerKind.AGENCY
        if certificate in self.persons:
            return SignerKind.PERSON
        stated = frozenset(policies)
        person, agency = bool(stated & self.person_policies), bool(stated & self.agency_policies)
        if person is agency:
            return SignerKind.UNKNOWN
        return SignerKind.PERSON if person else SignerKind.AGENCY


NO_RULES: Final = SignerRules()
"""Nothing is known of anybody."""
