"""The Directory port over a file: directory.json with its detached CMS signature directory.json.p7s.

Rules, in this order, for every new edition:
    1. the signature is verified (by the callable, which parses in the bounded child) before a byte is decoded;
    2. the edition is decoded and must be coherent;
    3. its version must be above the highest ever in force here (the same bytes again are fine);
    4. it must not have expired: from an expired edition nothing new is learnt, also not on first trust;
    5. it is written durably to the state folder, and only then in force.
An edition that fails leaves the old one in force, across restarts too, and raises an alarm once.  The copy in the
state folder carries the highest version seen: it is the protection against rollback.

Does not fetch: another program puts the two files there (each by rename; between the two renames an alarm
DIRECTORY_SIGNATURE may pass by).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from edoc.adapters.files import disk_errors, replace_file
from edoc.directory.codec import decode_directory
from edoc.directory.organisation import Band, Snapshot
from edoc.errors import EdocError, Fault, FaultReport
from edoc.errors.trust import (
    DIRECTORY_EXPIRED,
    DIRECTORY_INVALID,
    DIRECTORY_MISSING,
    DIRECTORY_ROLLBACK,
    DIRECTORY_SIGNATURE,
    DIRECTORY_STALE,
)
from edoc.model.trust import TrustMaterial
from edoc.model.verdict import Indication, SubIndication, Verdict
from edoc.ports import Alarm, Clock, Sandbox

Verify = Callable[[bytes, bytes], Awaitable[Verdict]]
"""Verify `content` against a detached CMS signature; it must pass for the configured signer only."""

_MOST_BYTES = 512 * 1024 * 1024
_KEPT = "directory.accepted.json"

_Stamp = tuple[tuple[int, int, int] | None, ...]


class _Edition(NamedTuple):
    content: bytes
    snapshot: Snapshot


class DirectoryFile:
    """The directory from a signed file."""

    def __init__(self, path: Path, verify: Verify, state: Path, *, clock: Clock, alarm: Alarm | None = None) -> None:
        self._path = path
        self._signature = path.with_name(path.name + ".p7s")
        self._verify = verify
        self._kept = state / _KEPT
        self._clock = clock
        self._alarm = alarm
        self._force: _Edition | None = None
        self._seen: _Stamp | None = None
        self._bad: FaultReport | None = None  # what is wrong with the file as it is now
        self._aged: FaultReport | None = None  # the directory in force is stale or expired
        self._one_at_a_time = asyncio.Lock()

    async def load(self) -> None:
        """Take the edition kept from before and then the file's; raise the EdocError that left us without any."""
        content = await asyncio.to_thread(_read, self._kept)
        if content is not None:
            try:
                snapshot = await asyncio.to_thread(decode_directory, content)
            except EdocError as error:
                # Without it the protection against rollback is gone: a person decides, not a restart.
                detail = f"our own copy {self._kept}: {error.facts['detail']}"
                raise EdocError(DIRECTORY_INVALID, detail=detail) from error
            self._force = _Edition(content, snapshot)
        await self.refresh()
        self.snapshot()

    def snapshot(self) -> Snapshot:
        """Return the directory in force; the EdocError that left us without one, else DIRECTORY_MISSING."""
        if self._force is None:
            raise EdocError(DIRECTORY_MISSING, path=self._path) if self._bad is None else self._bad.error()
        return self._force.snapshot

    def faults(self) -> tuple[FaultReport, ...]:
        """Return what is wrong at present: a bad file, an aged directory, or nothing."""
        return tuple(fault for fault in (self._bad, self._aged) if fault is not None)

    async def refresh(self) -> bool:
        """Take the file's edition if the file changed; say whether a new one is in force now."""
        async with self._one_at_a_time:
            stamp = await asyncio.to_thread(self._stamp)
            taken = False
            if stamp != self._seen:
                taken = await self._try()
                self._seen = stamp
            self._watch_age()
            return taken

    async def _try(self) -> bool:
        before = self._bad
        try:
            taken = await self._take()
        except EdocError as error:
            self._bad = error.report()
            if self._bad != before:
                self._tell(self._bad)
            return False
        self._bad = None
        return taken

    async def _take(self) -> bool:
        content = await asyncio.to_thread(_read, self._path)
        if content is None:
            raise EdocError(DIRECTORY_MISSING, path=self._path)
        if self._force is not None and content == self._force.content:
            return False
        cms = await asyncio.to_thread(_read, self._signature)
        if cms is None:
            raise EdocError(DIRECTORY_SIGNATURE, path=self._path, detail=f"{self._signature.name} is not there")
        verdict = await self._verify(content, cms)
        if not verdict.passed:
            detail = verdict.sub_indication or verdict.indication or "no signature"
            raise EdocError(DIRECTORY_SIGNATURE, path=self._path, detail=detail)
        snapshot = await asyncio.to_thread(decode_directory, content)
        self._check_newer(snapshot)
        await asyncio.to_thread(_keep, self._kept, content)
        self._force = _Edition(content, snapshot)
        self._aged = None
        return True

    def _check_newer(self, snapshot: Snapshot) -> None:
        if self._force is not None and snapshot.version <= self._force.snapshot.version:
            seen = self._force.snapshot.version
            raise EdocError(DIRECTORY_ROLLBACK, path=self._path, version=snapshot.version, seen=seen)
        if snapshot.band(self._clock.now()) is Band.EXPIRED:
            raise self._age_fault(DIRECTORY_EXPIRED, snapshot)

    def _watch_age(self) -> None:
        """Raise an alarm once when the directory in force turns stale, and once when it expires."""
        if self._force is None:
            return
        snapshot = self._force.snapshot
        fault = {Band.STALE: DIRECTORY_STALE, Band.EXPIRED: DIRECTORY_EXPIRED}.get(snapshot.band(self._clock.now()))
        aged = None if fault is None else self._age_fault(fault, snapshot).report()
        if aged is not None and aged != self._aged:
            self._tell(aged)
        self._aged = aged

    def _age_fault(self, fault: Fault, snapshot: Snapshot) -> EdocError:
        return EdocError(fault, version=snapshot.version, expires_at=snapshot.expires_at.isoformat(), path=self._path)

    def _tell(self, fault: FaultReport) -> None:
        if self._alarm is not None:
            self._alarm(fault, None)

    def _stamp(self) -> _Stamp:
        return tuple(_file_stamp(path) for path in (self._path, self._signature))


def _file_stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None  # told apart when it is read
    return status.st_mtime_ns, status.st_size, status.st_ino


def _read(path: Path) -> bytes | None:
    """Return the file's content, None when there is none; EdocError DIRECTORY_INVALID, or one of the disk."""
    with disk_errors(path):
        try:
            with path.open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            return None
    if len(content) > _MOST_BYTES:
        raise EdocError(DIRECTORY_INVALID, detail=f"{path.name} is larger than {_MOST_BYTES} bytes")
    return content


def _keep(path: Path, content: bytes) -> None:
    """Write durably and at one instant."""
    with disk_errors(path):
        replace_file(path, (content,))


def signed_by(sandbox: Sandbox, signer: bytes, clock: Clock) -> Verify:
    """Return the callable that accepts signatures of one certificate (DER) and of no other.

    The signer is its own trust anchor: it was pinned by fingerprint, so no authority above it can speak for it, and a
    certificate that it issued cannot speak for it either.
    """
    pinned = hashlib.sha256(signer).hexdigest()

    async def verify(content: bytes, cms: bytes) -> Verdict:
        verdict = await sandbox.verify_detached(content, cms, TrustMaterial(anchors=(signer,), at=clock.now()))
        if verdict.passed and any(one.certificate_sha256 != pinned for one in verdict.signatures):
            return replace(
                verdict, indication=Indication.INDETERMINATE, sub_indication=SubIndication.NO_SIGNING_CERTIFICATE_FOUND
            )
        return verdict

    return verify
