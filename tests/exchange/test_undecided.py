"""What cannot be judged yet: held or delivered by policy, marked as such, and judged again."""

from __future__ import annotations

import json
from datetime import timedelta

from fakes import forged
from fakes.jobs import job
from fakes.world import COMMUNE, PROVINCE, Bureau, World

from edoc.exchange.office import Policy, Undecided
from edoc.model.identifiers import DocumentId
from edoc.model.record import StatusBody
from edoc.model.state import Kind, State


async def send(world: World, name: str = "bao-cao-07") -> DocumentId:
    """Send a document as far as the recipient's queue."""
    commune = world[COMMUNE]
    commune.submit(name, job([PROVINCE]))
    await commune.run()
    return DocumentId(commune.status(name)["document_id"])


def refusal(office: Bureau) -> StatusBody:
    """Return the only answer of `office`, which must be a refusal."""
    body = office.one(Kind.STATUS).body
    assert isinstance(body, StatusBody)
    assert body.report.code == "02"
    return body


class TestUndecided:
    async def test_without_a_crl_it_is_held_and_delivered_when_the_crl_comes(self, world: World) -> None:
        document_id = await send(world)
        world[PROVINCE].revocation.lists = []
        await world.run()
        held = world[PROVINCE].one(Kind.RECEPTION)
        assert held.state is State.HELD
        assert held.fault is not None
        assert (held.fault.code, held.fault.facts["sub_indication"]) == ("SEAL_UNDECIDED", "TRY_LATER")
        assert world[PROVINCE].delivered() == []
        assert world[PROVINCE].records(Kind.STATUS) == []
        await world.pass_time(timedelta(minutes=6))
        assert world[PROVINCE].state(Kind.RECEPTION) is State.HELD
        world[PROVINCE].revocation.lists = list(world.crls())
        await world.pass_time(timedelta(minutes=6))
        assert world[PROVINCE].delivered() == [document_id]
        assert world[PROVINCE].one(Kind.RECEPTION).fault is None
        assert world[COMMUNE].states("bao-cao-07")[PROVINCE] == "DELIVERED"

    async def test_a_held_document_whose_seal_turns_out_revoked_is_refused(self, world: World) -> None:
        await send(world)
        world[PROVINCE].revocation.lists = []
        await world.run()
        world.pki.revoke(world[COMMUNE].seal.certificate, world.clock.now() - timedelta(hours=1))
        world[PROVINCE].revocation.lists = list(world.crls())
        await world.pass_time(timedelta(minutes=6))
        assert world[PROVINCE].delivered() == []
        assert refusal(world[PROVINCE]).report.fault == "SEAL_NOT_ACCEPTED"
        assert len(world[PROVINCE].quarantined()) == 1

    async def test_the_same_container_again_does_not_disturb_a_held_one(self, world: World) -> None:
        await send(world)
        (sent,) = world.network.messages(PROVINCE)
        world[PROVINCE].revocation.lists = []
        await world.run()
        await forged.publish(world, COMMUNE, sent)
        await world.run()
        assert world[PROVINCE].state(Kind.RECEPTION) is State.HELD
        assert world.network.messages(PROVINCE) == []

    async def test_by_policy_it_is_delivered_and_marked_as_not_judged(self, world: World) -> None:
        world[PROVINCE].policy = Policy(undecided=Undecided.DELIVER)
        world[PROVINCE].start()
        document_id = await send(world)
        world[PROVINCE].revocation.lists = []
        await world.run()
        assert world[PROVINCE].delivered() == [document_id]
        told = json.loads(world[PROVINCE].opened(document_id)["verification.json"])
        assert (told["indication"], told["sub_indication"]) == ("INDETERMINATE", "TRY_LATER")
        record = world[PROVINCE].one(Kind.RECEPTION)
        assert record.fault is not None
        assert record.fault.code == "SEAL_UNDECIDED"

    async def test_by_policy_what_has_certainly_failed_is_refused_all_the_same(self, world: World) -> None:
        world[PROVINCE].policy = Policy(undecided=Undecided.DELIVER)
        world[PROVINCE].start()
        world[PROVINCE].revocation.lists = []
        made = forged.document(world, COMMUNE, [PROVINCE])
        body = forged.tampered(made, world[COMMUNE].seal, world.clock.now())
        await forged.publish(world, COMMUNE, forged.message(body, made.document_id, COMMUNE, PROVINCE))
        await world[PROVINCE].run()
        assert world[PROVINCE].delivered() == []
        assert world[PROVINCE].state(Kind.RECEPTION) is State.QUARANTINED
