"""A RabbitMQ node of its own: for tests, the demo and benchmarks.

Rules: everything the node has lives in one folder (data, logs, configuration, keys, cookie); it listens on loopback
only, on ports chosen for it; it has its own epmd.  It runs as the current account, root or not: the distribution's
wrapper insists on switching to `rabbitmq`, who may not be able to read the folder, so the inner script is called.
Client certificates are required, the common name is the user; there is no guest and no password on AMQP.

Does not declare exchanges, queues or users of edoc: ``edoc broker setup`` does.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import random
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from lab.pki import Pki

_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_STARTED_WITHIN = 90.0
_STOPPED_WITHIN = 30.0
_ADMIN = "admin"

_PLUGINS = "[rabbitmq_management,rabbitmq_auth_mechanism_ssl].\n"

_CONFIGURATION = """\
listeners.tcp = none
listeners.ssl.default = 127.0.0.1:{amqps}
auth_mechanisms.1 = EXTERNAL
ssl_cert_login_from = common_name
ssl_options.cacertfile = {folder}/tls/ca.pem
ssl_options.certfile = {folder}/tls/server.pem
ssl_options.keyfile = {folder}/tls/server.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
ssl_options.depth = 2
ssl_options.versions.1 = tlsv1.3
ssl_options.versions.2 = tlsv1.2
management.tcp.ip = 127.0.0.1
management.tcp.port = {management}
load_definitions = {folder}/definitions.json
vm_memory_high_watermark.absolute = 1GiB
raft.wal_max_size_bytes = 64000000
disk_free_limit.absolute = 50MB
collect_statistics_interval = 2000
log.console = false
log.file.level = info
"""


class RabbitmqMissingError(RuntimeError):
    """RabbitMQ is not installed here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFiles:
    """What a client needs to connect: files in PEM."""

    ca: Path
    certificate: Path
    key: Path


class RabbitNode:
    """One node in `folder`, with certificates of `pki`; use it as a context manager or call start and stop."""

    def __init__(self, folder: Path, pki: Pki) -> None:
        self.folder = folder.resolve()
        self.pki = pki
        self.name = f"edoc-{secrets.token_hex(4)}@localhost"
        self.amqps_port, self._management_port, self._epmd_port, self._distribution_port = _free_ports(4)
        self.admin_user = _ADMIN
        self.admin_password_file = self.folder / "admin.password"
        self.ca_file = self.folder / "tls" / "ca.pem"
        self._spawner = ThreadPoolExecutor(1, "rabbitmq")
        self._server: subprocess.Popen[bytes] | None = None
        self._epmd: subprocess.Popen[bytes] | None = None
        self._prepare()

    @property
    def host(self) -> str:
        """Return the host to connect to; the server's certificate names it."""
        return "localhost"

    @property
    def management_url(self) -> str:
        """Return the address of the management API, without a trailing slash."""
        return f"http://127.0.0.1:{self._management_port}"

    @property
    def log(self) -> str:
        """Return the node's own log."""
        return "".join(file.read_text(errors="replace") for file in sorted((self.folder / "log").glob("*.log")))

    def client(self, common_name: str) -> ClientFiles:
        """Return certificate files for the user `common_name`, issued on first use."""
        certificate = self.folder / "tls" / f"client-{common_name}.pem"
        key = certificate.with_suffix(".key")
        if not certificate.exists():
            issued = self.pki.tls_client(common_name)
            _write(key, issued.key_pem)
            _write(certificate, issued.pem + self.pki.issuing.pem)
        return ClientFiles(ca=self.ca_file, certificate=certificate, key=key)

    def start(self) -> None:
        """Start the node and return when AMQPS and the management API both answer."""
        if self._server is not None:
            raise RuntimeError("the node is already running")
        if self._epmd is None:
            self._epmd = self._spawn("epmd", "-address", "127.0.0.1", "-port", str(self._epmd_port))
            _until(lambda: _accepts(self._epmd_port), self._epmd, self._failure)
        self._server = self._spawn(str(_SERVER))
        try:
            _until(self._answers, self._server, self._failure)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the node in good order, then its epmd.  Idempotent."""
        server, self._server = self._server, None
        if server is not None:
            server.send_signal(signal.SIGCONT)  # a frozen node does not hear SIGTERM
            server.terminate()
            try:
                server.wait(_STOPPED_WITHIN)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        epmd, self._epmd = self._epmd, None
        if epmd is not None:
            epmd.terminate()
            epmd.wait()

    def kill(self) -> None:
        """Kill the node at once, as a power cut does; `start` brings it back with its data."""
        server, self._server = self._server, None
        if server is not None:
            server.kill()
            server.wait()

    def freeze(self) -> None:
        """Stop the node's clock: connections stay open and nothing answers."""
        if self._server is not None:
            self._server.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen node go on."""
        if self._server is not None:
            self._server.send_signal(signal.SIGCONT)

    def __enter__(self) -> RabbitNode:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- files -------------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        if not _SERVER.exists() or shutil.which("epmd") is None:
            raise RabbitmqMissingError(f"{_SERVER} or epmd is missing; apt-get install rabbitmq-server")
        for part in ("", "data", "log", "home", "tls"):
            (self.folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        server = self.pki.tls_server(self.host)
        _write(self.folder / "tls" / "ca.pem", self.pki.issuing.pem + self.pki.root.pem)
        _write(self.folder / "tls" / "server.pem", server.pem + self.pki.issuing.pem)
        _write(self.folder / "tls" / "server.key", server.key_pem)
        _write(self.folder / "enabled_plugins", _PLUGINS.encode())
        if not self.admin_password_file.exists():
            _write(self.admin_password_file, secrets.token_urlsafe(24).encode())
        if not (self.folder / "home" / ".erlang.cookie").exists():
            _write(self.folder / "home" / ".erlang.cookie", secrets.token_hex(20).encode(), mode=0o400)
        _write(self.folder / "definitions.json", _definitions(self.admin_password_file.read_text()))
        configuration = _CONFIGURATION.format(
            amqps=self.amqps_port, management=self._management_port, folder=self.folder
        )
        _write(self.folder / "rabbitmq.conf", configuration.encode())

    def _environment(self) -> dict[str, str]:
        # Built from nothing: a RABBITMQ_* variable of the caller must not reach this node.
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "no-environment-file"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "no-advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_PLUGINS_EXPAND_DIR": str(self.folder / "plugins-expand"),
            "RABBITMQ_FEATURE_FLAGS_FILE": str(self.folder / "feature_flags"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "+S 2:2 +SDcpu 2:2 +SDio 4 +sbwt none +sbwtdcpu none +sbwtdio none"
                " -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}"
            ),
            # The script then becomes the Erlang machine instead of guarding it: our child's pid is the node's pid.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    # --- processes ---------------------------------------------------------------------------------------------------

    def _spawn(self, *command: str) -> subprocess.Popen[bytes]:
        # A test run that is killed takes its node along.  The kernel sends that signal when the *thread* that
        # started the process ends, so it is started by one that lives as long as this object.
        return self._spawner.submit(self._popen, "setpriv", "--pdeathsig", "KILL", *command).result()

    def _popen(self, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log" / "console.txt").open("ab") as console:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        return self._amqps_answers() and self._management_answers()

    def _amqps_answers(self) -> bool:
        files = self.client("readiness-probe")
        context = ssl.create_default_context(cafile=str(files.ca))
        context.load_cert_chain(str(files.certificate), str(files.key))
        try:
            with (
                socket.create_connection(("127.0.0.1", self.amqps_port), timeout=5) as plain,
                context.wrap_socket(plain, server_hostname=self.host) as secured,
            ):
                secured.sendall(b"AMQP\x00\x00\x09\x01")
                return secured.recv(1) == b"\x01"  # a method frame: Connection.Start
        except OSError:
            return False

    def _management_answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._management_port, timeout=5)
        token = base64.b64encode(f"{_ADMIN}:{self.admin_password_file.read_text()}".encode()).decode()
        try:
            connection.request("GET", "/api/overview", headers={"Authorization": f"Basic {token}"})
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()

    def _failure(self) -> str:
        console = (self.folder / "log" / "console.txt").read_text(errors="replace")
        return f"RabbitMQ did not start in {self.folder}\n{console[-3000:]}\n{self.log[-3000:]}"


def _definitions(password: str) -> bytes:
    # rabbit_password_hashing_sha256: base64(salt ‖ SHA-256(salt ‖ password)); the node's files hold no password.
    salt = secrets.token_bytes(4)
    hashed = base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
    user = {
        "name": _ADMIN,
        "password_hash": hashed,
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": ["administrator"],
    }
    right = {"user": _ADMIN, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}
    return json.dumps({"users": [user], "vhosts": [{"name": "/"}], "permissions": [right]}, indent=1).encode()


def _write(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _free_ports(count: int) -> list[int]:
    # Below the range the kernel hands out to clients, so that a stopped node finds its ports free again.
    ports: list[int] = []
    while len(ports) < count:
        port = random.SystemRandom().randint(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in ports:
            ports.append(port)
    return ports


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _until(ready: Callable[[], bool], process: subprocess.Popen[bytes], failure: Callable[[], str]) -> None:
    deadline = time.monotonic() + _STARTED_WITHIN
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(failure())
        time.sleep(0.2)
