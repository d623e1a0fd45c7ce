"""A time-stamping authority: in memory, and the same one behind HTTP.

It signs with a certificate of its own PKI by the `openssl ts` program, so that no code of ours makes what our code
reads.
"""

from __future__ import annotations

import asyncio
import subprocess
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
"""


class Authority:
    """Answers queries with `openssl ts`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Dấu thời gian thử nghiệm")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            .sign(key, hashes.SHA256())
        )
        (folder / "tsa.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        (folder / "tsa.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (folder / "serial").write_text("01")
        (folder / "tsa.conf").write_text(_CONFIG.format(folder=folder))

    def answer(self, query: bytes) -> bytes:
        """Return a TimeStampResp to `query`."""
        (self._folder / "query").write_bytes(query)
        out = self._folder / "answer"
        command = ["openssl", "ts", "-reply", "-config", str(self._folder / "tsa.conf")]
        command += ["-queryfile", str(self._folder / "query"), "-out", str(out)]
        subprocess.run(command, check=True, capture_output=True)
        return out.read_bytes()


class FakeTimestamp:
    """The Timestamp port over an authority in this process; `late` ones answer after the caller has gone."""

    def __init__(self, authority: Authority, *, late: bool = False) -> None:
        self._authority = authority
        self.late = late
        self.queries: list[bytes] = []

    async def ask(self, query: bytes, limit: timedelta) -> bytes | None:
        self.queries.append(query)
        if self.late:
            await asyncio.sleep(limit.total_seconds())
            return None
        return self._authority.answer(query)


class Server(ThreadingHTTPServer):
    """The authority behind HTTP on loopback; with `silent` it reads a query and never answers."""

    daemon_threads = True

    def __init__(self, authority: Authority, *, silent: bool = False, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.authority = authority
        self.silent = silent
        self.status = status
        self.kinds: list[str | None] = []

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.server_address[1]}/tsa"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        self.server.kinds.append(self.headers["Content-Type"])
        query = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.silent:
            self.rfile.read(1)  # until the caller hangs up
            return
        answer = self.server.authority.answer(query)
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name in the standard library
        """Say nothing: the test does."""
