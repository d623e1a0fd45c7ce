"""`edoc submit`: put a job into the outbox as a document-management system does.

Rules: copy to a hidden temporary name, fsync, then rename: the daemon never sees half a job.  The job gets a name of
its own, so that its status file cannot be another job's.  Nothing is followed: a symlink, pipe or device in the folder
refuses the whole.

Does not read the job: the daemon does, and answers in ``status/`` and ``failed/``.
"""

from __future__ import annotations

import asyncio
import secrets
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edoc.cli.exit_codes import Exit, worst
from edoc.cli.options import ConfigFile, Json, Lang
from edoc.cli.render import Output, output
from edoc.cli.texts import SUBMITTED, WAITING
from edoc.errors import EdocError
from edoc.errors.configuration import NOT_A_JOB, WAIT_ENDED

if TYPE_CHECKING:  # --help must not wait for msgspec and the journeys
    from edoc.config import Config
    from edoc.exchange.reports import StatusFile

_LOOK_EVERY = 0.5  # s between looks at the status file: files are the interface here, and they have no bell


def submit(
    paths: Annotated[list[Path], typer.Argument(help="Folders with a description and its files, or .edxml files.")],
    config: ConfigFile,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until every recipient has answered.")] = False,
    wait_seconds: Annotated[float, typer.Option(help="Longest wait.")] = 3600.0,
    as_json: Json = False,
    lang: Lang = None,
) -> int:
    """Put jobs into the outbox. With --wait: exit 0 when all were delivered, 1 when one was not."""
    out = output(lang, as_json)
    from edoc.config import load  # noqa: PLC0415 -- --help must not wait for it

    office = load(config)
    jobs = []
    for path in paths:
        jobs.append(_place(path, office.folders.outbox))
        if not (as_json and wait):
            out.say(SUBMITTED, job=jobs[-1])
        if as_json and not wait:
            out.object({"job": jobs[-1], "path": str(path)})
    if not wait:
        return Exit.OK
    return asyncio.run(_wait(jobs, office, config, wait_seconds, out))


def _place(path: Path, outbox: Path) -> str:
    """Copy `path` into the outbox under a fresh job name and return that name."""
    from edoc.adapters.files import (  # noqa: PLC0415 -- --help must not wait for it
        blocks_of,
        disk_errors,
        opened_file,
        remove_tree,
        rename_new,
        sync_folder,
        temporary_beside,
        write_new,
    )

    files = list(_files(path))
    suffix = path.suffix if path.is_file() else ""
    job = f"{path.resolve().name.removesuffix(suffix)}-{secrets.token_hex(4)}{suffix}"
    temporary = temporary_beside(outbox / job)
    with disk_errors(outbox):
        try:
            if path.is_dir():
                temporary.mkdir(mode=0o770)  # the group bits are also the ACL's mask: the daemon has to move it
            for file in files:
                target = temporary if file == path else temporary / file.name
                with opened_file(file) as source:
                    write_new(target, blocks_of(source), 0o640)
            if path.is_dir():
                sync_folder(temporary)
            rename_new(temporary, outbox / job)
        except OSError:
            if temporary.is_dir():
                remove_tree(temporary)
            else:
                temporary.unlink(missing_ok=True)
            raise
    return job


def _files(path: Path) -> Iterator[Path]:
    """Yield the files of a job; EdocError NOT_A_JOB for what the daemon would refuse."""
    if path.is_file() and path.suffix.lower() == ".edxml":
        yield path
        return
    if not path.is_dir():
        raise EdocError(NOT_A_JOB, path=path, detail="neither a folder nor an .edxml file")
    names = set()
    for file in sorted(path.iterdir()):
        if not stat.S_ISREG(file.lstat().st_mode):
            raise EdocError(NOT_A_JOB, path=path, detail=f"“{file.name}” is not a regular file")
        names.add(file.name)
        yield file
    if not names & {"document.json", "document.xml", "status.json", "decision.json"}:
        raise EdocError(NOT_A_JOB, path=path, detail="it has neither document.json nor document.xml")


async def _wait(jobs: Sequence[str], office: Config, config: Path, limit: float, out: Output) -> int:
    codes = []
    for job in jobs:
        if not out.as_json:
            out.note(WAITING, job=job)
        try:
            async with asyncio.timeout(limit):
                status = await _final(office.folders.status / "by-job" / f"{job}.json")
        except TimeoutError as error:
            raise EdocError(WAIT_ENDED, job=job, seconds=f"{limit:g}", config=config) from error
        codes.append(_tell(status, out))
    return worst(codes)


async def _final(path: Path) -> StatusFile:
    """Return the job's status once nothing more will come of itself."""
    while (status := _read(path)) is None or not _ended(status):  # noqa: ASYNC110 -- another process writes it
        await asyncio.sleep(_LOOK_EVERY)
    return status


def _read(path: Path) -> StatusFile | None:
    import msgspec  # noqa: PLC0415 -- --help must not wait for it

    from edoc.adapters.files import disk_errors  # noqa: PLC0415 -- as above
    from edoc.exchange.reports import StatusFile  # noqa: PLC0415 -- as above

    with disk_errors(path):
        try:
            return msgspec.json.decode(path.read_bytes(), type=StatusFile)  # replaced by rename: never half a file
        except FileNotFoundError:
            return None


def _ended(status: StatusFile) -> bool:
    if status.state == "FAILED":
        return True
    states = {one.state for one in status.recipients}
    return bool(states) and not states & {"QUEUED", "SENT"}


def _tell(status: StatusFile, out: Output) -> Exit:
    if out.as_json:
        out.object(status)
    else:
        out.line(f"{status.job}  {status.document_id}  {status.state}")
        for one in status.recipients:
            out.line(f"  {one.organ_id}  {one.state}" + (f"  {one.error.code}" if one.error else ""))
        if status.error is not None:
            vi = out.lang == "vi"
            out.line(f"  {status.error.code}: {status.error.text_vi if vi else status.error.text_en}")
            out.line(f"  {status.error.next_vi if vi else status.error.next_en}")
    delivered = status.state != "FAILED" and all(one.state == "DELIVERED" for one in status.recipients)
    return Exit.OK if delivered else Exit.FAILED
