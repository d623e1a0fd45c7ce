"""The office's seal: the right certificate, checked before it signs, and every signature checked after."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from fakes.jobs import job
from fakes.sealed import plain_pdf
from fakes.world import COMMUNE, PROVINCE, Bureau, World

from edoc.errors import EdocError
from edoc.errors.token import TOKEN_ABSENT, TOKEN_BROKEN
from edoc.exchange.sealing import Seal
from edoc.model.document import Lane
from edoc.model.signing import Purpose, SigningPriority, SignRequest
from edoc.model.state import Kind, State

DIGEST = hashlib.sha256(b"noi dung").digest()


def seal_of(office: Bureau) -> Seal:
    return Seal(office.office, office.world.clock, office.token, office.trust)


async def refused(office: Bureau) -> str:
    with pytest.raises(EdocError) as caught:
        await seal_of(office).certificate()
    return caught.value.code


class TestTheCertificate:
    async def test_a_good_one_may_seal(self, world: World) -> None:
        assert (await seal_of(world[COMMUNE]).certificate()).der == world[COMMUNE].seal.der

    async def test_without_the_token_there_is_none(self, world: World) -> None:
        world[COMMUNE].token.present = False
        assert await refused(world[COMMUNE]) == "TOKEN_NOT_READY"

    async def test_an_expired_one_does_not_sign(self, world: World) -> None:
        await world.clock.advance(timedelta(days=6 * 365))
        assert await refused(world[COMMUNE]) == "CERTIFICATE_UNFIT"

    async def test_a_revoked_one_does_not_sign(self, world: World) -> None:
        world.pki.revoke(world[COMMUNE].seal.certificate, world.clock.now() - timedelta(hours=1))
        world.refresh_crls()
        assert await refused(world[COMMUNE]) == "CERTIFICATE_UNFIT"

    async def test_one_that_the_directory_does_not_pin_to_us_does_not_sign(self, world: World) -> None:
        world[COMMUNE].token.issued = world[PROVINCE].seal
        assert await refused(world[COMMUNE]) == "CERTIFICATE_UNFIT"

    async def test_a_missing_crl_is_no_reason_not_to_sign(self, world: World) -> None:
        world[COMMUNE].revocation.lists = []
        assert (await seal_of(world[COMMUNE]).certificate()).der == world[COMMUNE].seal.der

    async def test_it_is_checked_again_after_a_minute_and_when_it_was_replaced(self, world: World) -> None:
        office = world[COMMUNE]
        seal = seal_of(office)
        await seal.certificate()
        world.pki.revoke(office.seal.certificate, world.clock.now() - timedelta(hours=1))
        world.refresh_crls()
        await world.clock.advance(timedelta(minutes=2))
        with pytest.raises(EdocError):
            await seal.certificate()
        office.seal = office.token.issued = world.pki.seal(COMMUNE, "Con dấu mới", kind="ec")
        world.publish_directory()
        assert (await seal.certificate()).der == office.seal.der

    async def test_an_unfit_one_keeps_documents_accepted_and_is_alarmed_once(self, world: World) -> None:
        office = world[COMMUNE]
        world.pki.revoke(office.seal.certificate, world.clock.now() - timedelta(hours=1))
        world.refresh_crls()
        office.submit("bao-cao-07", job([PROVINCE], {"a.pdf": plain_pdf()}))
        await world.run()
        await world.pass_time(timedelta(minutes=10))
        await world.pass_time(timedelta(minutes=10))
        assert office.state(Kind.SUBMISSION) is State.ACCEPTED
        assert office.token.requests == []
        assert office.alarmed() == ["CERTIFICATE_UNFIT"]


class TestSigning:
    async def sign(self, office: Bureau, purpose: Purpose = Purpose.DOCUMENT, lane: Lane = Lane.NORMAL) -> SignRequest:
        seal = seal_of(office)
        certificate = await seal.certificate()
        await seal.sign(certificate, purpose, office.world.clock.mint(), lane, DIGEST)
        return office.token.requests[-1]

    async def test_each_request_names_office_purpose_and_digest(self, world: World) -> None:
        asked = await self.sign(world[COMMUNE], Purpose.ATTACHMENT)
        assert (asked.office, asked.purpose, asked.digest) == (COMMUNE, Purpose.ATTACHMENT, DIGEST)

    @pytest.mark.parametrize(
        ("purpose", "lane", "priority"),
        [
            (Purpose.DOCUMENT, Lane.NORMAL, SigningPriority.NORMAL),
            (Purpose.DOCUMENT, Lane.URGENT, SigningPriority.URGENT),
            (Purpose.STATUS, Lane.URGENT, SigningPriority.URGENT),
            (Purpose.REFUSAL, Lane.NORMAL, SigningPriority.REFUSAL),
            (Purpose.REFUSAL, Lane.URGENT, SigningPriority.REFUSAL),
        ],
    )
    async def test_urgent_work_goes_first_and_refusals_last(
        self, world: World, purpose: Purpose, lane: Lane, priority: SigningPriority
    ) -> None:
        assert (await self.sign(world[COMMUNE], purpose, lane)).priority is priority

    async def test_a_token_that_signs_wrongly_is_found_here_and_not_at_a_recipients(self, world: World) -> None:
        office = world[COMMUNE]

        async def wrong(_request: SignRequest) -> bytes:
            return bytes(64)

        office.token.sign = wrong  # type: ignore[method-assign, assignment]  # a broken token
        office.submit("bao-cao-07", job([PROVINCE]))
        office.start()
        await world.run()
        assert office.state(Kind.SUBMISSION) is not State.PACKED
        assert world.network.published == []

    @pytest.mark.parametrize("fault", [TOKEN_ABSENT, TOKEN_BROKEN])
    async def test_a_token_that_goes_away_while_signing_delays_the_document_only(
        self, world: World, fault: object
    ) -> None:
        office = world[COMMUNE]
        office.token.faults.plan("sign", EdocError(fault, office=COMMUNE))  # type: ignore[arg-type]  # a Fault
        office.submit("bao-cao-07", job([PROVINCE], {"a.pdf": plain_pdf()}))
        await world.run()
        assert office.state(Kind.SUBMISSION) is State.ACCEPTED
        await world.pass_time(timedelta(minutes=10))
        assert office.states("bao-cao-07") == {"": "PACKED", PROVINCE: "DELIVERED"}
