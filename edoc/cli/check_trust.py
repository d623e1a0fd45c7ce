"""The trust part of `edoc check`: anchors, directory, own code, revocation lists.

Does not repair.
"""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509

from edoc.adapters.revocation_files import read_crls
from edoc.adapters.trust_files import read_anchors, read_intermediates, read_pinned_certificate
from edoc.cli.directory import office_directory
from edoc.cli.finding import Finding, Level, found_error, passed, skipped
from edoc.cli.render import Output, moment
from edoc.cli.texts import (
    CHECK_ANCHOR,
    CHECK_CRL,
    CHECK_CRL_NEXT,
    CHECK_CRL_NONE,
    CHECK_CRL_OLD,
    CHECK_DIRECTORY,
    CHECK_OFFICE,
    CHECK_SIGNER,
)
from edoc.config import Config
from edoc.directory.organisation import Band, Snapshot
from edoc.errors import EdocError, Fault
from edoc.errors.trust import CRL_UNREADABLE, DIRECTORY_EXPIRED, DIRECTORY_STALE, NOT_IN_DIRECTORY
from edoc.ports import today


async def trust_checks(office: Config, out: Output) -> tuple[list[Finding], Snapshot | None]:
    """Check fingerprints, directory and own code; return the directory for later checks."""
    findings = [_anchors(office, out), _signer(office, out)]
    if findings[-1].level is Level.FAIL:
        findings += [skipped(check, "trust.directory_signer", out) for check in ("directory", "office")]
        return findings, None
    try:
        snapshot = await office_directory(office)
    except EdocError as error:
        findings += [found_error("directory", error, out), skipped("office", "directory", out)]
        return findings, None
    now = datetime.now(UTC)
    findings += [_directory(snapshot, office, now, out), _own_code(snapshot, office, now, out)]
    return findings, snapshot


def _anchors(office: Config, out: Output) -> Finding:
    try:
        anchors = read_anchors((one.file, one.fingerprint) for one in office.trust.anchors)
        read_intermediates(office.trust.intermediates)
    except EdocError as error:
        return found_error("anchors", error, out)
    return passed("anchors", CHECK_ANCHOR, out, count=len(anchors))


def _signer(office: Config, out: Output) -> Finding:
    signer = office.trust.directory_signer
    try:
        read_pinned_certificate(signer.file, signer.fingerprint)
    except EdocError as error:
        return found_error("directory-signer", error, out)
    return passed("directory-signer", CHECK_SIGNER, out)


def _directory(snapshot: Snapshot, office: Config, now: datetime, out: Output) -> Finding:
    expires = moment(snapshot.expires_at)

    def aged(fault: Fault) -> EdocError:
        return EdocError(fault, version=snapshot.version, expires_at=expires, path=office.trust.directory)

    match snapshot.band(now):
        case Band.EXPIRED:
            return found_error("directory", aged(DIRECTORY_EXPIRED), out)
        case Band.STALE:
            return found_error("directory", aged(DIRECTORY_STALE), out, Level.WARN)
        case Band.FRESH:
            count = len(snapshot.organisations)
            return passed("directory", CHECK_DIRECTORY, out, version=snapshot.version, count=count, expires=expires)


def _own_code(snapshot: Snapshot, office: Config, now: datetime, out: Output) -> Finding:
    own = snapshot.organisation(office.organ_id, today(now))
    level = None if own is None else own.level(today(now))
    if own is None or level is None:
        return found_error("office", EdocError(NOT_IN_DIRECTORY, code=office.organ_id), out)
    return passed("office", CHECK_OFFICE, out, code=own.code, name=own.name(today(now)), level=level)


def revocation_checks(office: Config, out: Output) -> list[Finding]:
    """Check that revocation lists are there and not past their next update."""
    folder = office.trust.crls
    paths = sorted(folder.glob("*.crl"))
    fetch = out.text(CHECK_CRL_NEXT, path=folder)
    if not paths:
        return [Finding(id="crl", level=Level.WARN, text=out.text(CHECK_CRL_NONE, path=folder), next_step=fetch)]
    findings = []
    ends = []
    now = datetime.now(UTC)
    for path in paths:
        try:
            lists = [x509.load_der_x509_crl(crl) for crl in read_crls(path)]
        except EdocError as error:
            findings.append(found_error("crl", error, out))
            continue
        except ValueError as error:
            findings.append(found_error("crl", EdocError(CRL_UNREADABLE, path=path, detail=error), out))
            continue
        for one in lists:
            until = one.next_update_utc
            if until is not None and until < now:
                text = out.text(CHECK_CRL_OLD, issuer=one.issuer.rfc4514_string(), until=moment(until))
                findings.append(Finding(id="crl", level=Level.WARN, text=text, next_step=fetch))
            elif until is not None:
                ends.append(until)
    if ends:
        findings.append(passed("crl", CHECK_CRL, out, count=len(ends), until=moment(min(ends))))
    return findings
