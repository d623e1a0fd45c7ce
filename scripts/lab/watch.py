"""One run of a scenario: jobs dropped, offices watched until nothing moves any more, the outcome judged.

Rules: a document has arrived when the sender's status says DELIVERED for every recipient (so a signed receipt was
verified) and every inbox holds it byte for byte; a bad one is refused when ``failed/`` holds it with the right code.
What nobody expected, in an inbox or in quarantine, is wrong too.
"""

from __future__ import annotations

import time

from edoc.exchange.reports import ErrorFile, StatusFile
from edoc.model.state import State
from lab.jobs import write_job
from lab.offices import Network, Office
from lab.outcome import complaints, error_of, states, status_of
from lab.processes import NotReadyError
from lab.scenario import Case
from lab.telling import Teller

_WITHIN = 60.0
_LOOK_EVERY = 0.05
_ENDED = frozenset({State.DELIVERED, State.REFUSED, State.FAILED})


class Watch:
    """Drops the jobs of `cases` and follows them."""

    def __init__(self, network: Network, cases: tuple[Case, ...], teller: Teller) -> None:
        self._network = network
        self._cases = cases
        self._teller = teller
        self._dropped: dict[str, float] = {}
        self._told: dict[tuple[str, str], str] = {}
        self.known: dict[str, StatusFile] = {}  # by job
        self.seconds: dict[tuple[str, str], float] = {}  # by job and recipient: from the spool to the receipt

    def run(self) -> float:
        """Drop every job, watch until all have ended or time is up, and return the seconds that took."""
        began = time.monotonic()
        self._teller.watch(self._cases)
        for case in self._cases:
            write_job(self._network.office(case.sender).outbox, case.job, ready_mark=case.ready_mark)
            self._dropped[case.job.name] = time.monotonic()
            self._tell(case, "", "DROPPED", f"{case.sender.name}: {case.job.letter.subject} ({case.note})")
        while time.monotonic() - began < _WITHIN:
            ended = [self._look(case) for case in self._cases]
            if all(ended):
                break
            self._check_processes()
            self._teller.progress(self._cases, self.known)
            time.sleep(_LOOK_EVERY)
        self._teller.close()
        return time.monotonic() - began

    def refused(self) -> list[tuple[Case, ErrorFile]]:
        """Return the jobs that were refused, with the error the office was told."""
        found = ((case, error_of(self._network.office(case.sender), case.job.name)) for case in self._cases)
        return [(case, error) for case, error in found if error is not None]

    def wrong(self) -> list[str]:
        """Return everything that is not as it should be."""
        return [
            *(each for case in self._cases for each in self._complaints(case)),
            *(each for office in self._network for each in self._unexpected(office)),
        ]

    def _look(self, case: Case) -> bool:
        """Read what became of a job, tell what is new, and say whether it has ended."""
        office, name = self._network.office(case.sender), case.job.name
        status, error = status_of(office, name), error_of(office, name)
        if error is not None:
            self._tell(case, "", "FAILED", f"refused: {error.text_en}")
            return True
        if status is None:
            return False
        self.known[name] = status
        self._tell(case, "", status.state, status.document_id)
        for code, state in states(status).items():
            if state is State.DELIVERED and (name, code) not in self.seconds:
                self.seconds[name, code] = time.monotonic() - self._dropped[name]
            self._tell(case, code, state, self._network.offices[code].name)
        reached = states(status)
        return set(reached) == set(case.job.recipients) and set(reached.values()) <= _ENDED

    def _tell(self, case: Case, recipient: str, state: str, text: str) -> None:
        if self._told.get((case.job.name, recipient)) != state:
            self._told[case.job.name, recipient] = state
            self._teller.event(case, text, state)

    def _check_processes(self) -> None:
        for office in self._network:
            for service in (office.daemon, office.signer):
                if service.pid is None:
                    raise NotReadyError(f"{' '.join(service.command)} ended; the end of its log:\n{service.tail()}")

    def _complaints(self, case: Case) -> list[str]:
        name = case.job.name
        error = error_of(self._network.office(case.sender), name)
        if case.fault is not None:
            code = "nothing" if error is None else error.code
            return [] if code == case.fault.code else [f"{name}: {code} instead of {case.fault.code}"]
        if error is not None:
            return [f"{name}: refused, {error.code}: {error.text_en}"]
        if name not in self.known:
            return [f"{name}: no status"]
        status = self.known[name]
        reached = states(status)
        found = [
            f"{name}: {reached.get(code, 'nothing')} for {code}"
            for code in case.job.recipients
            if reached.get(code) is not State.DELIVERED
        ]
        if not (self._network.office(case.sender).folder / "sent" / name).exists():
            found.append(f"{name}: not in sent/")
        for code in case.job.recipients:
            found += complaints(self._network.offices[code], case.job, status)
        return found

    def _unexpected(self, office: Office) -> list[str]:
        expected = {
            self.known[case.job.name].document_id
            for case in self._cases
            if office.code in case.job.recipients and case.job.name in self.known
        }
        inbox = {path.name for path in office.inbox.iterdir()}
        found = [f"{office.name}: {name} in the inbox" for name in sorted(inbox - expected)]
        found += [f"{office.name}: {path.name} in quarantine" for path in (office.folder / "quarantine").iterdir()]
        return found
