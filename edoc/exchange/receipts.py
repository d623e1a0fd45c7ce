"""Our own status messages: INTENDED → SIGNED → SENT.

Rules: the intent of a receipt is committed together with DELIVERED, that of a refusal together with QUARANTINED; so
reception never waits for the token and no receipt is signed for what is not in the inbox.  A status is signed
once; a duplicate is answered with the same bytes.  A status is never answered with a status.

Does not decide what is answered: reception does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from edoc.envelopes.status import write_status
from edoc.errors import EdocError, Fault, FaultReport
from edoc.errors.journey import NO_ROUTE, PUBLISH_UNKNOWN, REJECTED
from edoc.exchange.office import Office
from edoc.exchange.runner import Stage
from edoc.exchange.sealing import Seal
from edoc.exchange.trust import Trust
from edoc.model.message import Message, MessageType, Outcome, StatusCode
from edoc.model.record import Change, Record, StatusBody, moved
from edoc.model.signing import Purpose
from edoc.model.state import State
from edoc.ports import Alarm, Broker, Clock, Store
from edoc.signatures import xades

_FAULTS: Mapping[Outcome, Fault] = {
    Outcome.NO_ROUTE: NO_ROUTE,
    Outcome.REJECTED: REJECTED,
    Outcome.UNKNOWN: PUBLISH_UNKNOWN,
}


class Receipts:
    """The journey of a status message."""

    def __init__(
        self, office: Office, clock: Clock, store: Store, broker: Broker, trust: Trust, seal: Seal, alarm: Alarm
    ) -> None:
        self._office = office
        self._clock = clock
        self._store = store
        self._broker = broker
        self._trust = trust
        self._seal = seal
        self._alarm = alarm
        self.stages: Mapping[State, Stage] = {State.INTENDED: self.sign, State.SIGNED: self.publish}

    async def sign(self, record: Record) -> Change:
        """Write the status message, sign it, keep it."""
        body = _body(record)
        now = self._clock.now()
        report = replace(body.report, sender=self._trust.party(self._office.code, now), timestamp=now)
        certificate = await self._seal.certificate()
        to_sign = xades.prepare_enveloped(
            write_status(report), certificate, certificate.algorithm, now, intermediates=certificate.path
        )
        purpose = Purpose.REFUSAL if report.code is StatusCode.REFUSED else Purpose.STATUS
        signature = await self._seal.sign(certificate, purpose, report.document_id, record.lane, to_sign.digest)
        stored = await self._store.put(report.status_id, "status.edxml", xades.finish_enveloped(to_sign, signature))
        done = StatusBody(report=report, signed=stored.ref, sha256=stored.sha256)
        return Change(moves=(moved(record, State.SIGNED, at=now, body=done),))

    async def publish(self, record: Record) -> Change:
        """Publish the signed status message."""
        body = _body(record)
        if body.signed is None or body.sha256 is None:
            raise TypeError("a SIGNED status has been stored")
        content = await self._store.read(body.signed)
        outcome = await self._broker.publish(
            Message(
                type=MessageType.STATUS,
                document_id=body.report.document_id,
                sender=self._office.code,
                recipient=body.report.recipient,
                lane=record.lane,
                sha256=body.sha256,
                size=len(content),
                body=content,
            )
        )
        if outcome is not Outcome.SENT:
            raise EdocError(_FAULTS[outcome], recipient=body.report.recipient)
        return Change(moves=(moved(record, State.SENT, at=self._clock.now()),))

    async def give_up(self, record: Record, fault: FaultReport) -> Change:
        """Keep the status where it is: an answer is owed, and only a person can say why it cannot be given."""
        self._alarm(fault, record.key)
        due = self._clock.now() + self._office.patience.cap
        return Change(moves=(moved(record, record.state, at=due, fault=fault),))

    async def committed(self, record: Record) -> None:
        """Nothing follows: no file tells about our own statuses."""


def _body(record: Record) -> StatusBody:
    if not isinstance(record.body, StatusBody):
        raise TypeError(record.body)
    return record.body
