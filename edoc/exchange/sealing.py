"""The office's seal, as the journeys use it: the right certificate, checked first, and every signature checked after.

Rules: the certificate is checked before it signs (Circular 15/2025, Annex I).  Each signature is verified with the
certificate's own key before it is used: a token that answers with a wrong signature is found here and not at a
recipient's.  Urgent work goes first, refusals last.

Does not build envelopes.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from edoc.errors import EdocError
from edoc.errors.journey import CERTIFICATE_UNFIT, TOKEN_NOT_READY
from edoc.exchange.office import Office
from edoc.exchange.trust import Trust
from edoc.model.document import Lane
from edoc.model.identifiers import DocumentId
from edoc.model.signing import Purpose, SigningPriority, SignRequest, TokenPresence
from edoc.model.trust import Pin, PinPurpose
from edoc.model.verdict import CheckResult
from edoc.ports import Clock, Token
from edoc.signatures.creation import SealCertificate, check_before_signing, verify_own

_TRUSTED_FOR = timedelta(minutes=1)


class Seal:
    """Signs digests for one office."""

    def __init__(self, office: Office, clock: Clock, token: Token, trust: Trust) -> None:
        self._office = office
        self._clock = clock
        self._token = token
        self._trust = trust
        self._checked: tuple[SealCertificate, datetime] | None = None

    async def certificate(self) -> SealCertificate:
        """Return the seal certificate, checked within the last minute.

        Raises EdocError TOKEN_NOT_READY, CERTIFICATE_UNFIT.
        """
        state = await self._token.state()
        if state.presence is not TokenPresence.READY:
            raise EdocError(TOKEN_NOT_READY, detail=state.presence, cause=state.detail)
        now = self._clock.now()
        if self._checked and self._checked[0].der == state.certificate and now - self._checked[1] < _TRUSTED_FOR:
            return self._checked[0]
        certificate = SealCertificate.read(state.certificate, self._office.intermediates)
        material = await self._trust.material(self._office.code, now)
        checks = check_before_signing(certificate, material)
        failed = [check.detail or check.id for check in checks if check.result is CheckResult.FAILED]
        if not any(_pins(pin, certificate, now) for pin in material.pins or ()):
            failed.append(f"the directory does not name it as a seal of {self._office.code}")
        if failed:
            raise EdocError(CERTIFICATE_UNFIT, detail="; ".join(failed))
        self._checked = (certificate, now)
        return certificate

    async def sign(
        self, certificate: SealCertificate, purpose: Purpose, document_id: DocumentId, lane: Lane, digest: bytes
    ) -> bytes:
        """Return a verified signature over a SHA-256 `digest`: RSA octets or r‖s."""
        algorithm = certificate.algorithm
        priority = SigningPriority.URGENT if lane is Lane.URGENT else SigningPriority.NORMAL
        if purpose is Purpose.REFUSAL:
            priority = SigningPriority.REFUSAL
        signature = await self._token.sign(
            SignRequest(
                office=self._office.code,
                purpose=purpose,
                document_id=document_id,
                priority=priority,
                algorithm=algorithm,
                digest=digest,
            )
        )
        verify_own(certificate, algorithm, digest, signature)
        return signature


def _pins(pin: Pin, certificate: SealCertificate, now: datetime) -> bool:
    """Say whether `pin` makes `certificate` a seal now: without one every recipient would refuse it."""
    in_force = pin.not_before <= now and (pin.not_after is None or now < pin.not_after)
    return in_force and pin.purpose is PinPurpose.SEAL and pin.certificate_sha256 == certificate.sha256
