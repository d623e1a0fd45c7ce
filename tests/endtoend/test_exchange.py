"""What a document-management system is promised of spool and inbox, on real parts."""

from __future__ import annotations

import hashlib
import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from endtoend.parts import (
    check_delivery,
    inbox_of,
    job,
    log_of,
    needs_parts,
    quarantine_of,
    reached,
    refused,
    running,
    small_pdf,
    status,
    submit,
    table,
    until,
)
from fakes.sealed import document_with
from lab.jobs import JobFile, write_folder, write_job
from lab.measure import octets
from lab.offices import Network, Office
from lab.outcome import status_of
from lab.pki import Pki
from lab.processes import edoc_command
from lab.units import COMMUNE, DISTRICT, PROVINCE

from edoc.cli.exit_codes import Exit
from edoc.envelopes.asic import ENVELOPE, Container
from edoc.envelopes.edxml import write_envelope, write_inline
from edoc.model.document import Party
from edoc.model.identifiers import OrganId
from edoc.model.state import State

pytestmark = [needs_parts, pytest.mark.timeout(180)]  # the first test also starts the network


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    folder = tmp_path_factory.mktemp("exchange")
    with running(folder, (COMMUNE, DISTRICT, PROVINCE), {PROVINCE.code: {"inbox": {"edxml": True}}}) as found:
        yield found


@pytest.fixture
def commune(network: Network) -> Office:
    return network.office(COMMUNE)


@pytest.fixture
def district(network: Network) -> Office:
    return network.office(DISTRICT)


@pytest.fixture
def province(network: Network) -> Office:
    return network.office(PROVINCE)


# --- jobs ------------------------------------------------------------------------------------------------------------


def test_a_folder_job_arrives_everywhere_byte_for_byte(commune: Office, district: Office, province: Office) -> None:
    files = (
        JobFile(file="bao-cao.pdf", content=small_pdf(), name="Báo cáo số 07.pdf"),
        JobFile(file="phu-luc.csv", content="hộ,số khẩu\nĐiểu Krứ,6\n".encode(), role="appendix", description="Hộ"),
    )
    submit(commune, job("to-all", DISTRICT, PROVINCE, files=files, dms_id="QLVB-7"))
    told = reached(commune, "to-all", State.DELIVERED)
    package = commune.folder / "state" / "packages" / f"{told.document_id}.asice"
    assert hashlib.sha256(package.read_bytes()).hexdigest() == told.package_sha256
    for office in (district, province):
        folder = office.inbox / told.document_id
        described = check_delivery(folder, files, edxml=office is province)
        assert (folder / "package.asice").read_bytes() == package.read_bytes()
        with (folder / "package.asice").open("rb") as file:
            envelope = b"".join(Container.open(file).stream(ENVELOPE))
        assert (folder / "document.xml").read_bytes() == envelope
        assert described["document_id"] == told.document_id
        assert described["container_sha256"] == told.package_sha256
        assert described["sender"]["code"] == COMMUNE.code
        assert [one["name"] for one in described["attachments"]] == ["Báo cáo số 07.pdf", "phu-luc.csv"]
        assert (folder / described["attachments"][1]["file"]).read_bytes() == files[1].content
        assert (folder / described["attachments"][0]["file"]).read_bytes().startswith(small_pdf())
        assert json.loads((folder / "verification.json").read_bytes())["indication"] == "TOTAL-PASSED"
    assert told.state is State.PACKED
    assert (told.job, told.dms_id, told.code) == ("to-all", "QLVB-7", "1/BC-UBND")
    assert [[line.code for line in one.history] for one in told.recipients] == [["01"], ["01"]]
    assert (commune.status / f"{told.document_id}.json").read_bytes() == (
        commune.status / "by-job" / "to-all.json"
    ).read_bytes()
    assert (commune.folder / "sent" / "to-all" / "phu-luc.csv").read_bytes() == files[1].content
    assert not (commune.outbox / "to-all").exists()


def test_the_receiver_s_plain_edxml_file_is_a_job_that_can_be_sent_on(commune: Office, province: Office) -> None:
    """What `inbox.edxml` writes is what the spool reads: a document with its attachments inline."""
    submit(commune, table("plain", PROVINCE))
    told = reached(commune, "plain", State.DELIVERED)
    content = (province.inbox / told.document_id / "document.edxml").read_bytes()
    onward = content.replace(COMMUNE.code.encode(), b"@").replace(PROVINCE.code.encode(), COMMUNE.code.encode())
    (province.outbox / ".back.tmp").write_bytes(onward.replace(b"@", PROVINCE.code.encode()))
    (province.outbox / ".back.tmp").rename(province.outbox / "back.edxml")
    again = reached(province, "back.edxml", State.DELIVERED)
    folder = commune.inbox / again.document_id
    described = check_delivery(folder, [JobFile(file="", content=b"")])
    assert (folder / described["attachments"][0]["file"]).read_bytes() == b"ten,so\nplain,1\n"
    assert again.document_id != told.document_id


def test_an_edxml_file_and_a_header_with_files_are_jobs(commune: Office, district: Office) -> None:
    content = b"mot,hai\n1,2\n"
    document = replace(
        document_with([content], OrganId(COMMUNE.code)),
        recipients=(Party(organ_id=OrganId(DISTRICT.code), name=DISTRICT.name),),
    )
    (commune.outbox / ".one.part").write_bytes(write_inline(document, [content]))
    (commune.outbox / ".one.part").rename(commune.outbox / "one.edxml")
    names = {"document.xml": write_envelope(document), document.attachments[0].name: content}
    write_folder(commune.outbox, "header", names)
    for name in ("one.edxml", "header"):
        told = reached(commune, name, State.DELIVERED)
        described = check_delivery(district.inbox / told.document_id, [JobFile(file="", content=content)])
        found = district.inbox / told.document_id / described["attachments"][0]["file"]
        assert found.read_bytes() == content
    assert (commune.folder / "sent" / "one.edxml").is_file()


def test_a_program_that_cannot_rename_completes_its_job_with_a_mark(commune: Office) -> None:
    write_job(commune.outbox, table("marked", DISTRICT), ready_mark=True)
    reached(commune, "marked", State.DELIVERED)
    assert (commune.folder / "sent" / "marked").is_dir()
    assert not list(commune.outbox.glob("marked*"))


def test_what_is_not_finished_is_left_alone(commune: Office) -> None:
    ignored = [".hidden", "being.tmp", "being.part", ".x.tmp"]
    for name in ignored:
        write_folder(commune.outbox, f"made-{name}", {"document.json": b"{"}, ready_mark=True)
        (commune.outbox / f"made-{name}.part").rename(commune.outbox / name)
        (commune.outbox / f"made-{name}.ready").unlink(missing_ok=True)
    (commune.outbox / "note.txt").write_text("not a job")
    (commune.outbox / "alone.ready").touch()
    submit(commune, table("after-the-ignored", DISTRICT))  # taken after them, by the same scans
    reached(commune, "after-the-ignored", State.DELIVERED)
    for name in (*ignored, "note.txt", "alone.ready"):
        assert (commune.outbox / name).exists(), name
        assert not (commune.failed / name).exists()


def test_a_refused_job_says_why_in_both_languages(commune: Office) -> None:
    write_folder(commune.outbox, "broken", {"document.json": b"{nothing", "a.pdf": small_pdf()})
    write_folder(commune.outbox, "empty", {})
    submit(commune, job("astray", DISTRICT, sender=COMMUNE))
    reached(commune, "astray", State.DELIVERED)
    for name in ("broken", "empty"):
        refused(commune, name)
        error = json.loads((commune.failed / name / "error.json").read_bytes())
        text = (commune.failed / name / "error.txt").read_text(encoding="utf-8")
        assert set(error) == {"code", "disposition", "text_vi", "text_en", "next_vi", "next_en"}
        assert all(error.values())
        for part in ("text_vi", "text_en", "next_vi", "next_en"):
            assert error[part] in text
        assert status(commune, name).state is State.FAILED
        assert status(commune, name).error is not None
    assert (commune.failed / "broken" / "a.pdf").read_bytes() == small_pdf()


def test_a_mended_job_is_dropped_again_with_its_error_files(commune: Office) -> None:
    write_folder(commune.outbox, "mended", {"document.json": b"{nothing", "bao-cao.pdf": small_pdf()})
    refused(commune, "mended")
    (commune.failed / "mended" / "document.json").write_bytes(job("mended", DISTRICT).description())
    (commune.failed / "mended").rename(commune.outbox / "mended")
    reached(commune, "mended", State.DELIVERED)


def test_the_same_dms_id_is_sent_once_and_other_content_is_refused(commune: Office, district: Office) -> None:
    submit(commune, job("first", DISTRICT, dms_id="one"))
    told = reached(commune, "first", State.DELIVERED)
    before = inbox_of(district)
    submit(commune, job("second", DISTRICT, dms_id="one"))
    assert reached(commune, "second", State.DELIVERED).document_id == told.document_id
    submit(commune, job("third", PROVINCE, dms_id="one"))
    assert refused(commune, "third") == "DMS_ID_CONFLICT"
    assert inbox_of(district) == before


# --- the inbox -------------------------------------------------------------------------------------------------------


class Taker:
    """A DMS that looks without rest, notes every folder that is not complete, and takes each by rename."""

    def __init__(self, office: Office, wanted: set[str]) -> None:
        self.taken = office.folder / "taken"
        self.taken.mkdir(exist_ok=True)
        self.incomplete: list[str] = []
        self.names: list[str] = []
        self._inbox = office.inbox
        self._wanted = wanted
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._done.is_set():
            for folder in self._inbox.iterdir():
                if not folder.name.startswith("."):
                    self._take(folder)

    def _take(self, folder: Path) -> None:
        name = folder.name
        present = {path.name for path in folder.iterdir()}
        described = json.loads((folder / "document.json").read_bytes()) if "document.json" in present else None
        files = {one["file"] for one in described["attachments"]} if described else {"?"}
        if not (self._wanted | files <= present):
            self.incomplete.append(f"{name}: {sorted(present)}")
        self.names.append(name)
        folder.rename(self.taken / name)

    def close(self) -> None:
        self._done.set()
        self._thread.join()


def test_an_inbox_folder_is_complete_at_the_instant_it_appears(commune: Office, district: Office) -> None:
    wanted = {"document.json", "document.xml", "package.asice", "verification.json", "verification.txt"}
    taker = Taker(district, wanted | {"evidence.json"})
    jobs = [table(f"watched-{number}", DISTRICT) for number in range(20)]
    submit(commune, *jobs)
    try:
        told = [reached(commune, one.name, State.DELIVERED) for one in jobs]
        ids = {one.document_id for one in told}
        until("all of them taken", lambda: ids <= set(taker.names))
    finally:
        taker.close()
    assert taker.incomplete == []
    assert len(taker.names) == len(set(taker.names))
    for one in told:
        check_delivery(taker.taken / one.document_id, [JobFile(file="", content=b"")])
    # What the DMS has taken stays taken.
    assert not ids & inbox_of(district)


def test_a_document_of_five_megabytes_comes_in_chunks(commune: Office, district: Office) -> None:
    annex = octets(5 * 1024 * 1024)
    files = (
        JobFile(file="bao-cao.pdf", content=small_pdf()),
        JobFile(file="ho-so.bin", content=annex, role="appendix"),
    )
    submit(commune, job("chunked", DISTRICT, files=files))
    told = reached(commune, "chunked", State.DELIVERED)
    folder = district.inbox / told.document_id
    described = check_delivery(folder, files)
    assert (folder / described["attachments"][1]["file"]).read_bytes() == annex
    assert hashlib.sha256((folder / "package.asice").read_bytes()).hexdigest() == told.package_sha256
    until("no chunks left", lambda: not list((district.folder / "state" / "staging").iterdir()))


def test_offices_with_rsa_and_ecdsa_keys_understand_each_other(commune: Office, district: Office) -> None:
    submit(commune, job("rsa", DISTRICT))
    submit(district, job("ecdsa", COMMUNE, PROVINCE, sender=DISTRICT))
    reached(commune, "rsa", State.DELIVERED)
    told = reached(district, "ecdsa", State.DELIVERED)
    verdict = json.loads((commune.inbox / told.document_id / "verification.json").read_bytes())
    assert {one["format"] for one in verdict["signatures"]} == {"XAdES", "PAdES"}
    assert {one["organisation"] for one in verdict["signatures"]} == {DISTRICT.code}


def test_an_urgent_document_overtakes_a_hundred_others(commune: Office) -> None:
    waiting = [table(f"slow-{number}", DISTRICT) for number in range(100)]
    submit(commune, *waiting)
    submit(commune, table("urgent", DISTRICT, urgency="hỏa tốc"))
    reached(commune, "urgent", State.DELIVERED, limit=60)
    delivered = [one.name for one in waiting if _is_delivered(commune, one.name)]
    assert len(delivered) < 50
    for one in waiting:
        reached(commune, one.name, State.DELIVERED, limit=60)


def _is_delivered(office: Office, name: str) -> bool:
    told = status_of(office, name)
    return told is not None and any(one.state is State.DELIVERED for one in told.recipients)


# --- the commands ----------------------------------------------------------------------------------------------------


def test_verify_tells_its_answers_apart_by_its_exit_code(commune: Office, district: Office, tmp_path: Path) -> None:
    submit(commune, table("to-verify", DISTRICT))
    told = reached(commune, "to-verify", State.DELIVERED)
    package = district.inbox / told.document_id / "package.asice"
    content = package.read_bytes()
    flipped = bytearray(content)
    flipped[content.index(b"to-verify,1")] ^= 1
    (tmp_path / "flipped.asice").write_bytes(flipped)
    (tmp_path / "plain.csv").write_bytes(b"a,b\n")

    def verify(path: Path, *options: str) -> tuple[int, dict[str, object]]:
        done = district.edoc("verify", str(path), "--json", *options)
        return done.returncode, json.loads(done.stdout) if done.stdout else {}

    assert verify(package)[0] == Exit.OK
    code, said = verify(tmp_path / "flipped.asice")
    assert (code, said["indication"]) == (Exit.FAILED, "TOTAL-FAILED")
    assert verify(tmp_path / "plain.csv")[0] == Exit.UNSIGNED
    assert verify(tmp_path / "missing.asice")[0] >= Exit.USAGE


def test_verify_without_the_anchor_of_the_seal_is_indeterminate(
    commune: Office, district: Office, tmp_path: Path
) -> None:
    submit(commune, table("no-anchors", DISTRICT))
    told = reached(commune, "no-anchors", State.DELIVERED)
    package = district.inbox / told.document_id / "package.asice"
    (tmp_path / "root.pem").write_bytes(Pki.create(datetime.now(UTC)).root.pem)  # a root, but not of this seal

    def verify(*options: str) -> subprocess.CompletedProcess[str]:
        command = [edoc_command(), "verify", str(package), "--json", *options]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60)

    for options in (("--trust", "root.pem"), ()):
        done = verify(*options)
        assert done.returncode == Exit.INDETERMINATE, done.stderr
        assert json.loads(done.stdout)["sub_indication"] == "NO_CERTIFICATE_CHAIN_FOUND"
    assert "--trust" in done.stderr  # nothing to trust was named: it says what is missing


def test_status_and_queue_work_beside_the_running_daemon(commune: Office, district: Office) -> None:
    district.daemon.stop()  # nobody answers: the transfer stays where the operator can reach it
    try:
        submit(commune, table("operated", DISTRICT))
        told = reached(commune, "operated", State.SENT)
        shown = commune.edoc("queue", "show", "operated", "--json")
        assert [json.loads(line)["state"] for line in shown.stdout.splitlines()] == ["PACKED", "SENT"], shown.stderr
        _act(commune, "hold", "HELD")
        assert commune.edoc("queue", "hold", "operated").returncode != 0
        listed = commune.edoc("queue", "list", "--state", "HELD", "--json")
        assert told.document_id in listed.stdout
        _act(commune, "release", "QUEUED")
        until("it was published again", lambda: _publications(commune, told.document_id) == 2)
        _act(commune, "retry", "SENT")
        until("and once more", lambda: _publications(commune, told.document_id) == 3)
    finally:
        district.daemon.start()
        district.daemon.wait_ready()
    reached(commune, "operated", State.DELIVERED)
    listed = commune.edoc("status", "--json")
    assert told.document_id in listed.stdout, listed.stderr
    assert commune.edoc("status", "no-such-job").returncode >= Exit.USAGE
    # Three copies were in the queue, and one document arrived.
    assert told.document_id in inbox_of(district)
    lines = [line for line in log_of(district) if line.get("document_id") == told.document_id]
    assert sum(line["event"] == "stage" and line["state"] == State.DELIVERED for line in lines) == 1
    assert quarantine_of(district) == {}


def _publications(office: Office, document_id: str) -> int:
    lines = [line for line in log_of(office) if line["event"] == "stage" and line["document_id"] == document_id]
    return sum(line["kind"] == "transfer" and line["state"] == State.SENT for line in lines)


def _act(office: Office, act: str, state: str) -> None:
    """Do an operator's act, again when the daemon held the record at that moment."""

    def tried() -> bool:
        done = office.edoc("queue", act, "operated", "--json")
        if done.returncode == 0:
            assert json.loads(done.stdout)["state"] == state
            return True
        assert "STATE_CONFLICT" in done.stderr, done.stderr
        return False

    until(f"queue {act}", tried)


def test_nothing_is_left_over(commune: Office, district: Office, province: Office) -> None:
    for office in (commune, district, province):
        assert quarantine_of(office) == {}
        assert [line for line in log_of(office) if line["event"] in {"stage_failed", "arrival_failed"}] == []
