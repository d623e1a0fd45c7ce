"""Trust material for one verdict, put together from the directory, the revocation data and the configuration.

Rules: a verdict gets the pins of one organisation only, the one its message names as sender: nobody else's seal can
count for it.
Does not judge.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from edoc.directory.organisation import Organisation
from edoc.errors import EdocError
from edoc.errors.journey import RECIPIENT_UNKNOWN, SENDER_UNKNOWN
from edoc.exchange.office import Office
from edoc.model.document import Party
from edoc.model.identifiers import OrganId
from edoc.model.trust import Pin, TrustMaterial
from edoc.ports import Directory, Revocation, today


class Trust:
    """Builds trust material and answers who is who, as of an instant."""

    def __init__(self, office: Office, directory: Directory, revocation: Revocation) -> None:
        self._office = office
        self._directory = directory
        self._revocation = revocation

    async def material(self, sender: OrganId, at: datetime) -> TrustMaterial:
        """Return what is needed to judge a seal of `sender` at the instant `at`."""
        return TrustMaterial(
            anchors=self._office.anchors,
            intermediates=self._office.intermediates,
            crls=tuple(await self._revocation.crls()),
            pins=self._directory.snapshot().pins(sender),
            at=at,
        )

    def pins(self, code: OrganId) -> tuple[Pin, ...]:
        """Return every certificate that the directory ever bound to the organisation with `code`."""
        return self._directory.snapshot().pins(code)

    def organisation(self, code: OrganId, at: datetime) -> Organisation | None:
        """Return the organisation with `code` on the calendar day of `at`."""
        return self._directory.snapshot().organisation(code, today(at))

    def party(self, code: OrganId, at: datetime) -> Party:
        """Return the header block of the organisation with `code`; EdocError SENDER_UNKNOWN when there is none."""
        organisation = self.organisation(code, at)
        if organisation is None:
            raise EdocError(SENDER_UNKNOWN, sender=code)
        return Party(organ_id=organisation.code, name=organisation.name(today(at)))

    def addressee(self, recipient: Party, at: datetime) -> Party:
        """Return `recipient` under the code that its organisation has now, with its name where none was given.

        The job may name it by an alias, such as the code of the older grammar; queues have one name only.
        """
        organisation = self.organisation(recipient.organ_id, at)
        if organisation is None:
            raise EdocError(RECIPIENT_UNKNOWN, recipient=recipient.organ_id)
        return replace(recipient, organ_id=organisation.code, name=recipient.name or organisation.name(today(at)))

    def level(self, code: OrganId, at: datetime) -> str | None:
        """Return the level of the organisation with `code`, or None when the directory does not know it."""
        organisation = self.organisation(code, at)
        return None if organisation is None else organisation.level(today(at))
