"""Against a local user who may write into the spool: a document-management system that was taken over.

He may make jobs fail.  He must not have files read that are not his, stop the daemon, reach the token, or lose other
people's jobs.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from endtoend.parts import (
    check_delivery,
    job,
    log_of,
    needs_parts,
    reached,
    refused,
    running,
    small_pdf,
    submit,
    table,
    until,
)
from lab.jobs import JobFile, write_folder
from lab.offices import Network, Office
from lab.outcome import states, status_of
from lab.units import COMMUNE, DISTRICT

from edoc.exchange.reports import StatusFile
from edoc.model.state import State

pytestmark = [needs_parts, pytest.mark.timeout(180)]  # the first test also starts the network

SECRET = b"the secret of another user\n"
NOBODY = 65534


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    # allowed_users: the socket is then reachable through its folder, and the kernel's word on the peer decides.
    changes: dict[str, dict[str, object]] = {"token": {"allowed_users": ["root"]}}
    with running(tmp_path_factory.mktemp("dms"), (COMMUNE, DISTRICT), {COMMUNE.code: changes}) as found:
        yield found


@pytest.fixture
def office(network: Network) -> Office:
    return network.office(COMMUNE)


@pytest.fixture(autouse=True)
def the_daemon_goes_on(network: Network) -> Iterator[None]:
    office = network.office(COMMUNE)
    yield
    name = f"good-{len(log_of(office))}"
    submit(office, table(name, DISTRICT))
    told = reached(office, name, State.DELIVERED, 60)
    check_delivery(network.office(DISTRICT).inbox / told.document_id, [JobFile(file="", content=b"")])
    assert office.daemon.pid is not None
    assert [line for line in log_of(office) if line["event"] == "stage_failed"] == []


def described(*files: str) -> bytes:
    """Return a document.json that declares `files`."""
    return job("x", DISTRICT, files=[JobFile(file=name, content=b"x") for name in files]).description()


def no_digests(description: bytes) -> bytes:
    fields = json.loads(description)
    for one in fields["attachments"]:
        del one["sha256"]
    return json.dumps(fields).encode()


def link(folder: Path, secret: Path) -> None:
    (folder / "bao-cao.pdf").symlink_to(secret)


def hard_link(folder: Path, secret: Path) -> None:
    (folder / "bao-cao.pdf").hardlink_to(secret)


def pipe(folder: Path, _: Path) -> None:
    os.mkfifo(folder / "bao-cao.pdf")


def listener(folder: Path, _: Path) -> None:
    # A socket's address is at most 107 octets, so it is bound through a short way.
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as found:
            found.bind(f"/proc/self/fd/{here}/bao-cao.pdf")
    finally:
        os.close(here)


def device(folder: Path, _: Path) -> None:
    os.mknod(folder / "bao-cao.pdf", stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero


def nested(folder: Path, _: Path) -> None:
    (folder / "bao-cao.pdf").mkdir()


def linked_description(folder: Path, secret: Path) -> None:
    (folder / "bao-cao.pdf").write_bytes(small_pdf())
    (folder / "document.json").unlink()
    (folder / "document.json").symlink_to(secret)


def sparse(folder: Path, _: Path) -> None:
    with (folder / "bao-cao.pdf").open("wb") as file:
        file.truncate(1 << 40)


TRICKS: list[Callable[[Path, Path], None]] = [
    link,
    hard_link,
    pipe,
    listener,
    device,
    nested,
    linked_description,
    sparse,
]


def test_what_is_not_a_plain_file_makes_the_job_fail_and_is_never_followed(office: Office) -> None:
    secret = office.folder / "secret"
    secret.write_bytes(SECRET)
    for trick in TRICKS:
        name = trick.__name__
        folder = office.outbox / f".{name}.tmp"
        folder.mkdir()
        (folder / "document.json").write_bytes(no_digests(described("bao-cao.pdf")))
        try:
            trick(folder, secret)
        except PermissionError:
            shutil.rmtree(folder)
            continue  # this account may not make devices
        folder.rename(office.outbox / name)
        code = refused(office, name)
        assert code in {
            "NOT_A_REGULAR_FILE",
            "HARD_LINK",
            "NESTED_FOLDER",
            "FILE_TOO_LARGE",
        }, f"{name}: {code}"
    secret.unlink()
    _nothing_of_it(office)


def test_a_job_that_is_itself_a_link_or_a_pipe_fails(office: Office) -> None:
    elsewhere = office.folder / "elsewhere"
    write_folder(office.folder, "elsewhere", {"document.json": described("a.pdf"), "a.pdf": SECRET})
    (office.outbox / "linked-folder").symlink_to(elsewhere)
    (office.outbox / "linked.edxml").symlink_to(elsewhere / "a.pdf")
    (office.outbox / "dangling").symlink_to("/nowhere/at/all")
    os.mkfifo(office.outbox / "pipe")
    for name in ("linked-folder", "linked.edxml", "dangling", "pipe"):
        assert refused(office, name) == "NOT_A_REGULAR_FILE", name
    assert (elsewhere / "a.pdf").read_bytes() == SECRET
    assert (elsewhere / "document.json").exists()
    _nothing_of_it(office)
    shutil.rmtree(elsewhere)


def _nothing_of_it(office: Office) -> None:
    """Assert that no file of the daemon's own holds the secret."""
    copies = [
        path
        for path in (office.folder / "state").rglob("*")
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 10_000_000 and SECRET in path.read_bytes()
    ]
    assert copies == []


def test_names_that_would_leave_the_folder_stay_in_it(office: Office, network: Network) -> None:
    long = "ă" * 126 + ".md"  # 255 octets, the most a name can have
    folder = office.outbox / ".long.tmp"
    folder.mkdir()
    (folder / "document.json").write_bytes(no_digests(described("a.csv")))
    (folder / "a.csv").write_bytes(b"x")
    folder.rename(office.outbox / long)
    odd = {"..": "../../../../etc/cron.d/x", "null": "a\u0000b.csv", "long": "x" * 300 + ".csv", "device": "CON.csv"}
    for name, declared in odd.items():
        fields = json.loads(no_digests(described("a.csv")))
        fields["attachments"][0]["file"] = declared
        write_folder(office.outbox, f"file-{name}", {"document.json": json.dumps(fields).encode(), "a.csv": b"x"})
        fields["attachments"][0] |= {"file": "a.csv", "name": declared}
        write_folder(office.outbox, f"name-{name}", {"document.json": json.dumps(fields).encode(), "a.csv": b"x"})
    until("the longest name is sent", (office.folder / "sent" / long).is_dir)
    for name in odd:
        refused(office, f"file-{name}")
        until(f"name-{name} ends", partial(ended, office, f"name-{name}"))
    receiver = network.office(DISTRICT)
    for folder in receiver.inbox.iterdir():
        for path in folder.iterdir():
            assert path.parent == folder
            assert len(os.fsencode(path.name)) <= 255
    assert not Path("/etc/cron.d/x").exists()


class Scribbler:
    """Writes over the files of jobs for as long as it is open: whoever opened a file may write after its rename."""

    def __init__(self, outbox: Path, names: list[str]) -> None:
        self._stop = threading.Event()
        self._files = []
        for name in names:
            folder = outbox / f".{name}.tmp"
            folder.mkdir()
            (folder / "document.json").write_bytes(no_digests(described("a.bin")))
            self._files.append((folder / "a.bin").open("wb", buffering=0))
            self._files[-1].write(b"A" * 2_000_000)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        stroke = 0
        while not self._stop.is_set():
            stroke += 1
            for file in self._files:
                file.seek(stroke * 4096 % 1_990_000)
                file.write(b"%c" % (65 + stroke % 26) * 4096)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        for file in self._files:
            file.close()


def ended(office: Office, name: str) -> StatusFile | None:
    """Return the status of a job that failed or has arrived."""
    told = status_of(office, name)
    arrived = told is not None and bool(told.recipients) and set(states(told).values()) == {State.DELIVERED}
    return told if told is not None and (arrived or told.state is State.FAILED) else None


def test_a_job_that_changes_while_it_is_read_is_whole_or_refused(office: Office, network: Network) -> None:
    """What is sent is what was hashed: the writer's later strokes reach neither the package nor the seal."""
    names = [f"changing-{number}" for number in range(8)]
    writer = Scribbler(office.outbox, names)
    try:
        for name in names:
            (office.outbox / f".{name}.tmp").rename(office.outbox / name)
        results = {name: until(f"{name} ends", partial(ended, office, name)) for name in names}
    finally:
        writer.close()
    for name, told in results.items():
        if told.state is State.FAILED:
            assert refused(office, name) == "FILE_CHANGED"
        else:
            verdict = network.office(DISTRICT).inbox / told.document_id / "verification.json"
            assert json.loads(verdict.read_bytes())["indication"] == "TOTAL-PASSED"


def test_sabotage_of_the_folders_that_answer_does_not_stop_the_daemon(office: Office) -> None:
    """Status, sent and failed are the DMS's to write too: it can spoil its own answers and nothing else."""
    by_job, kept = office.status / "by-job", office.status / "kept"
    before = {path.name for path in (office.folder / "state").iterdir()}
    sabotages: dict[str, Callable[[], object]] = {
        "gone": lambda: by_job.rename(kept),
        "file": lambda: by_job.write_bytes(b"x"),
        "link": lambda: by_job.symlink_to(office.folder / "state"),
        "dangling": lambda: by_job.symlink_to("/nowhere"),
    }
    for name, sabotage in sabotages.items():
        if name != "gone":
            _away(by_job)
        sabotage()
        submit(office, table(f"sabotage-{name}", DISTRICT))
        until(f"{name}: it is sent", (office.folder / "sent" / f"sabotage-{name}").is_dir)
    office.daemon.stop()  # nor does it keep the next start from working
    office.daemon.start()
    office.daemon.wait_ready()
    submit(office, table("sabotage-start", DISTRICT))
    until("it is sent after a start", (office.folder / "sent" / "sabotage-start").is_dir)
    _away(by_job)
    kept.rename(by_job)
    (by_job / "in-the-way.json").mkdir()
    for folder in ("sent", "failed"):
        (office.folder / folder / "in-the-way").symlink_to(office.folder / "state")
    submit(office, table("in-the-way", DISTRICT))
    until("it is sent beside", lambda: list((office.folder / "sent").glob("in-the-way~*")))
    write_folder(office.outbox, "in-the-way", {"document.json": b"{"})
    until("it failed beside", lambda: list(office.failed.glob("in-the-way~*")))
    (by_job / "in-the-way.json").rmdir()
    assert {path.name for path in (office.folder / "state").iterdir()} <= before | {"work", "packages", "claimed"}


def _away(path: Path) -> None:
    """Remove whatever is there, be it what the daemon made anew."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)


def test_ten_thousand_files_are_refused_and_do_not_hold_up_the_others(office: Office) -> None:
    folder = office.outbox / ".many.tmp"
    folder.mkdir()
    for number in range(10_000):
        (folder / f"{number}.csv").write_bytes(b"x")
    (folder / "document.json").write_bytes(described("0.csv"))
    folder.rename(office.outbox / "many")
    submit(office, table("behind-the-many", DISTRICT))
    reached(office, "behind-the-many", State.DELIVERED)
    assert refused(office, "many") == "TOO_MANY_FILES"


def test_descriptions_that_bite_are_refused(office: Office) -> None:
    bombs = {
        "deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "wide": b"[" + b"1," * 2_000_000 + b"1]",
        "number": b'{"number": 1' + b"0" * 1_000_000 + b"}",
        "not-text": b"\xff\xfe\x00",
    }
    for name, content in bombs.items():
        write_folder(office.outbox, f"bomb-{name}", {"document.json": content, "a.csv": b"x"})
    laughs = b'<!DOCTYPE e [<!ENTITY a "%s">]><edXML>&a;</edXML>' % (b"ha" * 1000)
    write_folder(office.outbox, "bomb-xml", {"document.xml": laughs, "a.csv": b"x"})
    (office.outbox / ".bomb.tmp").write_bytes(laughs)
    (office.outbox / ".bomb.tmp").rename(office.outbox / "bomb.edxml")
    for name in (*(f"bomb-{one}" for one in bombs), "bomb-xml", "bomb.edxml"):
        refused(office, name)


# --- the token -------------------------------------------------------------------------------------------------------

_ASK = """
import socket, sys
with socket.socket(socket.AF_UNIX) as asked:
    asked.settimeout(5)
    try:
        asked.connect(sys.argv[1])
        asked.sendall(bytes(4) + b"anything")
        print(len(asked.recv(100)))
    except PermissionError:
        print("denied")
    except (ConnectionError, TimeoutError) as error:
        print(type(error).__name__)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="needs two users")
def test_another_user_gets_no_word_out_of_the_token_process(office: Office, tmp_path: Path) -> None:
    found = [Path(line) for line in _sockets(office)]
    assert found
    for address in found:
        denied = _ask_as_nobody(address, tmp_path)
        assert denied == "denied"
        # And were every door on the way open, the kernel's word on who asks would still stand.
        opened = {
            path: path.stat().st_mode for path in [address, *address.parents] if path.stat().st_uid == os.getuid()
        }
        for path in opened:
            path.chmod(0o777)
        try:
            assert _ask_as_nobody(address, tmp_path) in {"0", "ConnectionResetError", "BrokenPipeError"}
        finally:
            for path, mode in opened.items():
                path.chmod(stat.S_IMODE(mode))
    until("it is in the signer's log", lambda: str(NOBODY) in (office.folder / "log" / "signer.log").read_text())
    submit(office, table("signed-all-the-same", DISTRICT))
    reached(office, "signed-all-the-same", State.DELIVERED)


def _sockets(office: Office) -> list[str]:
    line = next(line for line in office.config.read_text(encoding="utf-8").splitlines() if line.startswith("socket"))
    return [json.loads(line.partition("=")[2])]


def _ask_as_nobody(address: Path, folder: Path) -> str:
    script = folder / "ask.py"
    script.write_text(_ASK)
    done = subprocess.run(
        [
            "setpriv",
            f"--reuid={NOBODY}",
            f"--regid={NOBODY}",
            "--clear-groups",
            "/usr/bin/python3",
            "-c",
            _ASK,
            str(address),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
