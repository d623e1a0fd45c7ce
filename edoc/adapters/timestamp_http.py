"""A time-stamping authority over HTTP (RFC 3161, section 3.4).

Rules: the address comes from the configuration, never from a message; an answer is bounded in size and time, and a
redirect is not followed.  What is in it is read by somebody else, in the bounded child.

Does not judge an answer.
"""

from __future__ import annotations

import asyncio
import http.client
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlsplit

import structlog

_MOST_BYTES = 64 * 1024
_QUERY = "application/timestamp-query"
_REPLY = "application/timestamp-reply"


class HttpTimestamp:
    """The Timestamp port over HTTP or HTTPS."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        # Threads of its own: a slow authority must not use up those that write files.
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="timestamp")
        self._log = structlog.get_logger("edoc.timestamp")

    async def ask(self, query: bytes, limit: timedelta) -> bytes | None:
        """Return the authority's answer to a TimeStampReq (DER), or None when it did not come within `limit`."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(limit.total_seconds()):
                return await loop.run_in_executor(self._threads, self._post, query, limit.total_seconds())
        except (TimeoutError, OSError, http.client.HTTPException) as error:
            self._log.warning("timestamp_failed", address=self._url.netloc, cause=f"{type(error).__name__}: {error}")
            return None

    def close(self) -> None:
        """Let go of the threads; an answer that is still under way is dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _post(self, query: bytes, seconds: float) -> bytes | None:
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._url.hostname or "", self._url.port, timeout=seconds)
        try:
            path = self._url.path or "/"
            if self._url.query:
                path += f"?{self._url.query}"
            connection.request("POST", path, query, {"Content-Type": _QUERY, "Accept": _REPLY})
            response = connection.getresponse()
            body = response.read(_MOST_BYTES + 1)
            if response.status != http.client.OK or len(body) > _MOST_BYTES:
                raise http.client.HTTPException(f"status {response.status}, {len(body)} bytes")
            return body
        finally:
            connection.close()
