"""`edoc verify`: what an auditor types, years later, on a machine without a network.

Rules: works without daemon, broker and token; every file is parsed in the bounded child; one result per file, in the
order given; a file that cannot be read does not stop the others.  Trust comes from the options or from --config, never
from the file itself.

Does not decide anything: the verdict is the validation core's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated

import typer

from edoc.cli.exit_codes import Exit, exit_of_error, exit_of_indication, worst
from edoc.cli.options import Json, Lang
from edoc.cli.render import Output, error_object, moment, output
from edoc.cli.texts import ALTERED, COVERS, NO_ANCHOR, NO_SIGNATURE, ORGANISATION, SIGNED_AT, SIGNER
from edoc.errors import EdocError
from edoc.errors.configuration import BAD_TIME, FILE_UNREADABLE
from edoc.model.identifiers import FileRef
from edoc.model.trust import TrustMaterial
from edoc.model.verdict import CheckResult, SignatureReport, Verdict
from edoc.ports import Sandbox

_VIETNAM = timezone(timedelta(hours=7))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where trust comes from: files as given on the command line, and an office's configuration."""

    anchors: Sequence[Path]
    intermediates: Sequence[Path]
    crls: Sequence[Path]
    directory: Path | None
    directory_signer: Path | None
    config: Path | None


def verify(  # noqa: PLR0913 -- the options of a command are its contract
    files: Annotated[list[Path], typer.Argument(help="Packages (.asice), PDF, edXML, XML or CMS files.")],
    *,
    trust: Annotated[list[Path] | None, typer.Option(help="Trust anchor, PEM or DER; repeatable.")] = None,
    intermediate: Annotated[list[Path] | None, typer.Option(help="Issuing authority, PEM or DER; repeatable.")] = None,
    crl: Annotated[list[Path] | None, typer.Option(help="Revocation list, PEM or DER; repeatable.")] = None,
    directory: Annotated[Path | None, typer.Option(help="directory.json: whose seal is whose.")] = None,
    directory_signer: Annotated[
        Path | None, typer.Option(help="Verify FILE.p7s of --directory against this certificate.")
    ] = None,
    at: Annotated[str, typer.Option(help="Judge as of this time (ISO 8601; without a zone: Vietnam's).")] = "",
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Take trust from an office's edoc.toml.")
    ] = None,
    as_json: Json = False,
    lang: Lang = None,
) -> int:
    """Verify signatures, offline. Exit: 0 all passed, 1 failed, 2 indeterminate, 3 unsigned, 64+ no answer."""
    out = output(lang, as_json)
    if not trust and config is None:
        out.note(NO_ANCHOR)  # not an error: what is intact is still worth knowing, and the verdict says the rest
    sources = Sources(
        anchors=trust or (),
        intermediates=intermediate or (),
        crls=crl or (),
        directory=directory,
        directory_signer=directory_signer,
        config=config,
    )
    return asyncio.run(_verify(files, sources, instant(at), out))


def instant(text: str) -> datetime:
    """Return the time given by --at (now when empty), aware; EdocError BAD_TIME."""
    if not text:
        return datetime.now(UTC)
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise EdocError(BAD_TIME, value=text) from error
    return given if given.tzinfo is not None else given.replace(tzinfo=_VIETNAM)


async def _verify(files: Sequence[Path], sources: Sources, at: datetime, out: Output) -> int:
    codes: list[Exit] = []
    async with _sandbox(sources) as sandbox:
        material = await _material(sandbox, sources, at)
        for file in files:
            try:
                _check_readable(file)
                verdict = await sandbox.verify_file(FileRef(str(file.absolute())), material)
            except EdocError as error:
                codes.append(exit_of_error(error))
                _show_error(file, error, out)
                continue
            codes.append(exit_of_indication(verdict.indication))
            _show(file, verdict, out)
    return worst(codes)


@asynccontextmanager
async def _sandbox(sources: Sources) -> AsyncIterator[Sandbox]:
    from edoc.config import MIB, load  # noqa: PLC0415 -- --help must not wait for it
    from edoc.wiring import open_sandbox  # noqa: PLC0415 -- as above: brings every adapter

    limits = None if sources.config is None else load(sources.config).limits
    memory = 512 * MIB if limits is None else limits.sandbox_memory_bytes
    async with open_sandbox(memory, 30 if limits is None else limits.sandbox_seconds) as sandbox:
        yield sandbox


def _check_readable(file: Path) -> None:
    """Refuse what is no readable regular file here, so that a mistyped name is told as such and not by the child."""
    try:
        with file.open("rb"):
            pass
    except OSError as error:
        raise EdocError(FILE_UNREADABLE, path=file, detail=error.strerror or "", cause=str(error)) from error
    if not file.is_file():
        raise EdocError(FILE_UNREADABLE, path=file, detail="not a regular file")


async def _material(sandbox: Sandbox, sources: Sources, at: datetime) -> TrustMaterial:
    from edoc.adapters.revocation_files import read_crls  # noqa: PLC0415 -- --help must not wait for it
    from edoc.adapters.trust_files import (  # noqa: PLC0415 -- as above
        read_anchors,
        read_intermediates,
        read_pinned_certificate,
    )
    from edoc.cli.directory import read_directory  # noqa: PLC0415 -- as above
    from edoc.config import load  # noqa: PLC0415 -- as above

    anchors = read_intermediates(sources.anchors)
    intermediates = read_intermediates(sources.intermediates)
    crls = tuple(crl for path in sources.crls for crl in read_crls(path))
    directory, signer = sources.directory, None
    if sources.directory_signer is not None:
        signer = read_intermediates([sources.directory_signer])[0]
    if sources.config is not None:
        trust = load(sources.config).trust
        anchors += read_anchors((one.file, one.fingerprint) for one in trust.anchors)
        intermediates += read_intermediates(trust.intermediates)
        crls += tuple(crl for path in sorted(trust.crls.glob("*.crl")) for crl in read_crls(path))
        if directory is None and trust.directory.exists():
            directory = trust.directory
            signer = read_pinned_certificate(trust.directory_signer.file, trust.directory_signer.fingerprint)
    pins = None
    if directory is not None:
        pins = (await read_directory(sandbox, directory, signer)).all_pins()
    return TrustMaterial(anchors=anchors, intermediates=intermediates, crls=crls, pins=pins, at=at)


def _show_error(file: Path, error: EdocError, out: Output) -> None:
    if out.as_json:
        nothing: dict[str, object] = {"file": str(file), "indication": None, "sub_indication": None, "signatures": []}
        out.object(nothing | error_object(error, out.lang))
    else:
        out.error(error)


def _show(file: Path, verdict: Verdict, out: Output) -> None:
    if out.as_json:
        from edoc.exchange.reports import verification_file  # noqa: PLC0415 -- --help must not wait for it

        out.object(verification_file(str(file), verdict))
        return
    said = verdict.indication or out.text(NO_SIGNATURE)
    out.line(f"{file}: {said}" + (f" {verdict.sub_indication}" if verdict.sub_indication else ""))
    for signature in verdict.signatures:
        _show_signature(file, signature, out)


def _show_signature(file: Path, signature: SignatureReport, out: Output) -> None:
    sub = f" {signature.sub_indication}" if signature.sub_indication else ""
    place, kind = signature.path or file.name, f"{signature.format} {signature.level}".strip()
    out.line(f"  {place}  {kind}: {signature.indication}{sub}")
    facts = (
        (SIGNER, signature.signer),
        (ORGANISATION, signature.organisation or ""),
        (SIGNED_AT, moment(signature.signing_time)),
        (COVERS, signature.scope),
    )
    for label, value in facts:
        if value:
            out.line(f"    {out.text(label)}: {value}")
    if not signature.crypto_intact:
        out.line(f"    {out.text(ALTERED)}")
    for check in signature.checks:
        if check.result in {CheckResult.FAILED, CheckResult.UNKNOWN}:
            out.line(f"    [{check.result}] {check.id} ({check.clause}) {check.detail}".rstrip())
