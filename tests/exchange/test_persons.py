"""The agency seals what its authorised person signed: there, valid, and told by policy or pin."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from fakes.jobs import description, job
from fakes.sealed import plain_pdf
from fakes.visible import blank_pdf, seal_png
from fakes.world import COMMUNE, PROVINCE, World
from lab.personal import sign_as_person
from lab.pki import AGENCY_POLICY_OID, PERSON_POLICY_OID, Issued

from edoc.exchange.office import Policy, Undecided
from edoc.exchange.persons import check_persons
from edoc.model.identifiers import Sha256
from edoc.model.signers import PersonSignature, SignerKind, SignerRules
from edoc.model.signing import Purpose
from edoc.model.state import Kind, State
from edoc.model.verdict import Indication, SignatureReport, SubIndication, Verdict

KNOWN: dict[str, Any] = {
    "person_policies": frozenset({PERSON_POLICY_OID}),
    "agency_policies": frozenset({AGENCY_POLICY_OID}),
}


async def signed(world: World, issued: Issued | None = None, content: bytes | None = None, **more: Any) -> bytes:
    import asyncio  # noqa: PLC0415 -- pyHanko signs in a loop of its own

    person = issued or world.pki.person("Nguyễn Văn Thọ", COMMUNE)
    pdf = plain_pdf() if content is None else content
    return await asyncio.to_thread(sign_as_person, pdf, person, world.pki, name="Nguyễn Văn Thọ", **more)


def flagged(content: bytes) -> dict[str, bytes]:
    """Return a job whose main file claims a person's signature."""
    fields = description([PROVINCE], ["a.pdf"])
    fields["attachments"] = [{"file": "a.pdf", "role": "main", "person_signature": "required"}]
    fields["signer"] = {"full_name": "Nguyễn Văn Thọ"}
    return {"document.json": msgspec.json.encode(fields), "a.pdf": content}


def fault(world: World) -> str:
    found = world[COMMUNE].one(Kind.SUBMISSION).fault
    return "" if found is None else found.code


def begin(world: World, **policy: Any) -> None:
    office = world[COMMUNE]
    office.policy = Policy(**(KNOWN | policy))
    office.start()


def sealed_purposes(world: World) -> list[Purpose]:
    return [request.purpose for request in world[COMMUNE].token.requests]


async def test_a_claimed_signature_that_is_missing_ends_the_job_before_the_key_is_used(world: World) -> None:
    begin(world)
    world[COMMUNE].submit("a", flagged(plain_pdf()))
    await world.run()
    assert (fault(world), world[COMMUNE].state(Kind.SUBMISSION)) == ("PERSON_SIGNATURE_MISSING", State.FAILED)
    assert sealed_purposes(world) == []


async def test_a_claimed_signature_that_is_valid_lets_the_agency_seal(world: World) -> None:
    begin(world)
    world[COMMUNE].submit("a", flagged(await signed(world)))
    await world.run()
    assert world[COMMUNE].states("a") == {"": "PACKED", PROVINCE: "DELIVERED"}
    assert Purpose.ATTACHMENT in sealed_purposes(world)


async def test_the_seal_of_an_agency_is_no_persons_signature_whatever_its_name(world: World) -> None:
    begin(world)
    other = world.pki.seal("H1", "Nguyễn Văn Thọ")
    world[COMMUNE].submit("a", flagged(await signed(world, other)))
    await world.run()
    assert fault(world) == "PERSON_SIGNATURE_MISSING"


async def test_the_policy_of_the_office_asks_for_one_without_a_claim(world: World) -> None:
    begin(world, person_signature=PersonSignature.REQUIRED)
    world[COMMUNE].submit("a", job([PROVINCE], {"a.pdf": plain_pdf()}))
    await world.run()
    assert fault(world) == "PERSON_SIGNATURE_MISSING"


async def test_what_is_no_pdf_cannot_carry_the_signature_that_is_asked_for(world: World) -> None:
    begin(world, person_signature=PersonSignature.REQUIRED)
    world[COMMUNE].submit("a", job([PROVINCE]))
    await world.run()
    assert fault(world) == "PERSON_SIGNATURE_MISSING"


async def test_a_signature_that_was_broken_is_not_sealed_even_without_a_claim(world: World) -> None:
    begin(world)
    content = await signed(world)
    world[COMMUNE].submit("a", job([PROVINCE], {"a.pdf": content.replace(b"/Producer", b"/Productr", 1)}))
    await world.run()
    assert fault(world) == "PERSON_SIGNATURE_INVALID"
    assert sealed_purposes(world) == []


async def test_a_revoked_person_is_not_sealed(world: World) -> None:
    begin(world)
    person = world.pki.person("Nguyễn Văn Thọ", COMMUNE)
    content = await signed(world, person)
    world.pki.revoke(person.certificate, world.clock.now())
    world[COMMUNE].revocation.lists = list(world.crls())
    world[COMMUNE].submit("a", job([PROVINCE], {"a.pdf": content}))
    await world.run()
    assert fault(world) == "PERSON_SIGNATURE_INVALID"


async def test_a_separate_attachment_may_be_signed_by_anybody(world: World) -> None:
    begin(world)
    broken = (await signed(world)).replace(b"/Producer", b"/Productr", 1)
    world[COMMUNE].submit("a", job([PROVINCE], {"a.pdf": plain_pdf(), "b.pdf": broken}))
    await world.run()
    assert world[COMMUNE].state(Kind.SUBMISSION) is State.PACKED


async def test_the_person_is_checked_where_pdfs_get_no_seal_too(world: World) -> None:
    world[COMMUNE].seal_pdf = False
    begin(world)
    world[COMMUNE].submit("a", flagged(plain_pdf()))
    await world.run()
    assert fault(world) == "PERSON_SIGNATURE_MISSING"


async def test_the_sealed_document_shows_the_seal_beside_the_person(world: World) -> None:
    world[COMMUNE].seal_image = seal_png()
    begin(world)
    content = await signed(world, content=blank_pdf(), box=(330, 140, 480, 200))
    world[COMMUNE].submit("a", flagged(content))
    await world.run()
    (folder,) = world[PROVINCE].delivered()
    delivered = next(data for name, data in world[PROVINCE].opened(folder).items() if name.endswith(".pdf"))
    assert delivered.startswith(content)
    assert b"/Seal" in delivered[len(content) :]
    assert world[COMMUNE].status("a")["notes"] == []


def report(indication: Indication, sub: SubIndication | None = None, *policies: str) -> SignatureReport:
    return SignatureReport(
        path="",
        scope="",
        format="PAdES",
        level="B-B",
        indication=indication,
        sub_indication=sub,
        crypto_intact=True,
        signer="Nguyễn Văn Thọ",
        organisation=None,
        signing_time=None,
        checks=(),
        certificate_sha256=Sha256("ab" * 32),
        policies=policies,
    )


def verdict(*reports: SignatureReport) -> Verdict:
    return Verdict(indication=Indication.TOTAL_PASSED, sub_indication=None, signatures=reports)


RULES = SignerRules(**KNOWN)
OPEN = report(Indication.INDETERMINATE, SubIndication.TRY_LATER, PERSON_POLICY_OID)


def test_missing_revocation_data_is_for_policy_to_decide() -> None:
    with pytest.raises(Exception, match="PERSON_SIGNATURE_UNDECIDED"):
        check_persons(verdict(OPEN), RULES, PersonSignature.REQUIRED, Undecided.HOLD, "a.pdf")
    notes = check_persons(verdict(OPEN), RULES, PersonSignature.REQUIRED, Undecided.DELIVER, "a.pdf")
    assert "revocation of Nguyễn Văn Thọ is not known" in notes[0]


def test_other_doubts_are_not_for_policy_to_decide() -> None:
    doubt = report(Indication.INDETERMINATE, SubIndication.NO_CERTIFICATE_CHAIN_FOUND, PERSON_POLICY_OID)
    with pytest.raises(Exception, match="PERSON_SIGNATURE_INVALID"):
        check_persons(verdict(doubt), RULES, PersonSignature.IF_PRESENT, Undecided.DELIVER, "a.pdf")


def test_a_signature_of_nobody_known_counts_only_where_nothing_tells_persons() -> None:
    unknown = verdict(report(Indication.TOTAL_PASSED))
    assert check_persons(unknown, SignerRules(), PersonSignature.REQUIRED, Undecided.HOLD, "a.pdf") == ()
    with pytest.raises(Exception, match="PERSON_SIGNATURE_MISSING"):
        check_persons(unknown, RULES, PersonSignature.REQUIRED, Undecided.HOLD, "a.pdf")


def test_the_pin_goes_before_the_policy_and_two_policies_tell_nothing() -> None:
    one = Sha256("ab" * 32)
    pinned = SignerRules(persons=frozenset({one}), **KNOWN)
    assert pinned.kind(one, [AGENCY_POLICY_OID]) is SignerKind.PERSON
    assert SignerRules(agencies=frozenset({one}), **KNOWN).kind(one, [PERSON_POLICY_OID]) is SignerKind.AGENCY
    assert RULES.kind(one, [PERSON_POLICY_OID, AGENCY_POLICY_OID]) is SignerKind.UNKNOWN
    assert RULES.kind(one, []) is SignerKind.UNKNOWN
