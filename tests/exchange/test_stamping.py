"""Time-stamps on our own seals: welcome, never waited for long."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.sandbox import FakeSandbox
from fakes.sealed import NOW, make_world
from fakes.signer import sign_digest
from fakes.timestamp import Authority, FakeTimestamp

from edoc.envelopes import asic
from edoc.exchange.stamping import Stamping
from edoc.model.identifiers import sha256_of
from edoc.signatures import xades
from edoc.signatures.creation import SealCertificate

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
LIMIT = timedelta(milliseconds=20)


@pytest.fixture
def signatures() -> bytes:
    world = make_world()
    certificate = SealCertificate.read(world.seal.der)
    entry = xades.SignedEntry(name=asic.ENVELOPE, media_type="application/xml", sha256=sha256_of(b"<edXML/>"))
    prepared = xades.prepare_detached([entry], certificate, certificate.algorithm, NOW)
    return xades.finish_detached(prepared, sign_digest(world.seal, certificate.algorithm, prepared.digest))


async def test_an_answer_in_time_raises_the_seal_to_b_t(signatures: bytes, tmp_path: Path) -> None:
    stamping = Stamping(FakeClock(), FakeSandbox(), FakeTimestamp(Authority(tmp_path)), LIMIT)
    stamped = await stamping.stamp(signatures)
    assert b"EncapsulatedTimeStamp" in stamped
    assert xades.signature_digests(stamped) == xades.signature_digests(signatures)


async def test_without_an_authority_the_seal_stays_as_it_is(signatures: bytes) -> None:
    assert await Stamping(FakeClock(), FakeSandbox(), None, LIMIT).stamp(signatures) == signatures


async def test_an_authority_that_is_late_is_left_alone_for_a_minute(signatures: bytes, tmp_path: Path) -> None:
    clock = FakeClock()
    late = FakeTimestamp(Authority(tmp_path), late=True)
    stamping = Stamping(clock, FakeSandbox(), late, LIMIT)
    for _ in range(3):
        assert await stamping.stamp(signatures) == signatures
    assert len(late.queries) == 1
    late.late = False
    await clock.advance(timedelta(minutes=1))
    assert b"EncapsulatedTimeStamp" in await stamping.stamp(signatures)


async def test_a_token_over_something_else_is_not_used(signatures: bytes, tmp_path: Path) -> None:
    authority = Authority(tmp_path)

    class Confused(FakeTimestamp):
        async def ask(self, query: bytes, limit: timedelta) -> bytes | None:
            return await super().ask(query.replace(query[-70:-38], bytes(32)), limit)

    confused = Confused(authority)
    assert await Stamping(FakeClock(), FakeSandbox(), confused, LIMIT).stamp(signatures) == signatures
