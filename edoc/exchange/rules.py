"""The rules a document must keep, both ways: pure decisions over facts.

Rules: facts come in, an EdocError or nothing comes out; each rule names its clause or its reason.
Does not verify signatures: the verdict is one of the facts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edoc.errors import EdocError
from edoc.errors.journey import (
    ATTACHMENT_DIGEST,
    ATTACHMENT_MISSING,
    ATTACHMENT_NONE,
    ATTACHMENT_UNDECLARED,
    LEVEL_FORBIDDEN,
    NOT_FOR_US,
    RECIPIENT_MISSING,
    RECIPIENT_SELF,
    RECIPIENT_UNKNOWN,
    SECRET_DOCUMENT,
    SENDER_MISMATCH,
    SENDER_NOT_ATTESTED,
    SENDER_UNKNOWN,
)
from edoc.exchange.office import Office, Policy
from edoc.model.document import DeclaredFile, Document, Submission
from edoc.model.identifiers import OrganId
from edoc.model.record import JobFile
from edoc.model.verdict import Admission, Indication, SignatureReport, SubIndication, Verdict

Level = Callable[[OrganId], str | None]
"""The level of an organisation today, None when the directory does not know it."""

_OPEN = frozenset(
    {
        SubIndication.TRY_LATER,
        SubIndication.REVOCATION_OUT_OF_BOUNDS_NO_POE,
        SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE,
    }
)
"""Sub-indications that more revocation data can still decide (EN 319 102-1, table 6)."""


def check_submission(submission: Submission, office: Office, level: Level) -> None:
    """Raise EdocError when a job asks for what this office may not send."""
    if submission.claimed_sender and submission.claimed_sender != office.code:
        raise EdocError(SENDER_MISMATCH, claimed=submission.claimed_sender, office=office.code)
    if submission.secrecy:  # Decree 30/2020: secret documents never travel on this network
        raise EdocError(SECRET_DOCUMENT, marking=submission.secrecy)
    recipients = submission.document.recipients
    if not recipients:
        raise EdocError(RECIPIENT_MISSING)
    for recipient in recipients:
        if recipient.organ_id == office.code:
            raise EdocError(RECIPIENT_SELF, recipient=recipient.organ_id)
        recipient_level = level(recipient.organ_id)
        if recipient_level is None:
            raise EdocError(RECIPIENT_UNKNOWN, recipient=recipient.organ_id)
        _check_levels(office.policy, level(office.code) or "", recipient_level, recipient.organ_id)


def _check_levels(policy: Policy, sender_level: str, recipient_level: str, recipient: OrganId) -> None:
    if policy.talk is not None and (sender_level, recipient_level) not in policy.talk:
        raise EdocError(
            LEVEL_FORBIDDEN, sender_level=sender_level, recipient_level=recipient_level, recipient=recipient
        )


def match_files(submission: Submission, files: Sequence[JobFile]) -> tuple[tuple[DeclaredFile, JobFile], ...]:
    """Return each declared file with the job's file; raise EdocError for one missing, undeclared or not the same."""
    at_hand = {file.name: file for file in files}
    if not submission.files:
        raise EdocError(ATTACHMENT_NONE)
    matched = []
    for declared in submission.files:
        file = at_hand.pop(declared.file, None)
        if file is None:
            raise EdocError(ATTACHMENT_MISSING, file=declared.file)
        if declared.sha256 is not None and declared.sha256 != file.stored.sha256:
            raise EdocError(ATTACHMENT_DIGEST, file=declared.file, found=file.stored.sha256, declared=declared.sha256)
        matched.append((declared, file))
    if at_hand:  # a file that nobody declared would be lost in silence
        raise EdocError(ATTACHMENT_UNDECLARED, file=min(at_hand))
    return tuple(matched)


def admit(document: Document, attested: OrganId, office: Office, level: Level) -> Admission:
    """Decide whether a verified document may come in: the attested sender is From, we are a recipient, levels talk."""
    try:
        _check_admission(document, attested, office, level)
    except EdocError as error:
        return Admission(attested_sender=attested, fault=error.report())
    return Admission(attested_sender=attested)


def _check_admission(document: Document, attested: OrganId, office: Office, level: Level) -> None:
    if document.sender.organ_id != attested:
        raise EdocError(SENDER_NOT_ATTESTED, claimed=document.sender.organ_id, attested=attested)
    sender_level = level(attested)
    if sender_level is None:
        raise EdocError(SENDER_UNKNOWN, sender=attested)
    if all(recipient.organ_id != office.code for recipient in document.recipients):
        raise EdocError(NOT_FOR_US, office=office.code)
    _check_levels(office.policy, sender_level, level(office.code) or "", office.code)


def seal_of(verdict: Verdict) -> SignatureReport | None:
    """Return the report on the package's own seal (inner PDFs' signatures are reported, they do not decide)."""
    seals = [signature for signature in verdict.signatures if signature.path.startswith("META-INF/")]
    worst = [seal for seal in seals if seal.indication is not Indication.TOTAL_PASSED]
    return next(iter(worst or seals), None)


def accepted(verdict: Verdict) -> bool:
    """Say whether the package's seal counts and no signature inside is broken."""
    seal = seal_of(verdict)
    broken = any(signature.indication is Indication.TOTAL_FAILED for signature in verdict.signatures)
    return seal is not None and seal.indication is Indication.TOTAL_PASSED and not broken


def may_yet_pass(indication: Indication | None, sub_indication: SubIndication | None) -> bool:
    """Say whether more revocation data may still turn a conclusion into TOTAL-PASSED."""
    return indication is Indication.INDETERMINATE and sub_indication in _OPEN


def undecided(verdict: Verdict) -> bool:
    """Say whether more revocation data may still decide the package's seal."""
    seal = seal_of(verdict)
    return (
        seal is not None
        and may_yet_pass(seal.indication, seal.sub_indication)
        and all(signature.indication is not Indication.TOTAL_FAILED for signature in verdict.signatures)
    )
