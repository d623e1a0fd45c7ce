"""A Token in memory that signs with a key of the lab, and fails on command."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from fakes.faults import Faults
from lab.pki import Issued

from edoc.errors import EdocError
from edoc.errors.token import KEY_NOT_ALLOWED, TOKEN_ABSENT, TOKEN_ALGORITHM
from edoc.model.identifiers import OrganId
from edoc.model.signing import SignRequest, TokenPresence, TokenState
from edoc.model.trust import SignatureAlgorithm


@dataclass(kw_only=True)
class FakeToken:
    """The seal of `office`.

    `present` False pulls it; `faults` plans errors of ``sign`` and ``state``; `delay` is what a signature takes;
    `requests` is what was asked for, in order, refused or not.
    """

    office: OrganId
    issued: Issued
    present: bool = True
    delay: timedelta = timedelta(0)
    faults: Faults = field(default_factory=Faults)
    requests: list[SignRequest] = field(default_factory=list)

    @property
    def algorithms(self) -> tuple[SignatureAlgorithm, ...]:
        """Return what the key can do."""
        if isinstance(self.issued.key, rsa.RSAPrivateKey):
            return (SignatureAlgorithm.RSA_PKCS1_SHA256, SignatureAlgorithm.RSA_PSS_SHA256)
        return (SignatureAlgorithm.ECDSA_SHA256,)

    async def state(self) -> TokenState:
        """Return the state."""
        self.faults.check("state")
        if not self.present:
            return TokenState(presence=TokenPresence.ABSENT)
        return TokenState(
            presence=TokenPresence.READY,
            label="fake",
            serial="0001",
            certificate=self.issued.der,
            algorithms=self.algorithms,
        )

    async def sign(self, request: SignRequest) -> bytes:
        """Sign, or fail as told."""
        self.requests.append(request)
        if request.office != self.office:
            raise EdocError(KEY_NOT_ALLOWED, office=self.office, asked=request.office)
        if self.delay:
            await asyncio.sleep(self.delay.total_seconds())
        self.faults.check("sign")
        if not self.present:
            raise EdocError(TOKEN_ABSENT, office=self.office)
        if request.algorithm not in self.algorithms:
            offered = ", ".join(self.algorithms)
            raise EdocError(TOKEN_ALGORITHM, office=self.office, algorithm=request.algorithm, offered=offered)
        return _signature(self.issued, request.algorithm, request.digest)


def _signature(issued: Issued, algorithm: SignatureAlgorithm, digest: bytes) -> bytes:
    hashed = Prehashed(SHA256())
    key = issued.key
    if isinstance(key, ec.EllipticCurvePrivateKey):
        size = (key.key_size + 7) // 8
        r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(hashed)))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    if algorithm is SignatureAlgorithm.RSA_PSS_SHA256:
        return key.sign(digest, padding.PSS(padding.MGF1(SHA256()), 32), hashed)
    return key.sign(digest, padding.PKCS1v15(), hashed)
