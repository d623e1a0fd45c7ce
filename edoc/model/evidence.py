"""Evidence: what happened to a document, in the words of ETSI EN 319 522.

Rules: events are recorded, never changed; a negative event has a reason.
Does not sign: a receipt's signature is its status message's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from edoc.model.identifiers import DocumentId, OrganId, Sha256


class EvidenceEvent(StrEnum):
    """Events of EN 319 522-1, clause 6."""

    SUBMISSION_ACCEPTANCE = "SubmissionAcceptance"
    SUBMISSION_REJECTION = "SubmissionRejection"
    RELAY_ACCEPTANCE = "RelayAcceptance"
    RELAY_REJECTION = "RelayRejection"
    RELAY_FAILURE = "RelayFailure"
    CONTENT_CONSIGNMENT = "ContentConsignment"
    CONTENT_CONSIGNMENT_FAILURE = "ContentConsignmentFailure"
    CONTENT_HANDOVER = "ContentHandover"
    CONTENT_HANDOVER_FAILURE = "ContentHandoverFailure"
    CONSIGNMENT_ACCEPTANCE = "ConsignmentAcceptance"
    CONSIGNMENT_REJECTION = "ConsignmentRejection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One event of one document."""

    document_id: DocumentId
    event: EvidenceEvent
    at: datetime  # aware
    sender: OrganId
    recipient: OrganId | None
    content_sha256: Sha256
    reason: str = ""  # stable error code
