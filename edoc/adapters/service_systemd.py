"""What systemd wants to hear: ready, status, watchdog, stopping.

Rules: without NOTIFY_SOCKET everything here does nothing; a message that cannot be delivered is not an error of ours.
Does not start or stop units.
"""

from __future__ import annotations

import contextlib
import os
import socket
from datetime import timedelta


def notify(*lines: str) -> None:
    """Send assignments such as ``READY=1`` to the service manager (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel, contextlib.suppress(OSError):
        channel.sendto("\n".join(lines).encode(), address)


def watchdog_interval() -> timedelta | None:
    """Return how often ``WATCHDOG=1`` is due: half of what the unit allows, None without a watchdog."""
    allowed = os.environ.get("WATCHDOG_USEC", "")
    return timedelta(microseconds=int(allowed) // 2) if allowed.isdigit() else None
