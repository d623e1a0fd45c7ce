"""Against an enemy who has one office's account at the broker and its keys.

He may harm himself.  He must not stop the receiver, speak for another office, lose another's document, or fill the
receiver's memory; and he is told 02 exactly when the rules say so.
"""

from __future__ import annotations

import asyncio
import io
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial

import pytest
from endtoend.enemy import (
    Enemy,
    document,
    enemy,
    new_id,
    package,
    pieces_of,
    sealed,
    sealed_manifest,
    split_up,
)
from endtoend.enemy import status as answer_of
from endtoend.parts import (
    check_delivery,
    inbox_of,
    job,
    log_of,
    needs_parts,
    quarantine_of,
    reached,
    running,
    status,
    submit,
    table,
    until,
)
from fakes.sealed import container, entries_of, seal_entries
from lab.jobs import JobFile
from lab.measure import Memory, octets
from lab.offices import Network, Office
from lab.outcome import states, status_of
from lab.units import CENTRAL, COMMUNE, DISTRICT, PROVINCE, Unit

from edoc.envelopes import asic
from edoc.envelopes.asic import Container
from edoc.exchange.reports import StatusFile
from edoc.model.document import Lane
from edoc.model.identifiers import DocumentId, Sha256, sha256_of
from edoc.model.message import CHUNK_BYTES, MessageType, StatusCode
from edoc.model.state import State
from edoc.signatures import xades

pytestmark = [needs_parts, pytest.mark.timeout(180)]  # the first test also starts the network

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Two honest offices; the district and the centre are accounts without a daemon, in the hands of an enemy."""
    folder = tmp_path_factory.mktemp("hostile")
    units = (COMMUNE, PROVINCE, DISTRICT, CENTRAL)
    small: dict[str, dict[str, object]] = {"policy": {"max_package_bytes": 8 * MIB}}
    with running(folder, units, {COMMUNE.code: small}, idle=(DISTRICT, CENTRAL)) as found:
        yield found


@pytest.fixture
def victim(network: Network) -> Office:
    return network.office(COMMUNE)


@pytest.fixture
def honest(network: Network) -> Office:
    return network.office(PROVINCE)


@pytest.fixture
async def thief(network: Network) -> AsyncIterator[Enemy]:
    async with enemy(network, DISTRICT) as found:
        yield found


@pytest.fixture(autouse=True)
def the_daemons_go_on(network: Network) -> Iterator[None]:
    """After every attack both daemons are the same processes, tell of no bug, and a good document passes."""
    offices = [network.office(COMMUNE), network.office(PROVINCE)]
    name = f"good-{new_id()[:8]}"
    yield
    submit(offices[1], table(name, COMMUNE))
    told = reached(offices[1], name, State.DELIVERED)
    check_delivery(offices[0].inbox / told.document_id, [JobFile(file="", content=b"")])
    for office in offices:
        assert office.daemon.pid is not None, office.daemon.tail()
        bugs = [line for line in log_of(office) if line["event"] in {"stage_failed", "arrival_failed"}]
        assert bugs == []


async def put_away(office: Office, document_id: DocumentId, body: bytes) -> str:
    """Return the fault that a container was put into quarantine with."""
    name = f"{document_id}-{sha256_of(body)[:16]}"
    return await asyncio.to_thread(until, f"{name} in quarantine", lambda: quarantine_of(office).get(name))


async def all_put_away(office: Office, count: int) -> list[str]:
    """Return the faults of everything in quarantine once there are `count`."""

    def look() -> list[str] | None:
        found = quarantine_of(office)
        return list(found.values()) if len(found) >= count else None

    return await asyncio.to_thread(until, f"{count} in quarantine, {len(quarantine_of(office))} are", look)


async def nothing_more(thief: Enemy) -> None:
    """Assert that nobody answers: a later refusal of ours comes alone."""
    document_id = new_id()
    probe = document_id.encode()
    await thief.send_container(probe, document_id, COMMUNE)
    first = await thief.answer_first()
    assert first.document_id == document_id


# --- what is no message of ours --------------------------------------------------------------------------------------


async def test_garbage_is_put_away_and_nobody_is_answered(thief: Enemy, victim: Office) -> None:
    good = dict(thief.headers(thief.message(MessageType.CONTAINER, b"x", new_id(), COMMUNE)))
    wrong: list[dict[str, object]] = [
        {},
        {"edoc-version": "1"},
        good | {"edoc-version": "9.9"},
        good | {"edoc-version": 1},
        good | {"edoc-type": "elephant"},
        good | {"edoc-document-id": "../../../etc/passwd"},
        good | {"edoc-document-id": "A" * 5000},
        good | {"edoc-sha256": "../" * 20},
        good | {"edoc-sha256": "0" * 64},
        good | {"edoc-size": -1},
        good | {"edoc-size": 2**62},
        good | {"edoc-size": "1"},
        good | {"edoc-from": {"a": {"table": 1}}},
        good | {"edoc-hops": 10**9},
        good | {"x-death": "he says so"},
        good | {"edoc-type": "chunk", "edoc-index": 10**9, "edoc-count": 2 * 10**9},
        good | {"edoc-type": "chunk", "edoc-index": 8191, "edoc-count": 8192},
    ]
    before = len(quarantine_of(victim))
    for number, headers in enumerate(wrong):
        await thief.publish(
            b"garbage %d" % number if headers.get("edoc-sha256") != good["edoc-sha256"] else b"x", headers, COMMUNE
        )
    await all_put_away(victim, before + 1)
    await nothing_more(thief)
    for folder in (victim.folder / "quarantine").iterdir():
        assert folder.parent == victim.folder / "quarantine"
        assert (folder / "error.json").is_file()
        assert (folder / "error.txt").is_file()


async def test_what_lost_its_attestation_waits_for_the_operator(thief: Enemy, victim: Office) -> None:
    document_id = new_id()
    body = package(DISTRICT, [COMMUNE], thief.seal, document_id)
    message = thief.message(MessageType.CONTAINER, body, document_id, COMMUNE)
    await thief.publish(body, thief.headers(message) | {"x-first-death-queue": "q"}, COMMUNE)
    assert await put_away(victim, document_id, body) == "ATTESTATION_LOST"
    assert document_id not in inbox_of(victim)
    await nothing_more(thief)


# --- containers ------------------------------------------------------------------------------------------------------


async def test_another_s_container_is_not_taken_from_his_hands(
    thief: Enemy, network: Network, victim: Office, honest: Office
) -> None:
    """Genuine bytes, from somebody who is not their sender: quarantine, an alarm, and no answer."""
    document_id = new_id()
    body = package(PROVINCE, [COMMUNE], network.authority.seals[PROVINCE.code], document_id)
    await thief.send_container(body, document_id, COMMUNE)
    assert await put_away(victim, document_id, body) == "SENDER_NOT_ATTESTED"
    assert document_id not in inbox_of(victim)
    assert [line for line in log_of(victim) if line["event"] == "alarm" and line.get("document_id") == document_id]
    await nothing_more(thief)
    assert await asyncio.to_thread(lambda: status_of(honest, "none")) is None


async def test_a_stolen_copy_does_not_cost_the_receiver_the_document(
    thief: Enemy, victim: Office, honest: Office
) -> None:
    """All recipients get the same bytes, so any of them can bring them again while the first copy still waits."""
    with without_revocation_data(victim):
        submit(honest, table("coveted", COMMUNE, DISTRICT))
        told = await asyncio.to_thread(status, honest, "coveted")
        document_id = DocumentId(told.document_id)
        await asyncio.to_thread(until, "it is held", lambda: _held(victim, document_id))
        body = (honest.folder / "state" / "packages" / f"{document_id}.asice").read_bytes()
        await thief.send_container(body, document_id, COMMUNE)
        assert await put_away(victim, document_id, body) == "SENDER_NOT_ATTESTED"
    await asyncio.to_thread(until, "retried", lambda: victim.edoc("queue", "retry", document_id).returncode == 0)
    await asyncio.to_thread(until, "it is delivered", lambda: _has_receipt(honest, "coveted"))
    check_delivery(victim.inbox / document_id, [JobFile(file="", content=b"")])


def _held(office: Office, document_id: str) -> bool:
    lines = [line for line in log_of(office) if line.get("document_id") == document_id]
    return any(line["event"] == "document_arrived" for line in lines)


def _has_receipt(office: Office, name: str) -> bool:
    told = status_of(office, name)
    return told is not None and states(told)[COMMUNE.code] is State.DELIVERED


async def test_another_s_chunks_are_not_replaced(thief: Enemy, victim: Office, honest: Office) -> None:
    """Chunks name their container by digest, and every recipient knows that digest."""
    victim.daemon.stop()
    try:
        annex = JobFile(file="ho-so.bin", content=octets(3 * MIB))
        submit(honest, job("chunks", COMMUNE, DISTRICT, sender=PROVINCE, files=[annex]))
        told = await asyncio.to_thread(reached, honest, "chunks", State.SENT)
        document_id = DocumentId(told.document_id)
        body = (honest.folder / "state" / "packages" / f"{document_id}.asice").read_bytes()
        manifest = split_up(body, document_id, PROVINCE, COMMUNE)
        for index in range(len(manifest.chunks)):
            await thief.send(thief.chunk(b"\0" * CHUNK_BYTES, manifest, index, COMMUNE), COMMUNE)
    finally:
        victim.daemon.start()
        victim.daemon.wait_ready()
    await asyncio.to_thread(until, "it is delivered", lambda: _has_receipt(honest, "chunks"))
    described = check_delivery(victim.inbox / document_id, [annex])
    found = victim.inbox / document_id / described["attachments"][0]["file"]
    assert found.read_bytes() == annex.content


async def test_an_altered_container_is_refused_once_and_signed(thief: Enemy, victim: Office) -> None:
    for name, altered in _alterations(thief).items():
        document_id, body = altered
        await thief.send_container(body, document_id, COMMUNE)
        fault = await put_away(victim, document_id, body)
        answer = await thief.answer(document_id)
        assert answer.code is StatusCode.REFUSED, name
        assert answer.fault == fault, name
        assert answer.container_sha256 == sha256_of(body), name
        assert document_id not in inbox_of(victim), name
        await thief.send_container(body, document_id, COMMUNE)  # the same again is not answered again
    await nothing_more(thief)


def _alterations(thief: Enemy) -> dict[str, tuple[DocumentId, bytes]]:
    content = b"ten,so\nNguyen Van A,1\n"
    found: dict[str, tuple[DocumentId, bytes]] = {}

    def made(name: str) -> None:
        document_id = new_id()
        written = document(DISTRICT, [COMMUNE], [content], document_id)
        entries = entries_of(written, [content])
        signatures = seal_entries(entries, thief.seal, at=datetime.now(UTC))
        found[name] = (document_id, _altered(name, entries, signatures))

    for name in ("attachment", "envelope", "signature", "extra", "renamed", "missing", "unsigned", "truncated"):
        made(name)
    return found


def _altered(name: str, entries: list[tuple[str, str, bytes]], signatures: bytes) -> bytes:
    envelope, attachment = entries
    match name:
        case "attachment":
            entries = [envelope, (*attachment[:2], attachment[2].replace(b",1", b",9"))]
        case "envelope":
            entries = [(*envelope[:2], envelope[2].replace(b">123<", b">124<")), attachment]
        case "signature":
            at = signatures.index(b"SignatureValue") + 200
            flipped = b"A" if signatures[at : at + 1] != b"A" else b"B"
            signatures = signatures[:at] + flipped + signatures[at + 1 :]
        case "extra":
            entries = [*entries, ("attachments/2.csv", "text/csv", b"smuggled")]
        case "renamed":
            entries = [envelope, ("attachments/2.pdf", *attachment[1:])]
        case "missing":
            entries = [envelope]
    body = container(entries, None if name == "unsigned" else signatures)
    return body[:-40] if name == "truncated" else body


async def test_a_seal_that_is_not_pinned_or_revoked_is_refused(thief: Enemy, network: Network, victim: Office) -> None:
    stranger = network.pki.seal(DISTRICT.code, DISTRICT.name)  # a true certificate, but the directory has another
    document_id = new_id()
    body = package(DISTRICT, [COMMUNE], stranger, document_id)
    await thief.send_container(body, document_id, COMMUNE)
    assert await put_away(victim, document_id, body) == "SEAL_NOT_ACCEPTED"
    answer = await thief.answer(document_id)
    assert (answer.code, answer.fault) == (StatusCode.REFUSED, "SEAL_NOT_ACCEPTED")

    seal = network.authority.seals[CENTRAL.code]
    network.pki.revoke(seal.certificate, seal.certificate.not_valid_before_utc)
    network.publish_trust()
    async with enemy(network, CENTRAL) as revoked:
        document_id = new_id()
        body = package(CENTRAL, [COMMUNE], seal, document_id)
        await revoked.send_container(body, document_id, COMMUNE)
        assert await put_away(victim, document_id, body) == "SEAL_NOT_ACCEPTED"
        answer = await revoked.answer(document_id)
        assert (answer.code, answer.fault) == (StatusCode.REFUSED, "SEAL_NOT_ACCEPTED")
    assert document_id not in inbox_of(victim)


async def test_a_document_for_others_or_under_another_id_is_refused(thief: Enemy, victim: Office) -> None:
    astray, hinted = new_id(), new_id()
    body = package(DISTRICT, [PROVINCE], thief.seal, astray)
    await thief.send_container(body, astray, COMMUNE)
    assert await put_away(victim, astray, body) == "NOT_FOR_US"
    assert (await thief.answer(astray)).fault == "NOT_FOR_US"
    body = package(DISTRICT, [COMMUNE], thief.seal, new_id())
    await thief.send_container(body, hinted, COMMUNE)
    assert await put_away(victim, hinted, body) == "HINT_MISMATCH"
    assert (await thief.answer(hinted)).fault == "HINT_MISMATCH"


async def test_the_same_id_with_other_content_changes_nothing(thief: Enemy, victim: Office) -> None:
    document_id = new_id()
    first = package(DISTRICT, [COMMUNE], thief.seal, document_id, b"first")
    await thief.send_container(first, document_id, COMMUNE)
    assert (await thief.answer(document_id)).code is StatusCode.ARRIVED
    second = package(DISTRICT, [COMMUNE], thief.seal, document_id, b"second")
    await thief.send_container(second, document_id, COMMUNE)
    assert (await thief.answer(document_id)).fault == "DOCUMENT_CONFLICT"
    assert await put_away(victim, document_id, second) == "DOCUMENT_CONFLICT"
    assert (victim.inbox / document_id / "package.asice").read_bytes() == first
    # The first one again: the same receipt, and no second folder.
    await thief.send_container(first, document_id, COMMUNE)
    again = await thief.answer(document_id)
    assert (again.code, again.container_sha256) == (StatusCode.ARRIVED, sha256_of(first))


async def test_the_id_of_another_office_s_document_can_be_used_beside_it(
    thief: Enemy, victim: Office, honest: Office
) -> None:
    """Ids are per sender: who takes another's id neither overwrites nor blocks that document."""
    submit(honest, table("known-id", COMMUNE))
    told = await asyncio.to_thread(reached, honest, "known-id", State.DELIVERED)
    document_id = DocumentId(told.document_id)
    before = (victim.inbox / document_id / "package.asice").read_bytes()
    body = package(DISTRICT, [COMMUNE], thief.seal, document_id, b"mine")
    await thief.send_container(body, document_id, COMMUNE)
    answer = await thief.answer(document_id)
    assert (victim.inbox / document_id / "package.asice").read_bytes() == before
    if answer.code is StatusCode.ARRIVED:  # a receipt is given only for what can be found in the inbox
        found = [path for path in victim.inbox.glob("*/package.asice") if path.read_bytes() == body]
        assert len(found) == 1


async def test_an_id_that_was_used_first_by_another_does_not_cost_the_document(
    thief: Enemy, network: Network, victim: Office
) -> None:
    document_id = new_id()
    mine = package(DISTRICT, [COMMUNE], thief.seal, document_id, b"mine")
    await thief.send_container(mine, document_id, COMMUNE)
    assert (await thief.answer(document_id)).code is StatusCode.ARRIVED
    genuine = package(PROVINCE, [COMMUNE], network.authority.seals[PROVINCE.code], document_id, b"genuine")
    async with enemy(network, PROVINCE) as province:  # its own account, in its own hands
        await province.send_container(genuine, document_id, COMMUNE)
    folder = victim.inbox / f"{document_id}~{PROVINCE.code}"
    await asyncio.to_thread(until, "the genuine document", folder.is_dir)
    described = check_delivery(folder, [JobFile(file="", content=b"")])
    assert (described["document_id"], described["sender"]["code"]) == (document_id, PROVINCE.code)
    assert (folder / "package.asice").read_bytes() == genuine
    assert DISTRICT.code not in (folder / "evidence.json").read_text().replace(COMMUNE.code, "")
    assert (victim.inbox / document_id / "package.asice").read_bytes() == mine


async def test_a_held_document_is_not_displaced_by_another_under_its_id(thief: Enemy, victim: Office) -> None:
    document_id = new_id()
    first = package(DISTRICT, [COMMUNE], thief.seal, document_id, b"first")
    second = package(DISTRICT, [COMMUNE], thief.seal, document_id, b"second")
    with without_revocation_data(victim):
        await thief.send_container(first, document_id, COMMUNE)
        await asyncio.to_thread(until, "it is held", lambda: _held(victim, document_id))
        await thief.send_container(second, document_id, COMMUNE)
        assert await put_away(victim, document_id, second) == "DOCUMENT_CONFLICT"
    await asyncio.to_thread(until, "retried", lambda: victim.edoc("queue", "retry", document_id).returncode == 0)
    await asyncio.to_thread(until, "the first is delivered", (victim.inbox / document_id).is_dir)
    assert (victim.inbox / document_id / "package.asice").read_bytes() == first


@contextmanager
def without_revocation_data(office: Office) -> Iterator[None]:
    """Take the revocation lists away: what arrives cannot be decided and is held."""
    crls = office.folder / "trust" / "crls"
    kept = {path: path.read_bytes() for path in crls.iterdir()}
    for path in kept:
        path.unlink()
    try:
        yield
    finally:
        for path, content in kept.items():
            path.write_bytes(content)


async def test_an_honest_sender_reads_why_his_document_was_refused(victim: Office, honest: Office) -> None:
    annex = JobFile(file="ho-so.bin", content=octets(9 * MIB))
    submit(honest, job("too-large", COMMUNE, sender=PROVINCE, files=[annex]))
    told = await asyncio.to_thread(reached, honest, "too-large", State.REFUSED)
    line = told.recipients[0].history[0]
    assert (line.code, line.fault) == (StatusCode.REFUSED, "PACKAGE_TOO_LARGE")
    assert line.description
    assert told.document_id not in inbox_of(victim)


# --- bombs -----------------------------------------------------------------------------------------------------------


@cache
def _zip_bomb() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(asic.MIMETYPE, asic.MEDIA_TYPE)
        archive.writestr(asic.ENVELOPE, b" " * (300 * MIB), zipfile.ZIP_DEFLATED, 9)
        archive.writestr(asic.SIGNATURES, b"<x/>")
    return target.getvalue()


def _lying_zip() -> bytes:
    """Return a container whose envelope says that it is small, and is not."""
    body = bytearray(_zip_bomb())
    size = struct.pack("<I", 300 * MIB)
    return bytes(body.replace(size, struct.pack("<I", 1000)))


ENTITIES = b"""<?xml version="1.0"?><!DOCTYPE e [<!ENTITY a "aaaaaaaaaaaaaaaaaaaa">%s]>
<edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016">&j;</edXML>""" % b"".join(
    b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 20) for n in range(10)
)
FILES = b"""<?xml version="1.0"?><!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016">&x;</edXML>"""
DEEP = b"<a>" * 100_000 + b"</a>" * 100_000


async def test_bombs_go_off_in_the_child_alone(thief: Enemy, victim: Office) -> None:
    memory = Memory(victim.daemon.pid or 0)
    try:
        for body in (_zip_bomb(), _lying_zip()):
            document_id = new_id()
            await thief.send_container(body, document_id, COMMUNE)
            await put_away(victim, document_id, body)
            assert (await thief.answer(document_id)).code is StatusCode.REFUSED
        content = zlib.compress(b" " * (200 * MIB), 9)
        pdf = b"%PDF-1.7\n1 0 obj<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length " + str(len(content)).encode()
        pdf += b">>stream\n" + content + b"\nendstream endobj\ntrailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n"
        document_id = new_id()
        body = sealed(document(DISTRICT, [COMMUNE], [pdf], document_id), [pdf], thief.seal)
        await thief.send_container(body, document_id, COMMUNE)
        await thief.answer(document_id)
        for status_body in (ENTITIES, FILES, DEEP):
            document_id = new_id()
            await thief.send_status(status_body, document_id, COMMUNE)
            await put_away(victim, document_id, status_body)
        await nothing_more(thief)
    finally:
        memory.close()
    assert memory.peak_self < 250 * MIB


# --- chunks ----------------------------------------------------------------------------------------------------------


async def test_chunks_that_lead_nowhere_cost_nothing_else(thief: Enemy, victim: Office) -> None:
    document_id = new_id()
    body = package(DISTRICT, [COMMUNE], thief.seal, document_id, octets(2 * MIB))
    manifest = split_up(body, document_id, DISTRICT, COMMUNE)
    pieces = pieces_of(body)
    assert len(pieces) == 3
    # Chunks first, in no order, twice, one of them wrong at first; the manifest last.
    for index in (2, 0, 2):
        await thief.send(thief.chunk(pieces[index], manifest, index, COMMUNE), COMMUNE)
    await thief.send(thief.chunk(b"wrong", manifest, 1, COMMUNE), COMMUNE)
    await thief.send(thief.chunk(pieces[1], manifest, 1, COMMUNE), COMMUNE)
    signed = sealed_manifest(manifest, thief.seal)
    await thief.send(thief.message(MessageType.MANIFEST, signed, document_id, COMMUNE), COMMUNE)
    assert (await thief.answer(document_id)).code is StatusCode.ARRIVED
    assert (victim.inbox / document_id / "package.asice").read_bytes() == body
    # A chunk whose manifest never comes, and one far beyond what an office takes.
    lost = replace(manifest, sha256=sha256_of(b"nothing"))
    await thief.send(thief.chunk(pieces[0], lost, 0, COMMUNE), COMMUNE)
    await nothing_more(thief)


async def test_a_manifest_by_another_or_about_another_is_put_away(
    thief: Enemy, network: Network, victim: Office
) -> None:
    seal = network.authority.seals[PROVINCE.code]
    document_id = new_id()
    body = package(PROVINCE, [COMMUNE], seal, document_id, octets(2 * MIB))
    manifest = split_up(body, document_id, PROVINCE, COMMUNE)
    for signed in (sealed_manifest(manifest, thief.seal), sealed_manifest(manifest, seal), b"garbage"):
        await thief.send(thief.message(MessageType.MANIFEST, signed, document_id, COMMUNE), COMMUNE)
        await put_away(victim, document_id, signed)
    await nothing_more(thief)
    assert document_id not in inbox_of(victim)


# --- answers that are none -------------------------------------------------------------------------------------------


async def test_only_the_recipient_s_own_answer_about_our_bytes_counts(
    thief: Enemy, network: Network, honest: Office
) -> None:
    """Replayed, signed by another, about something else, about nothing: the transfer stays where it is."""
    submit(honest, table("answered", COMMUNE, DISTRICT))
    told = await asyncio.to_thread(until, "the victim's receipt", lambda: _told_by(honest, "answered", COMMUNE))
    document_id = DocumentId(told.document_id)
    body = (honest.folder / "state" / "packages" / f"{document_id}.asice").read_bytes()
    digests = _digests(body)
    receipt = next((honest.folder / "state").rglob(f"{document_id}.status-*.edxml"), None)
    genuine = receipt.read_bytes() if receipt is not None else b""
    assert genuine
    stranger, unknown = network.authority.seals[CENTRAL.code], new_id()
    about = partial(answer_of, network, to=PROVINCE, package=body, digests=digests)
    lies = {
        "a replay of another's receipt": genuine,
        "in another's name": about(COMMUNE, document_id, seal=thief.seal, code=StatusCode.REFUSED),
        "signed by another": about(DISTRICT, document_id, seal=stranger),
        "about other bytes": answer_of(network, DISTRICT, document_id, to=PROVINCE, package=b"x", digests=digests),
        "about other seals": answer_of(network, DISTRICT, document_id, to=PROVINCE, package=body, digests=digests[:0]),
        "about no document": about(DISTRICT, unknown),
        "not signed": about(DISTRICT, document_id).replace(b"SignatureValue", b"SignatureValu"),
    }
    for name, lie in lies.items():
        await thief.send_status(lie, document_id, PROVINCE)
        assert await put_away(honest, document_id, lie), name
    assert states(status(honest, "answered")) == {COMMUNE.code: State.DELIVERED, DISTRICT.code: State.SENT}
    assert await thief.answers() == []  # a status is never answered with a status

    # His own true answers count, and nothing after the end takes it back.
    status_id = new_id()
    true = about(DISTRICT, document_id, status_id=status_id)
    await thief.send_status(true, document_id, PROVINCE)
    told = await asyncio.to_thread(reached, honest, "answered", State.DELIVERED)
    other = about(DISTRICT, document_id, status_id=status_id, code=StatusCode.REFUSED)
    for again in (true, other, about(DISTRICT, document_id, code=StatusCode.REFUSED)):
        await thief.send_status(again, document_id, PROVINCE)
    told = await asyncio.to_thread(until, "the late refusal in the history", lambda: _history(honest, "answered", 2))
    assert set(states(told).values()) == {State.DELIVERED}
    (mine,) = (one for one in told.recipients if one.organ_id == DISTRICT.code)
    assert [line.code for line in mine.history] == [StatusCode.ARRIVED, StatusCode.REFUSED]
    kept = [path.read_bytes() for path in (honest.folder / "state").rglob(f"*.status-{status_id}.edxml")]
    assert kept == [true]  # the same id with other bytes replaces nothing


def _told_by(office: Office, name: str, unit: Unit) -> StatusFile | None:
    told = status_of(office, name)
    return told if told is not None and states(told).get(unit.code) is State.DELIVERED else None


def _history(office: Office, name: str, length: int) -> StatusFile | None:
    told = status_of(office, name)
    return told if told is not None and any(len(one.history) >= length for one in told.recipients) else None


def _digests(body: bytes) -> tuple[Sha256, ...]:
    found = Container.open(io.BytesIO(body))
    return xades.signature_digests(b"".join(found.stream(asic.SIGNATURES)))


async def test_an_answer_about_a_document_that_was_not_for_him_is_put_away(
    thief: Enemy, network: Network, honest: Office
) -> None:
    submit(honest, table("not-his", COMMUNE))
    told = await asyncio.to_thread(reached, honest, "not-his", State.DELIVERED)
    document_id = DocumentId(told.document_id)
    body = (honest.folder / "state" / "packages" / f"{document_id}.asice").read_bytes()
    lie = answer_of(network, DISTRICT, document_id, to=PROVINCE, package=body, digests=_digests(body))
    await thief.send_status(lie, document_id, PROVINCE)
    assert await put_away(honest, document_id, lie) == "RECEIPT_UNEXPECTED"
    assert status(honest, "not-his") == told
    assert len(list((honest.folder / "state").rglob(f"{document_id}.status-*"))) == 1  # the true receipt


# --- numbers ---------------------------------------------------------------------------------------------------------


async def test_five_hundred_garbage_messages_do_not_keep_a_good_document_out(
    thief: Enemy, victim: Office, honest: Office
) -> None:
    memory = Memory(victim.daemon.pid or 0)
    try:
        await thief.send_container(b"warm", new_id(), COMMUNE)
        before = memory.peak_self
        started = len(quarantine_of(victim))
        bodies = [octets(20_000 + number) for number in range(500)]
        await asyncio.gather(*(thief.publish(body, {}, COMMUNE) for body in bodies[:250]))
        submit(honest, table("between", COMMUNE))
        await asyncio.gather(*(thief.publish(body, {}, COMMUNE) for body in bodies[250:]))
        await asyncio.to_thread(reached, honest, "between", State.DELIVERED)
        await all_put_away(victim, started + 500)
    finally:
        memory.close()
    assert memory.peak_self < (before or 150 * MIB) + 60 * MIB


async def test_garbage_in_the_urgent_lane_is_put_away_too(thief: Enemy, victim: Office) -> None:
    before = len(quarantine_of(victim))
    await thief.publish(b"urgent garbage", {}, COMMUNE, Lane.URGENT)
    await all_put_away(victim, before + 1)
