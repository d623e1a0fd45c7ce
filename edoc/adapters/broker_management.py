"""RabbitMQ's management API: a small client.

Rules: the password comes from a file that only its owner may read and goes over TLS, or over loopback; it is never
an argument, an environment variable or a part of an address.  Blocking: the command line calls it as it is.

Does not know what should exist: :mod:`edoc.adapters.broker_setup` compares and applies.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import ssl
import stat
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from edoc.errors import EdocError
from edoc.errors import broker as faults

T = TypeVar("T")

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_ANSWER_BYTES = 256 * 1024 * 1024  # all bindings of a province with the whole country behind the relay


def read_password(path: Path) -> str:
    """Return the password in the one line of `path`; EdocError PASSWORD_FILE when others may read it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        with os.fdopen(descriptor, encoding="utf-8") as file:
            found = os.fstat(descriptor)
            text = file.read(1024)
    except (OSError, UnicodeDecodeError) as error:
        raise EdocError(faults.PASSWORD_FILE, cause=repr(error), path=path, detail="unreadable") from error
    if not stat.S_ISREG(found.st_mode) or stat.S_IMODE(found.st_mode) & 0o077:
        raise EdocError(faults.PASSWORD_FILE, path=path, detail=f"mode {stat.S_IMODE(found.st_mode):04o}")
    if not text.strip():
        raise EdocError(faults.PASSWORD_FILE, path=path, detail="empty")
    return text.strip()


class ManagementClient:
    """Speaks to the management API at `url` (``https://host:15671``, or http on loopback) as `user`.

    `ca` is a PEM file for the server's certificate; without it the system's authorities count.
    Raises EdocError MANAGEMENT_INSECURE, PASSWORD_FILE.
    """

    def __init__(self, url: str, user: str, password_file: Path, ca: Path | None = None, timeout: float = 30.0) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise EdocError(faults.MANAGEMENT_INSECURE, address=url)
        self.address = f"{parts.scheme}://{parts.netloc}"
        self._host = parts.hostname or ""
        self._port = parts.port
        self._secure = parts.scheme == "https"
        self._ca = ca
        self.user = user
        self._timeout = timeout
        token = base64.b64encode(f"{user}:{read_password(password_file)}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}

    def get(self, path: tuple[str, ...], kind: type[T], query: str = "") -> T | None:
        """Return what stands at ``/api/<path>`` as `kind`, or None when there is nothing."""
        status, body = self._request("GET", path, query=query)
        if status == http.HTTPStatus.NOT_FOUND:
            return None
        self._expect(status, "GET", path, body)
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.DecodeError as error:
            raise self._error("GET", path, status, str(error)) from error

    def put(self, path: tuple[str, ...], content: object) -> None:
        """Create or replace what stands at ``/api/<path>``."""
        self._change("PUT", path, content)

    def post(self, path: tuple[str, ...], content: object) -> None:
        """Add to what stands at ``/api/<path>``."""
        self._change("POST", path, content)

    def delete(self, path: tuple[str, ...]) -> None:
        """Remove what stands at ``/api/<path>``."""
        self._change("DELETE", path, None)

    def _change(self, method: str, path: tuple[str, ...], content: object) -> None:
        status, body = self._request(method, path, b"" if content is None else json.dumps(content).encode())
        self._expect(status, method, path, body)

    def _expect(self, status: int, method: str, path: tuple[str, ...], body: bytes) -> None:
        if status in {http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN}:
            raise EdocError(faults.MANAGEMENT_REFUSED, cause=str(body[:300]), address=self.address, user=self.user)
        if not http.HTTPStatus.OK <= status < http.HTTPStatus.MULTIPLE_CHOICES:
            raise self._error(method, path, status, str(body[:300]))

    def _error(self, method: str, path: tuple[str, ...], status: int, cause: str) -> EdocError:
        request = f"{method} {_path(path)}"
        return EdocError(faults.MANAGEMENT_ERROR, cause=cause, address=self.address, request=request, status=status)

    def _request(self, method: str, path: tuple[str, ...], body: bytes = b"", query: str = "") -> tuple[int, bytes]:
        # A connection per request: the API is asked a few dozen times, by a person who waits a second.
        try:
            connection = self._connection()
            try:
                connection.request(method, _path(path) + query, body=body, headers=self._headers)
                answer = connection.getresponse()
                return answer.status, answer.read(_ANSWER_BYTES)
            finally:
                connection.close()
        except (OSError, http.client.HTTPException) as error:
            raise EdocError(faults.MANAGEMENT_UNREACHABLE, cause=repr(error), address=self.address) from error

    def _connection(self) -> http.client.HTTPConnection:
        if not self._secure:
            return http.client.HTTPConnection(self._host, self._port or 15672, timeout=self._timeout)
        context = ssl.create_default_context(cafile=str(self._ca) if self._ca else None)
        return http.client.HTTPSConnection(self._host, self._port or 15671, timeout=self._timeout, context=context)


def _path(path: tuple[str, ...]) -> str:
    return "/api/" + "/".join(quote(part, safe="") for part in path)
