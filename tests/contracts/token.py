"""What every Token does, fake and real."""

from __future__ import annotations

import asyncio
import hashlib
from abc import abstractmethod

import pytest
from lab.pki import Issued

from edoc.adapters.token_check import holds, self_test
from edoc.errors import EdocError
from edoc.model.identifiers import DocumentId, OrganId
from edoc.model.signing import Purpose, SigningPriority, SignRequest, TokenPresence
from edoc.model.trust import SignatureAlgorithm
from edoc.ports import Token

OFFICE = OrganId("H53.31.20")
DOCUMENT = DocumentId("5f0d6c1e-6a0b-4a52-9a52-0c6f8f0d2b11")


def request(
    text: bytes = b"document",
    *,
    office: OrganId = OFFICE,
    algorithm: SignatureAlgorithm = SignatureAlgorithm.RSA_PKCS1_SHA256,
    priority: SigningPriority = SigningPriority.NORMAL,
    document_id: DocumentId = DOCUMENT,
) -> SignRequest:
    return SignRequest(
        office=office,
        purpose=Purpose.DOCUMENT,
        document_id=document_id,
        priority=priority,
        algorithm=algorithm,
        digest=hashlib.sha256(text).digest(),
    )


class TokenContract:
    """Subclass it and give Tokens that hold a seal for OFFICE."""

    @abstractmethod
    async def token(self, kind: str) -> tuple[Token, Issued]:
        """Return a ready token with an ``rsa`` or ``ec`` seal, and that seal."""

    @pytest.mark.parametrize(
        ("kind", "algorithm"),
        [
            ("rsa", SignatureAlgorithm.RSA_PKCS1_SHA256),
            ("rsa", SignatureAlgorithm.RSA_PSS_SHA256),
            ("ec", SignatureAlgorithm.ECDSA_SHA256),
        ],
    )
    async def test_a_signature_verifies_with_the_certificate_of_the_seal(
        self, kind: str, algorithm: SignatureAlgorithm
    ) -> None:
        token, issued = await self.token(kind)
        asked = request(algorithm=algorithm)
        signature = await token.sign(asked)
        assert holds(issued.der, algorithm, asked.digest, signature)

    async def test_ecdsa_comes_as_two_numbers_of_fixed_length(self) -> None:
        token, _ = await self.token("ec")
        for number in range(8):
            signature = await token.sign(request(bytes([number]), algorithm=SignatureAlgorithm.ECDSA_SHA256))
            assert len(signature) == 64

    async def test_the_state_tells_certificate_and_algorithms(self) -> None:
        token, issued = await self.token("rsa")
        state = await token.state()
        assert state.presence is TokenPresence.READY
        assert state.certificate == issued.der
        assert set(state.algorithms) == {SignatureAlgorithm.RSA_PKCS1_SHA256, SignatureAlgorithm.RSA_PSS_SHA256}
        assert state.label
        assert state.serial

    async def test_a_key_serves_one_office(self) -> None:
        token, _ = await self.token("rsa")
        with pytest.raises(EdocError) as caught:
            await token.sign(request(office=OrganId("H53.99")))
        assert caught.value.code == "KEY_NOT_ALLOWED"

    async def test_an_algorithm_that_the_key_does_not_have_is_an_error_and_the_next_request_works(self) -> None:
        token, _ = await self.token("rsa")
        with pytest.raises(EdocError) as caught:
            await token.sign(request(algorithm=SignatureAlgorithm.ECDSA_SHA256))
        assert caught.value.code == "TOKEN_ALGORITHM"
        assert (await token.state()).presence is TokenPresence.READY
        assert await token.sign(request())

    async def test_many_requests_at_once_each_get_their_own_signature(self) -> None:
        token, issued = await self.token("rsa")
        asked = [request(str(number).encode()) for number in range(20)]
        signatures = await asyncio.gather(*[token.sign(each) for each in asked])
        for each, signature in zip(asked, signatures, strict=True):
            assert holds(issued.der, each.algorithm, each.digest, signature)

    async def test_the_self_test_passes(self) -> None:
        for kind in ("rsa", "ec"):
            token, issued = await self.token(kind)
            assert (await self_test(token, OFFICE, DOCUMENT)).certificate == issued.der
