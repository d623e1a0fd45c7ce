"""One client's connection: checked, decoded, answered.

Rules: the kernel says who the client is (SO_PEERCRED), not the client.  A client that sends nonsense, or does not
read its answers, is cut off.

Does not look into requests.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import cast

from edoc.envelopes.frames import Decoder
from edoc.envelopes.token_frames import TOKEN_FRAME_BYTES, Answer, Request, frame, request_of
from edoc.errors import EdocError
from edoc.token.signature_log import SignatureLog

_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid
_UNREAD_BYTES = 1024 * 1024


class Peer(asyncio.Protocol):
    """The protocol of one connection; `peers` holds it while it is open."""

    def __init__(
        self,
        peers: set[Peer],
        allowed_uids: frozenset[int],
        take: Callable[[Peer, Request], None],
        log: SignatureLog,
    ) -> None:
        self._peers = peers
        self._allowed = allowed_uids
        self._take = take
        self._log = log
        self._decoder = Decoder(TOKEN_FRAME_BYTES)
        self._transport: asyncio.Transport | None = None
        self.uid = -1

    @property
    def open(self) -> bool:
        """Say whether the client is still there."""
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the client in when its user may sign."""
        connection = cast("socket.socket", transport.get_extra_info("socket"))
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        self.uid = _CREDENTIALS.unpack(credentials)[1]
        stream = cast("asyncio.Transport", transport)
        if self.uid not in self._allowed:
            self._log.peer_refused(self.uid, "this user may not sign")
            stream.abort()
            return
        stream.set_write_buffer_limits(high=_UNREAD_BYTES)
        self._transport = stream
        self._peers.add(self)

    def data_received(self, data: bytes) -> None:
        """Decode requests and hand them over."""
        if self._transport is None:
            return
        try:
            for payload in self._decoder.feed(data):
                self._take(self, request_of(payload))
        except EdocError as error:
            self._log.peer_refused(self.uid, str(error))
            self._transport.abort()

    def pause_writing(self) -> None:
        """Cut off a client that does not read: its answers must not fill our memory."""
        if self._transport is not None:
            self._log.peer_refused(self.uid, "does not read its answers")
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- why it went makes no difference
        """Forget the client."""
        self._transport = None
        self._peers.discard(self)

    def send(self, answer: Answer) -> None:
        """Send an answer; nothing happens when the client is gone."""
        if self._transport is not None:
            self._transport.write(frame(answer))

    def close(self) -> None:
        """Send what is left and close."""
        if self._transport is not None:
            self._transport.close()
