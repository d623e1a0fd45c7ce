"""The office part of `edoc check`: folders, token, broker.

Rules: the two renames that the daemon lives on (a job out of the outbox, a document into the inbox) are tried with
empty folders of our own.  A folder that the DMS made needs more, which only its ACL can show: the message says which.

Does not repair, and never asks for a PIN.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from edoc.adapters.broker_link import connect, disconnect
from edoc.adapters.token_client import TokenClient
from edoc.cli.finding import Finding, Level, found_error, passed, skipped
from edoc.cli.render import Output, moment
from edoc.cli.texts import (
    CHECK_BROKER,
    CHECK_CLAIM,
    CHECK_FOLDER,
    CHECK_FOLDER_BAD,
    CHECK_FOLDER_NEXT,
    CHECK_RENAME_BAD,
    CHECK_RENAME_NEXT,
    CHECK_SPACE,
    CHECK_SPACE_NEXT,
    CHECK_TAKE,
    CHECK_TOKEN,
    CHECK_TOKEN_ENDS,
    CHECK_TOKEN_ENDS_NEXT,
    CHECK_TOKEN_NEXT,
    CHECK_TOKEN_PIN,
    CHECK_TOKEN_PIN_NEXT,
    CHECK_TOKEN_STATE,
    Text,
)
from edoc.config import MIB, Config
from edoc.directory.organisation import Snapshot
from edoc.errors import EdocError
from edoc.model.signing import TokenPresence
from edoc.wiring import broker_settings

_RENEW_BEFORE = timedelta(days=60)  # a renewal through the Government CA takes weeks
_CONNECT_SECONDS = 10


def folder_checks(office: Config, out: Output) -> list[Finding]:
    """Check that every folder can be used, both renames work, and there is room."""
    folders = office.folders
    paths = (folders.outbox, folders.inbox, folders.sent, folders.failed, folders.status, folders.quarantine)
    findings = [_folder(path, out) for path in (*paths, folders.state)]
    good = {finding.text for finding in findings if finding.level is Level.OK}
    for check, source, target, text in (
        ("outbox-claim", folders.outbox, folders.state, CHECK_CLAIM),
        ("inbox-take", folders.state, folders.inbox, CHECK_TAKE),
    ):
        usable = all(out.text(CHECK_FOLDER, path=path) in good for path in (source, target))
        findings.append(_rename(check, source, target, text, out) if usable else skipped(check, "folders", out))
    if folders.state.is_dir():
        findings.append(_space(folders.state, office.limits.min_free_bytes, out))
    return findings


def _folder(path: Path, out: Output) -> Finding:
    if not path.is_dir():
        detail = "not a folder" if path.exists() else "not there"
    elif not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        detail = f"{getpass.getuser()} may not read, write and enter it"
    else:
        return passed("folder", CHECK_FOLDER, out, path=path)
    step = out.text(CHECK_FOLDER_NEXT, path=path, user=getpass.getuser())
    return Finding(
        id="folder", level=Level.FAIL, text=out.text(CHECK_FOLDER_BAD, path=path, detail=detail), next_step=step
    )


def _rename(check: str, source: Path, target: Path, good: Text, out: Output) -> Finding:
    name = f".edoc-check-{secrets.token_hex(4)}.tmp"
    try:
        (source / name).mkdir()
        try:
            (source / name).rename(target / name)
        finally:
            for place in (source, target):
                with contextlib.suppress(FileNotFoundError):  # it is at one of the two
                    (place / name).rmdir()
    except OSError as error:
        text = out.text(CHECK_RENAME_BAD, source=source, target=target, detail=error.strerror)
        step = out.text(CHECK_RENAME_NEXT, user=getpass.getuser(), path=f"{source} {target}")
        return Finding(id=check, level=Level.FAIL, text=text, next_step=step)
    return passed(check, good, out, source=source, target=target)


def _space(path: Path, least: int, out: Output) -> Finding:
    status = os.statvfs(path)
    free = status.f_bavail * status.f_frsize
    text = out.text(CHECK_SPACE, free=free // MIB)
    if free < least:
        return Finding(id="space", level=Level.FAIL, text=text, next_step=out.text(CHECK_SPACE_NEXT, path=path))
    return Finding(id="space", level=Level.OK, text=text)


async def token_checks(office: Config, config: Path, snapshot: Snapshot | None, out: Output) -> list[Finding]:
    """Check that the token process answers, the token is ready, and its certificate is pinned and not about to end."""
    client = TokenClient(str(office.token.socket), office.organ_id, timedelta(seconds=_CONNECT_SECONDS))
    try:
        state = await client.state()
    except EdocError as error:
        return [found_error("token", error, out), skipped("seal", "token", out)]
    finally:
        await client.close()
    if state.presence is not TokenPresence.READY or not state.certificate:
        text = out.text(CHECK_TOKEN_STATE, presence=state.presence, detail=state.detail or "—")
        step = out.text(CHECK_TOKEN_NEXT, config=config)
        return [Finding(id="token", level=Level.FAIL, text=text, next_step=step), skipped("seal", "token", out)]
    until = x509.load_der_x509_certificate(state.certificate).not_valid_after_utc
    if until - datetime.now(UTC) < _RENEW_BEFORE:
        level = Level.FAIL if until < datetime.now(UTC) else Level.WARN
        text, step = out.text(CHECK_TOKEN_ENDS, until=moment(until)), out.text(CHECK_TOKEN_ENDS_NEXT)
        ready = Finding(id="token", level=level, text=text, next_step=step)
    else:
        ready = passed("token", CHECK_TOKEN, out, label=state.label, until=moment(until))
    return [ready, _seal(office, state.certificate, snapshot, out)]


def _seal(office: Config, certificate: bytes, snapshot: Snapshot | None, out: Output) -> Finding:
    if snapshot is None:
        return skipped("seal", "directory", out)
    sha256, now = hashlib.sha256(certificate).hexdigest(), datetime.now(UTC)
    for pin in snapshot.pins(office.organ_id):
        if (
            pin.certificate_sha256 == sha256
            and pin.not_before <= now
            and (pin.not_after is None or now < pin.not_after)
        ):
            return Finding(id="seal", level=Level.OK, text=f"{office.organ_id} {sha256}")
    text = out.text(CHECK_TOKEN_PIN, sha256=sha256, code=office.organ_id)
    return Finding(id="seal", level=Level.FAIL, text=text, next_step=out.text(CHECK_TOKEN_PIN_NEXT))


async def broker_check(office: Config, out: Output) -> Finding:
    """Check that the broker takes our client certificate, user and virtual host; no queue is touched."""
    settings = broker_settings(office)
    try:
        await disconnect(await connect(settings, f"{office.organ_id} check"))
    except EdocError as error:
        return found_error("broker", error, out)
    return passed("broker", CHECK_BROKER, out, address=settings.address)
