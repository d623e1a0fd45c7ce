"""The person's signature that comes before the agency's seal (Decree 30/2020, Annex I; Circular 15/2025, Annex I).

Rules: the agency's key is used only after a valid signature of the authorised person.  Persons and agencies are told
apart by the directory's pin and the certificate's policy, never by a name.  What is neither counts as a person's where
nothing is known that would tell persons; it must be valid wherever it is, because the agency would seal it.
Missing revocation data is for the office's policy to decide, as at reception.

Does not verify: the verdict is one of the facts.
"""

from __future__ import annotations

from edoc.errors import EdocError
from edoc.errors.sealing import PERSON_SIGNATURE_INVALID, PERSON_SIGNATURE_MISSING, PERSON_SIGNATURE_UNDECIDED
from edoc.exchange.office import Policy, Undecided
from edoc.exchange.rules import may_yet_pass
from edoc.model.document import AttachmentRole, DeclaredFile
from edoc.model.signers import PersonSignature, SignerKind, SignerRules
from edoc.model.verdict import Indication, SignatureReport, Verdict


def wanted(declared: DeclaredFile, policy: Policy) -> PersonSignature | None:
    """Return what a file needs: as its description says, else by policy; nothing for a separate one.

    A separate attachment may have been signed by anybody, and is theirs.
    """
    if declared.person_signature is not None:
        return declared.person_signature
    return policy.person_signature if declared.role is AttachmentRole.MAIN else None


def check_persons(
    verdict: Verdict, rules: SignerRules, need: PersonSignature, undecided: Undecided, file: str
) -> tuple[str, ...]:
    """Return notes on the signatures in `verdict`; EdocError PERSON_SIGNATURE_MISSING, _INVALID or _UNDECIDED."""
    told = [(rules.kind(one.certificate_sha256, one.policies), one) for one in verdict.signatures]
    counted = {SignerKind.PERSON} if rules.knows_persons else {SignerKind.PERSON, SignerKind.UNKNOWN}
    if need is PersonSignature.REQUIRED and not any(kind in counted for kind, _ in told):
        raise EdocError(PERSON_SIGNATURE_MISSING, file=file)
    return tuple(
        note for kind, report in told if kind is not SignerKind.AGENCY for note in _check(report, undecided, file)
    )


def _check(report: SignatureReport, undecided: Undecided, file: str) -> tuple[str, ...]:
    if report.indication is Indication.TOTAL_PASSED:
        return ()
    detail = " ".join(filter(None, (report.indication, report.sub_indication)))
    signer = report.signer or "?"
    if not may_yet_pass(report.indication, report.sub_indication):
        raise EdocError(PERSON_SIGNATURE_INVALID, file=file, signer=signer, detail=detail)
    if undecided is Undecided.HOLD:
        raise EdocError(PERSON_SIGNATURE_UNDECIDED, file=file, signer=signer, detail=detail)
    return (f"sealed although revocation of {signer} is not known ({detail})",)
