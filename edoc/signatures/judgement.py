"""From facts to a report: X.509 validation, then constraints, then the indication.

Rules: facts are never changed here.  The order is that of EN 319 102-1, 5.3.4 (basic signatures) and 5.5 (signatures
with time): a time-stamp that itself validates moves the instant of X.509 validation back to its time.  The pin is
looked up as of the signing time, because a seal that was replaced while its document was under way stays good.

Does not parse anything but time-stamp tokens.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from edoc.errors import EdocError
from edoc.model.identifiers import OrganId
from edoc.model.trust import Pin, PinPurpose, TrustMaterial
from edoc.model.verdict import CheckResult, Indication, SignatureReport, SubIndication, Verdict
from edoc.signatures.algorithms import refusal
from edoc.signatures.chain import validate_chain
from edoc.signatures.facts import SignatureFacts
from edoc.signatures.findings import Findings
from edoc.signatures.timestamp import TimestampToken, read_token
from edoc.signatures.validate_cades import cms_facts

_CONSTRAINTS: Final = "EN 319 102-1, 5.2.8"
_TIME_STAMPING: Final = "1.3.6.1.5.5.7.3.8"
_SKEW: Final = timedelta(minutes=10)
_VIETNAM: Final = timedelta(hours=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Whose seal is expected: that of `organisation`; any pinned one when it is None; nobody's unless `required`."""

    organisation: OrganId | None = None
    required: bool = True


NOBODY: Final = Expectation(required=False)
"""For signatures inside attachments: anyone may have signed them."""

ANY_SEAL: Final = Expectation()


def judge(facts: SignatureFacts, path: str, expected: Expectation, material: TrustMaterial) -> SignatureReport:
    """Return the report on one signature (EN 319 102-1, 5.3.4 and 5.5.4)."""
    findings = Findings()
    findings.add(facts.findings)
    organisation, level = None, ""
    if facts.certificate is not None:
        instant, level = _best_time(facts, material, findings)
        findings.add(validate_chain(facts.certificate, facts.extra, material, instant))
        _check_algorithm(facts, instant, findings)
        as_of = _check_signing_time(facts, instant, findings)
        _check_usage(facts, findings)
        organisation = _check_pin(facts, expected, material, as_of, findings)
    indication, sub = findings.conclusion()
    return SignatureReport(
        path=path,
        scope=facts.scope,
        format=facts.format,
        level=level,
        indication=indication,
        sub_indication=sub,
        crypto_intact=facts.crypto_intact,
        signer="" if facts.certificate is None else facts.certificate.common_name,
        organisation=organisation,
        signing_time=facts.signing_time,
        checks=tuple(findings.checks),
        certificate_sha256=None if facts.certificate is None else facts.certificate.sha256,
        signature_sha256=facts.signature_sha256,
        policies=() if facts.certificate is None else facts.certificate.policies,
    )


def combine(reports: tuple[SignatureReport, ...]) -> Verdict:
    """Return the verdict that `reports` add up to: the worst of them, None when there are none."""
    for indication in (Indication.TOTAL_FAILED, Indication.INDETERMINATE, Indication.TOTAL_PASSED):
        for report in reports:
            if report.indication is indication:
                return Verdict(indication=indication, sub_indication=report.sub_indication, signatures=reports)
    return Verdict(indication=None, sub_indication=None, signatures=())


def _best_time(facts: SignatureFacts, material: TrustMaterial, findings: Findings) -> tuple[datetime, str]:
    """Return the earliest proven time of the signature, `material.at` without one; and the level, empty below B-B."""
    level = "B-B" if facts.baseline else ""
    proven = [material.at]
    for der in facts.timestamps:
        level = "B-T"
        try:
            token = read_token(der)
        except EdocError as error:
            findings.noted("timestamp", "EN 319 102-1, 5.4", str(error))
            continue
        at = _validate_timestamp(token, facts.stamped, material, findings)
        if at is not None:
            proven.append(at)
    return min(proven), level


def _validate_timestamp(
    token: TimestampToken, stamped: bytes, material: TrustMaterial, findings: Findings
) -> datetime | None:
    """Return the token's time when it validates (EN 319 102-1, 5.4); a bad token proves nothing and harms nothing."""
    clause = "EN 319 102-1, 5.4"
    known = token.digest_name in {"sha256", "sha384", "sha512"}
    if not known or hashlib.new(token.digest_name, stamped).digest() != token.digest:
        findings.noted("timestamp", clause, "the token covers something else")
        return None
    authority = cms_facts(token.signature, token.signature.content or b"", form="RFC 3161", scope="")
    problems = Findings()
    problems.add(authority.findings)
    if authority.certificate is not None:
        problems.add(validate_chain(authority.certificate, authority.extra, material, material.at))
        if _TIME_STAMPING not in (authority.certificate.extended_usage or ()):
            detail = "the authority's certificate is not for time-stamping"
            problems.refused("timestamp.usage", "RFC 3161, 2.3", SubIndication.SIG_CONSTRAINTS_FAILURE, detail)
    if not problems.good:
        bad = next(check for check in problems.checks if check.result is not CheckResult.PASSED)
        findings.noted("timestamp", clause, f"time {token.at:%F %T}Z is not proven: {bad.id}: {bad.detail}")
        return None
    findings.passed("timestamp", clause, f"existed at {token.at:%F %T}Z")
    return token.at


def _check_algorithm(facts: SignatureFacts, instant: datetime, findings: Findings) -> None:
    if facts.algorithm is None or facts.certificate is None:
        return  # the format check has named it already
    reason = refusal(facts.algorithm, facts.certificate.key, instant)
    if reason:
        findings.refused("algorithm", _CONSTRAINTS, SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE, reason)
    else:
        findings.passed("algorithm", _CONSTRAINTS, str(facts.algorithm))


def _check_signing_time(facts: SignatureFacts, instant: datetime, findings: Findings) -> datetime:
    """Note an odd signing time; return the instant as of which the pin is looked up, never after `instant`."""
    stated = facts.signing_time
    if stated is None:
        findings.noted("signing-time", _CONSTRAINTS, "the signature states no time")
        return instant
    ahead = stated - instant
    if abs(ahead - _VIETNAM) <= _SKEW:
        findings.noted("signing-time", _CONSTRAINTS, "7 h ahead: local time that was written as UTC")
        return min(stated - _VIETNAM, instant)
    if ahead > _SKEW:
        findings.noted("signing-time", _CONSTRAINTS, f"{stated:%F %T %Z} lies in the future")
        return instant
    findings.passed("signing-time", _CONSTRAINTS, f"{stated:%F %T %Z}, as the signer states it")
    return min(stated, instant)


def _check_usage(facts: SignatureFacts, findings: Findings) -> None:
    certificate = facts.certificate
    if certificate is None or certificate.may_seal:
        findings.passed("usage", _CONSTRAINTS, "the key may sign")
        return
    detail = "keyUsage has neither digitalSignature nor nonRepudiation"
    findings.refused("usage", _CONSTRAINTS, SubIndication.SIG_CONSTRAINTS_FAILURE, detail)


def _check_pin(
    facts: SignatureFacts, expected: Expectation, material: TrustMaterial, as_of: datetime, findings: Findings
) -> OrganId | None:
    """Return whose certificate this is: by the directory as of `as_of`, without one as the certificate says."""
    certificate = facts.certificate
    if certificate is None:
        return None
    policies = ", ".join(certificate.policies) or "none"
    if material.pins is None:
        findings.skipped("pin", _CONSTRAINTS, f"no directory was given; certificate policies: {policies}")
        return certificate.claimed_organisation
    pins = [pin for pin in material.pins if pin.certificate_sha256 == certificate.sha256]
    in_force = [pin for pin in pins if pin.not_before <= as_of and (pin.not_after is None or as_of < pin.not_after)]
    fitting = [pin for pin in in_force if _fits(pin, expected)]
    if fitting:
        pin = fitting[0]
        since = as_of.astimezone(UTC)
        detail = f"{pin.purpose.value} of {pin.organ_id} as of {since:%F %R}Z; certificate policies: {policies}"
        findings.passed("pin", _CONSTRAINTS, detail)
        return pin.organ_id
    if not expected.required:
        findings.skipped("pin", _CONSTRAINTS, "not in the directory; nobody in particular was expected")
        return None
    findings.refused("pin", _CONSTRAINTS, SubIndication.SIG_CONSTRAINTS_FAILURE, _why_no_pin(pins, in_force, expected))
    return in_force[0].organ_id if in_force else None


def _fits(pin: Pin, expected: Expectation) -> bool:
    if not expected.required:
        return True
    return pin.purpose is PinPurpose.SEAL and expected.organisation in {None, pin.organ_id}


def _why_no_pin(pins: list[Pin], in_force: list[Pin], expected: Expectation) -> str:
    wanted = expected.organisation or "any organisation"
    if in_force:
        found = ", ".join(f"{pin.purpose.value} of {pin.organ_id}" for pin in in_force)
        return f"the directory has this certificate as {found}, expected was the seal of {wanted}"
    if pins:
        return f"the directory has this certificate of {pins[0].organ_id}, but not at that time"
    return f"the directory does not bind this certificate to {wanted}"
