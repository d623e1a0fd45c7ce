"""Findings: the checks of one signature as they are made, and what they add up to.

Rules: every check is written down with its clause, also one that could not be made.  The first TOTAL-FAILED decides;
without one, the first INDETERMINATE; without any, TOTAL-PASSED (EN 319 102-1, clause 5.3.4 stops at the first in the
same order; going on costs little and tells the reader more).

Does not make checks.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from edoc.model.verdict import Check, CheckResult, Indication, SubIndication


@dataclass(slots=True)
class Findings:
    """The checks made so far; the one value here that grows."""

    checks: list[Check] = field(default_factory=list)
    outcomes: list[tuple[Indication, SubIndication]] = field(default_factory=list)

    def passed(self, name: str, clause: str, detail: str = "") -> None:
        """Note a check that holds."""
        self.checks.append(Check(id=name, clause=clause, result=CheckResult.PASSED, detail=detail))

    def skipped(self, name: str, clause: str, detail: str) -> None:
        """Note a check that was not asked for or could not apply; it does not change the indication."""
        self.checks.append(Check(id=name, clause=clause, result=CheckResult.SKIPPED, detail=detail))

    def noted(self, name: str, clause: str, detail: str) -> None:
        """Note something odd that does not change the indication."""
        self.checks.append(Check(id=name, clause=clause, result=CheckResult.UNKNOWN, detail=detail))

    def failed(self, name: str, clause: str, sub: SubIndication, detail: str) -> None:
        """Note a check that fails for good: TOTAL-FAILED."""
        self.checks.append(Check(id=name, clause=clause, result=CheckResult.FAILED, detail=detail))
        self.outcomes.append((Indication.TOTAL_FAILED, sub))

    def refused(self, name: str, clause: str, sub: SubIndication, detail: str) -> None:
        """Note a check that fails although the cryptography may hold: INDETERMINATE."""
        self.checks.append(Check(id=name, clause=clause, result=CheckResult.FAILED, detail=detail))
        self.outcomes.append((Indication.INDETERMINATE, sub))

    def unknown(self, name: str, clause: str, sub: SubIndication, detail: str) -> None:
        """Note a check that cannot be decided now: INDETERMINATE."""
        self.checks.append(Check(id=name, clause=clause, result=CheckResult.UNKNOWN, detail=detail))
        self.outcomes.append((Indication.INDETERMINATE, sub))

    def add(self, other: Findings) -> None:
        """Take over the checks of `other`."""
        self.checks.extend(other.checks)
        self.outcomes.extend(other.outcomes)

    @property
    def good(self) -> bool:
        """Say whether nothing speaks against the signature so far."""
        return not self.outcomes

    def conclusion(self) -> tuple[Indication, SubIndication | None]:
        """Return the indication and sub-indication that the checks add up to."""
        for indication, sub in self.outcomes:
            if indication is Indication.TOTAL_FAILED:
                return indication, sub
        return self.outcomes[0] if self.outcomes else (Indication.TOTAL_PASSED, None)
