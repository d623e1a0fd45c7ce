"""`edoc queue`: the operator's acts on what waits: one small command per act.

Rules: an act is one journal transaction beside the running daemon; what the daemon works on at this moment stays its
own (STATE_CONFLICT: look again).  Every act is a move of the state table, or another attempt in the same state.

Does not delete: nothing is ever deleted from a queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from edoc.cli.documents import MOST, code_of, document_named, fault_of, record_name
from edoc.cli.exit_codes import Exit
from edoc.cli.options import ConfigFile, Json, Lang
from edoc.cli.render import Output, moment, output
from edoc.cli.status import record_object
from edoc.cli.texts import (
    HEAD_ATTEMPTS,
    HEAD_CODE,
    HEAD_COUNT,
    HEAD_DOCUMENT,
    HEAD_DUE,
    HEAD_FAULT,
    HEAD_KIND,
    HEAD_PEER,
    HEAD_STATE,
    IS_DUE,
    NOTHING,
    WAS_MOVED,
)
from edoc.errors import EdocError
from edoc.errors.configuration import NO_SUCH_DOCUMENT, NOT_IN_STATE
from edoc.errors.exchange import POISON
from edoc.model.record import Change, Move, Record, moved
from edoc.model.state import RUNNABLE, Kind, State

app = typer.Typer(help="What waits, and the operator's acts on it.", no_args_is_help=True)

Document = Annotated[str, typer.Argument(help="Document id, job name or the DMS's own id.")]
To = Annotated[str, typer.Option("--to", help="Only for this recipient or sender; default: all.")]
Act = Callable[[Record, datetime], Move | None]


@app.command("list")
def list_queue(
    config: ConfigFile,
    *,
    state: Annotated[State | None, typer.Option(help="Only records in this state, one by one.")] = None,
    as_json: Json = False,
    lang: Lang = None,
) -> int:
    """Count the records by kind and state, or list those in one state."""
    return asyncio.run(_list(config, state, output(lang, as_json)))


@app.command()
def show(document: Document, config: ConfigFile, *, as_json: Json = False, lang: Lang = None) -> int:
    """Show every record of one document with its next attempt."""
    return asyncio.run(_show(document, config, output(lang, as_json)))


@app.command()
def hold(document: Document, config: ConfigFile, *, to: To = "", as_json: Json = False, lang: Lang = None) -> int:
    """Stop sending to recipients until released: QUEUED and SENT become HELD."""
    return asyncio.run(_act("hold", document, to, config, _hold, output(lang, as_json)))


@app.command()
def release(document: Document, config: ConfigFile, *, to: To = "", as_json: Json = False, lang: Lang = None) -> int:
    """Let what is HELD go on: a recipient is QUEUED again, a held reception is delivered."""
    return asyncio.run(_act("release", document, to, config, _release, output(lang, as_json)))


@app.command()
def retry(document: Document, config: ConfigFile, *, to: To = "", as_json: Json = False, lang: Lang = None) -> int:
    """Make the next attempt due now; what was parked after three crashes starts again."""
    return asyncio.run(_act("retry", document, to, config, _retry, output(lang, as_json)))


def _hold(record: Record, now: datetime) -> Move | None:
    if record.key.kind is Kind.TRANSFER and record.state in {State.QUEUED, State.SENT}:
        return moved(record, State.HELD, at=now, fault=record.fault)
    return None


def _release(record: Record, now: datetime) -> Move | None:
    if record.state is not State.HELD:
        return None
    if record.key.kind is Kind.RECEPTION:
        # The fault stays: it marks the delivered document as one whose seal could not be judged.
        return moved(record, State.STAGED, at=now, fault=record.fault)
    return moved(record, State.QUEUED, at=now)


def _retry(record: Record, now: datetime) -> Move | None:
    if record.state in RUNNABLE[record.key.kind]:
        # Another fault than POISON stays: on a reception it marks a seal that could not be judged.
        poisoned = record.fault is not None and record.fault.code == POISON.code
        return moved(record, record.state, at=now, fault=None if poisoned else record.fault)
    return None


_WANTED = {"hold": "QUEUED, SENT", "release": "HELD", "retry": "ACCEPTED, SEALED, QUEUED, SENT, STAGED, SIGNED, …"}


async def _act(command: str, document: str, to: str, config: Path, act: Act, out: Output) -> Exit:
    from edoc.config import load  # noqa: PLC0415 -- --help must not wait for it
    from edoc.wiring import open_journal, tell_status  # noqa: PLC0415 -- as above

    office = load(config)
    async with open_journal(office, readonly=False) as journal:
        document_id = await document_named(document, journal, config)
        records = [one for one in await journal.find(document_id=document_id, limit=MOST) if to in {"", one.key.peer}]
        if not records:
            raise EdocError(NO_SUCH_DOCUMENT, value=" ".join(filter(None, (document, to))), config=config)
        now = datetime.now(UTC)
        moves = tuple(move for one in records if (move := act(one, now)) is not None)
        if not moves:
            states = ", ".join(" ".join(filter(None, (one.key.kind, one.key.peer, one.state))) for one in records)
            raise EdocError(
                NOT_IN_STATE,
                record=document,
                state=states,
                wanted=_WANTED[command],
                command=f"edoc queue {command}",
                document_id=document_id,
                config=config,
            )
        await journal.commit(Change(moves=moves))
        await tell_status(office, journal, document_id)
    for move in moves:
        _tell(move, out)
    return Exit.OK


def _tell(move: Move, out: Output) -> None:
    if out.as_json:
        out.object({**record_object(move.record), "was": move.was})
    elif move.record.state is move.was:
        out.say(IS_DUE, record=record_name(move.record), state=move.was)
    else:
        out.say(WAS_MOVED, record=record_name(move.record), was=move.was, state=move.record.state)


async def _list(config: Path, state: State | None, out: Output) -> Exit:
    from edoc.config import load  # noqa: PLC0415 -- --help must not wait for it
    from edoc.wiring import open_journal  # noqa: PLC0415 -- as above

    async with open_journal(load(config), readonly=True) as journal:
        if state is not None:
            _records(list(await journal.find(states=frozenset({state}), limit=MOST)), out)
            return Exit.OK
        counts = sorted(await journal.counts())
    if out.as_json:
        for kind, at, count in counts:
            out.object({"kind": kind, "state": at, "count": count})
    elif counts:
        out.table((HEAD_KIND, HEAD_STATE, HEAD_COUNT), [(kind, at, str(count)) for kind, at, count in counts])
    else:
        out.say(NOTHING)
    return Exit.OK


async def _show(document: str, config: Path, out: Output) -> Exit:
    from edoc.config import load  # noqa: PLC0415 -- --help must not wait for it
    from edoc.wiring import open_journal  # noqa: PLC0415 -- as above

    office = load(config)
    async with open_journal(office, readonly=True) as journal:
        document_id = await document_named(document, journal, config)
        records = list(await journal.find(document_id=document_id, limit=MOST))
    if not records:
        raise EdocError(NO_SUCH_DOCUMENT, value=document, config=config)
    _records(sorted(records, key=lambda one: one.key), out)
    return Exit.OK


def _records(records: list[Record], out: Output) -> None:
    if out.as_json:
        for record in records:
            out.object(record_object(record))
        return
    if not records:
        out.say(NOTHING)
        return
    rows = [
        (
            one.key.kind,
            one.document_id,
            one.key.peer,
            code_of(one),
            one.state,
            str(one.attempts),
            moment(one.next_attempt) if one.state in RUNNABLE[one.key.kind] else "—",
            fault_of(one),
        )
        for one in records
    ]
    heads = (HEAD_KIND, HEAD_DOCUMENT, HEAD_PEER, HEAD_CODE, HEAD_STATE, HEAD_ATTEMPTS, HEAD_DUE, HEAD_FAULT)
    out.table(heads, rows)
