"""Four offices and what they stand on: folders, tokens, certificates, directory, broker, processes.

Rules: everything lies in the network's folder, each office in its own; an office has its own copies of trust material,
as on four machines, so that a test can let one of them go stale.  Every office is two processes, daemon and signer.
`Network` is a context manager: what it started it stops, in order, also after a failure.

Does not write jobs and does not judge results.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from edoc.directory.organisation import Level
from lab.pki import AGENCY_POLICY_OID, PERSON_POLICY_OID, Issued, Pki
from lab.processes import Service, edoc_command
from lab.rabbitmq import RabbitNode
from lab.seal_image import make_seal_image
from lab.softhsm import SoftHsm
from lab.trust import Authority, Trust
from lab.units import UNITS, Unit

_SPOOL = ("outbox", "inbox", "sent", "failed", "status", "quarantine", "state")
_PRIVATE = ("secrets", "tls", "trust", "trust/crls", "token", "log")
_LONGEST_SOCKET = 100  # of the 107 octets that sockaddr_un holds


class Office:
    """One office: its folder, its configuration, its daemon and its token process."""

    def __init__(self, folder: Path, code: str, level: Level, name: str) -> None:
        self.folder = folder.resolve()
        self.code = code
        self.level = level
        self.name = name
        self.config = self.folder / "edoc.toml"
        for part in (*_SPOOL, *_PRIVATE):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        for part in ("state", "secrets", "tls", "token"):
            (self.folder / part).chmod(0o700)
        self.hsm = SoftHsm(self.folder / "token")
        self.daemon = self._service("daemon")
        self.signer = self._service("signer")
        self._socket_folder: Path | None = None

    @property
    def outbox(self) -> Path:
        """Return the folder that the DMS writes jobs into."""
        return self.folder / "outbox"

    @property
    def inbox(self) -> Path:
        """Return the folder that the DMS takes documents from."""
        return self.folder / "inbox"

    @property
    def failed(self) -> Path:
        """Return the folder of refused jobs."""
        return self.folder / "failed"

    @property
    def status(self) -> Path:
        """Return the folder of status files."""
        return self.folder / "status"

    def put_seal(self, seal: Issued) -> None:
        """Make a token with `seal` on it; its PIN goes into a file that only the owner reads."""
        token = self.hsm.create_token(f"{self.code} seal")
        self.hsm.import_seal(token.label, seal)
        write_private(self.folder / "secrets" / "pin", token.pin.encode())

    def put_trust(self, trust: Trust) -> None:
        """Write copies of the trust material, each by rename."""
        for name, content in trust.files.items():
            replace(self.folder / "trust" / name, content)

    def configure(
        self, node: RabbitNode, trust: Trust, *, administers: bool = False, **changes: dict[str, object]
    ) -> None:
        """Write ``edoc.toml``; `changes` are keys per section that differ from the lab's usual ones.

        With `administers` the file also says how to reach the broker's management, for ``edoc broker setup``.
        """
        client = node.client(self.code)
        for name, source in (("ca.pem", client.ca), ("client.pem", client.certificate), ("client.key", client.key)):
            write_private(self.folder / "tls" / name, source.read_bytes())
        (self.folder / "seal.png").write_bytes(make_seal_image())
        sections = self._sections(node, trust)
        if administers:
            write_private(self.folder / "secrets" / "management-password", node.admin_password_file.read_bytes())
            sections["broker"] |= {
                "management_url": node.management_url,
                "management_user": node.admin_user,
                "management_password_file": "secrets/management-password",
            }
        for section, keys in changes.items():
            sections.setdefault(section, {}).update(keys)
        self.config.write_text(_toml(sections), encoding="utf-8")

    def edoc(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``edoc ARGUMENTS --config …`` to its end and return what it printed."""
        return subprocess.run(
            [edoc_command(), *arguments, "--config", str(self.config)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def start(self) -> None:
        """Start signer and daemon; :meth:`wait_ready` says when they work."""
        self.signer.start()
        self.daemon.start()

    def wait_ready(self) -> None:
        """Wait until both processes say that they are ready."""
        self.signer.wait_ready()
        self.daemon.wait_ready()

    def stop(self) -> None:
        """Stop both processes in good order.  Idempotent."""
        self.daemon.stop()
        self.signer.stop()
        if self._socket_folder is not None:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
            self._socket_folder = None

    def _service(self, name: str) -> Service:
        command = [edoc_command(), name, "--config", str(self.config)]
        return Service(command, self.folder / "log" / f"{name}.log")

    def _sections(self, node: RabbitNode, trust: Trust) -> dict[str, dict[str, object]]:
        return {
            "office": {"code": self.code},
            "broker": {
                "host": node.host,
                "port": node.amqps_port,
                "ca": "tls/ca.pem",
                "certificate": "tls/client.pem",
                "key": "tls/client.key",
            },
            "token": {
                "module": str(self.hsm.module),
                "key_uri": self.hsm.key_uri(f"{self.code} seal"),
                "pin_file": "secrets/pin",
                "socket": str(self._socket()),
                "environment": self.hsm.environment,
            },
            "trust": {
                "anchors": [{"file": "trust/root.pem", "sha256": trust.root_sha256}],
                "intermediates": ["trust/issuing.pem"],
                "directory_signer": {"file": "trust/directory-signer.pem", "sha256": trust.directory_signer_sha256},
            },
            "policy": {
                "person_certificate_policies": [PERSON_POLICY_OID],
                "agency_certificate_policies": [AGENCY_POLICY_OID],
            },
            "seal": {"image": "seal.png"},
            "retry": {"base_seconds": 1, "cap_seconds": 5},
            "limits": {"min_free_bytes": 100 * 1024 * 1024},
        }

    def _socket(self) -> Path:
        usual = self.folder / "state" / "signer.sock"
        if len(os.fsencode(usual)) <= _LONGEST_SOCKET:
            return usual
        if self._socket_folder is None:
            self._socket_folder = Path(tempfile.mkdtemp(prefix="edoc-"))
        return self._socket_folder / "signer.sock"


class Network:
    """Broker, PKI, directory and offices in one folder."""

    def __init__(
        self, root: Path, units: tuple[Unit, ...] = UNITS, *, tell: Callable[[str], None] | None = None
    ) -> None:
        self.root = root.resolve()
        self.units = units
        self._tell = tell or (lambda _: None)
        self.pki = Pki.create(datetime.now(UTC))
        self.authority = Authority(self.pki, units)
        self.trust = self.authority.trust(units, datetime.now(UTC))
        self.node = RabbitNode(self.root / "broker", self.pki)
        self.offices = {unit.code: Office(self.root / unit.folder, unit.code, unit.level, unit.name) for unit in units}

    def office(self, unit: Unit) -> Office:
        """Return the office of `unit`."""
        return self.offices[unit.code]

    @property
    def administrator(self) -> Office:
        """Return the office whose configuration may provision the broker: the first one."""
        return self.offices[self.units[0].code]

    def __iter__(self) -> Iterator[Office]:
        return iter(self.offices.values())

    def __enter__(self) -> Network:
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def prepare(self) -> None:
        """Start the broker, fill every office's folder, and provision the broker from the directory."""
        self._tell("RabbitMQ: a node of its own, TLS with client certificates")
        self.node.start()
        for office in self:
            self._tell(f"{office.name}: SoftHSM token with the agency's key, trust material, edoc.toml")
            office.put_seal(self.authority.seals[office.code])
            office.put_trust(self.trust)
            office.configure(self.node, self.trust, administers=office is self.administrator)
        self._tell("edoc broker setup: exchanges, queues, policies, users, permissions")
        done = self.administrator.edoc("broker", "setup")
        if done.returncode != 0:
            raise RuntimeError(f"edoc broker setup ended with {done.returncode}:\n{done.stdout}{done.stderr}")

    def start(self) -> None:
        """Start every office and wait until all are ready."""
        for office in self:
            self._tell(f"{office.name}: token process and daemon")
            office.start()
        for office in self:
            office.wait_ready()

    def stop(self) -> None:
        """Stop the offices, then the broker.  Idempotent."""
        for office in self:
            office.daemon.ask_to_stop()
        for office in self:
            office.daemon.stop()
            office.signer.ask_to_stop()
        for office in self:
            office.stop()
        self.node.stop()

    def publish_trust(self) -> None:
        """Give every office trust material as of now: a new edition of the directory, new revocation lists."""
        self.trust = self.authority.trust(self.units, datetime.now(UTC))
        for office in self:
            office.put_trust(self.trust)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read (mode 0600 from its first instant)."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def replace(path: Path, content: bytes) -> None:
    """Replace a file at one instant."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(content)
    temporary.rename(path)


def _toml(sections: dict[str, dict[str, object]]) -> str:
    return "\n".join(
        f"[{section}]\n" + "".join(f"{key} = {_toml_value(value)}\n" for key, value in keys.items())
        for section, keys in sections.items()
    )


def _toml_value(value: object) -> str:
    """Return `value` on one line; JSON's strings, numbers and booleans are TOML's too."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml_value(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)
