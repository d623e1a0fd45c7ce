"""What stops, is killed or replaced while documents are under way: nothing is lost, nothing comes twice."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

import pytest
from endtoend.parts import (
    check_delivery,
    inbox_of,
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
from lab.jobs import Job, JobFile
from lab.offices import Network, Office, write_private
from lab.offices import replace as put
from lab.outcome import states, status_of
from lab.processes import edoc_command
from lab.trust import sign_detached
from lab.units import COMMUNE, DISTRICT

from edoc.daemon import EXIT_CONFIGURATION
from edoc.directory.codec import decode_directory, encode_directory
from edoc.directory.organisation import Snapshot
from edoc.model.state import State

pytestmark = [needs_parts, pytest.mark.timeout(240)]  # the first test also starts the network


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with running(tmp_path_factory.mktemp("survival"), (COMMUNE, DISTRICT)) as found:
        yield found


@pytest.fixture
def sender(network: Network) -> Office:
    return network.office(COMMUNE)


@pytest.fixture
def receiver(network: Network) -> Office:
    return network.office(DISTRICT)


def delivered_once(sender: Office, receiver: Office, jobs: Sequence[Job], limit: float = 90.0) -> None:
    """Assert that each job is in the inbox once, complete, with one receipt, and that the status files say so."""
    ids = set()
    for one in jobs:
        told = reached(sender, one.name, State.DELIVERED, limit)
        assert told.state is State.PACKED
        assert [line.code for line in told.recipients[0].history] == ["01"], one.name
        assert (sender.folder / "sent" / one.name).is_dir()
        ids.add(told.document_id)
    assert len(ids) == len(jobs)
    for document_id in ids:
        check_delivery(receiver.inbox / document_id, [JobFile(file="", content=b"")])
    moves = [
        line["document_id"]
        for line in log_of(receiver)
        if line["event"] == "stage" and line["kind"] == "reception" and line["state"] == State.DELIVERED
    ]
    assert sorted(moves) == sorted(set(moves))
    for office in (sender, receiver):
        assert quarantine_of(office) == {}
        assert not [path for path in (office.folder / "inbox").iterdir() if path.name.startswith(".")]
        assert [line for line in log_of(office) if line["event"] in {"stage_failed", "arrival_failed"}] == []
    until("nothing staged", lambda: not _staged(receiver))
    until("nothing claimed", lambda: not list((sender.folder / "state" / "claimed").iterdir()))


def _staged(office: Office) -> list[str]:
    return [str(path) for path in (office.folder / "state" / "staging").rglob("*") if path.is_file()]


def _delivered(office: Office, jobs: Sequence[Job]) -> int:
    found = (status_of(office, one.name) for one in jobs)
    return sum(told is not None and set(states(told).values()) == {State.DELIVERED} for told in found)


def _are_delivered(office: Office, jobs: Sequence[Job], wanted: int) -> bool:
    return _delivered(office, jobs) >= wanted


def test_without_the_token_documents_wait_and_reception_goes_on(sender: Office, receiver: Office) -> None:
    sender.signer.stop()
    try:
        waiting = [table(f"waiting-{number}", DISTRICT) for number in range(3)]
        submit(sender, *waiting)
        for one in waiting:
            assert status(sender, one.name).state in {State.ACCEPTED, State.SEALED}
        submit(receiver, table("incoming", COMMUNE))
        told = reached(receiver, "incoming", State.SENT)
        until("it is in the inbox", lambda: told.document_id in inbox_of(sender))
        assert _delivered(sender, waiting) == 0
        assert _delivered(receiver, [table("incoming", COMMUNE)]) == 0  # the receipt waits for the token
        assert sender.edoc("token", "state").returncode != 0
    finally:
        sender.signer.start()
        sender.signer.wait_ready()
    delivered_once(sender, receiver, waiting)
    reached(receiver, "incoming", State.DELIVERED)


def test_daemons_killed_again_and_again_lose_nothing(sender: Office, receiver: Office) -> None:
    jobs = [table(f"killed-{number}", DISTRICT) for number in range(30)]
    submit(sender, *jobs)
    for kill, office in enumerate((receiver, sender, receiver, sender)):
        # Not after a time but after some progress, so that every kill meets documents under way.
        until(f"some delivered before kill {kill}", partial(_are_delivered, sender, jobs, 1 + 6 * kill), 60)
        office.daemon.kill()
        office.daemon.start()
        office.daemon.wait_ready()
    delivered_once(sender, receiver, jobs)


def test_a_broker_killed_while_documents_are_under_way_loses_nothing(
    network: Network, sender: Office, receiver: Office
) -> None:
    jobs = [table(f"broker-{number}", DISTRICT) for number in range(30)]
    submit(sender, *jobs)
    until("some are delivered", lambda: _delivered(sender, jobs) >= 3)
    network.node.kill()
    more = [table(f"meanwhile-{number}", DISTRICT) for number in range(3)]
    submit(sender, *more)
    for one in more:
        until(f"{one.name} is packed", lambda one=one: status(sender, one.name).state is State.PACKED)  # type: ignore[misc]  # bound now
    network.node.start()
    delivered_once(sender, receiver, [*jobs, *more])


def test_sigterm_stops_in_good_time_and_leaves_the_work_for_the_next_start(sender: Office, receiver: Office) -> None:
    jobs = [table(f"stopped-{number}", DISTRICT) for number in range(30)]
    submit(sender, *jobs)
    until("some are delivered", lambda: _delivered(sender, jobs) >= 1)
    sender.daemon.ask_to_stop()
    until("the daemon ends", lambda: sender.daemon.pid is None, 25)
    assert [line["event"] for line in log_of(sender)][-1] == "stopped"
    sender.daemon.start()
    sender.daemon.wait_ready()
    delivered_once(sender, receiver, jobs)


def test_a_second_daemon_on_the_same_state_is_refused(sender: Office, receiver: Office) -> None:
    second = sender.edoc("daemon")
    assert second.returncode == EXIT_CONFIGURATION
    assert "journal" in second.stderr.lower()
    assert "Traceback" not in second.stderr
    submit(sender, table("beside-the-second", DISTRICT))
    reached(sender, "beside-the-second", State.DELIVERED)
    assert receiver.daemon.pid is not None


def test_a_wrong_pin_is_tried_once_and_unlocked_by_a_person(sender: Office, receiver: Office) -> None:
    pin = sender.folder / "secrets" / "pin"
    right = pin.read_bytes()
    sender.signer.stop()
    write_private(pin, b"00000000")
    try:
        for _ in range(2):  # a start again costs no second try
            sender.signer.kill()
            sender.signer.start()
            sender.signer.wait_ready()
            until("the PIN is blocked", lambda: _presence(sender) == "pin-blocked")
        submit(sender, table("blocked", DISTRICT))
        assert status(sender, "blocked").state in {State.ACCEPTED, State.SEALED}
        done = subprocess.run(
            [edoc_command(), "token", "unlock", "--config", str(sender.config)],
            input=right.decode() + "\n",
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert _presence(sender) == "ready"
        assert right.decode() not in (sender.folder / "log" / "signer.log").read_text(encoding="utf-8")
        reached(sender, "blocked", State.DELIVERED, 60)
    finally:
        write_private(pin, right)
    # The stored one was replaced: a person says so, once.
    assert sender.edoc("token", "unlock", "--replaced").returncode == 0
    sender.signer.stop()
    sender.signer.start()
    sender.signer.wait_ready()
    until("ready with the stored PIN", lambda: _presence(sender) == "ready")
    submit(sender, table("after-the-pin", DISTRICT))
    reached(sender, "after-the-pin", State.DELIVERED, 60)
    assert receiver.signer.pid is not None


def _presence(office: Office) -> str:
    return str(json.loads(office.edoc("token", "state", "--json").stdout)["presence"])


def test_a_forged_or_older_directory_is_refused_and_the_old_one_stays(
    network: Network, sender: Office, receiver: Office
) -> None:
    files = {name: network.trust.files[name] for name in ("directory.json", "directory.json.p7s")}
    now = datetime.now(UTC)
    snapshot = decode_directory(files["directory.json"])
    newer = encode_directory(_without_the_commune(snapshot, snapshot.version + 5))
    no_newer = encode_directory(_without_the_commune(snapshot, snapshot.version))
    forger = network.pki.seal("000.00.00.G09", "Danh bạ", kind="ec")  # the right name, but not the pinned certificate
    attacks = (
        (sender, "DIRECTORY_SIGNATURE", newer, sign_detached(newer, forger, now)),
        (receiver, "DIRECTORY_ROLLBACK", no_newer, sign_detached(no_newer, network.authority.directory_signer, now)),
    )
    try:
        for office, _, content, signature in attacks:
            put(office.folder / "trust" / "directory.json.p7s", signature)
            put(office.folder / "trust" / "directory.json", content)
        for office, fault, _, _ in attacks:
            until(f"an alarm {fault}", partial(_alarmed, office, fault))
        submit(sender, table("despite-the-forgery", DISTRICT))
        reached(sender, "despite-the-forgery", State.DELIVERED)
        for office in (sender, receiver):  # nor does a start believe it
            office.daemon.stop()
            office.daemon.start()
        for office in (sender, receiver):
            office.daemon.wait_ready()
        submit(sender, table("despite-a-start", DISTRICT))
        reached(sender, "despite-a-start", State.DELIVERED)
    finally:
        network.publish_trust()


def _without_the_commune(snapshot: Snapshot, version: int) -> Snapshot:
    return Snapshot(
        version=version,
        issued_at=snapshot.issued_at,
        expires_at=snapshot.expires_at,
        organisations=tuple(one for one in snapshot.organisations if one.code != COMMUNE.code),
    )


def _alarmed(office: Office, fault: str) -> bool:
    return any(line["event"] == "alarm" and line["fault"] == fault for line in log_of(office))
