"""`edoc token`: the seal's token, through the running token process.

Rules: a PIN is typed at a terminal or read from standard input, tried once, and never an argument, an environment
variable, a file of ours or a line of the log.

Does not load a PKCS#11 module: `edoc signer` does, and for `list` a worker process of its own.
"""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edoc.cli.exit_codes import Exit
from edoc.cli.options import ConfigFile, Json, Lang
from edoc.cli.render import Output, output
from edoc.cli.texts import (
    HEAD_KEY_URI,
    HEAD_SERIAL,
    HEAD_SHA256,
    HEAD_SUBJECT,
    HEAD_TOKEN,
    TOKEN_PIN,
    TOKEN_STATE,
)
from edoc.model.signing import TokenPresence, TokenState

if TYPE_CHECKING:  # --help must not wait for it
    from edoc.adapters.token_client import TokenClient

app = typer.Typer(help="The seal's token.", no_args_is_help=True)


@app.command()
def state(config: ConfigFile, *, as_json: Json = False, lang: Lang = None) -> int:
    """Show whether the token is there and ready. Exit 1 when it is not."""
    return asyncio.run(_with_token(config, output(lang, as_json), lambda token: token.state()))


@app.command(name="list")
def list_(config: ConfigFile, *, as_json: Json = False, lang: Lang = None) -> None:
    """List the tokens that are plugged in and the key URI of each certificate; costs no PIN try."""
    from edoc.config import load  # noqa: PLC0415 -- --help must not wait for it
    from edoc.signatures.creation import SealCertificate  # noqa: PLC0415 -- as above
    from edoc.token.survey import key_uri_for, survey  # noqa: PLC0415 -- as above

    out = output(lang, as_json)
    token = load(config).token
    limit = timedelta(seconds=token.request_timeout_seconds)
    rows: list[tuple[str, ...]] = []
    for seen in asyncio.run(survey(token.module, token.allowed_modules, token.environment, limit)):
        for one in seen.certificates:
            certificate = SealCertificate.read(one.der)
            uri = str(key_uri_for(seen, one))
            rows.append((seen.label, seen.serial, certificate.subject, certificate.sha256, uri))
    if as_json:
        for label, serial, subject, sha256, uri in rows:
            out.object({"label": label, "serial": serial, "subject": subject, "sha256": sha256, "key_uri": uri})
        return
    out.table((HEAD_TOKEN, HEAD_SERIAL, HEAD_SUBJECT, HEAD_SHA256, HEAD_KEY_URI), rows)


@app.command()
def unlock(
    config: ConfigFile,
    *,
    replaced: Annotated[bool, typer.Option(help="The stored PIN was replaced: it may be tried again.")] = False,
    as_json: Json = False,
    lang: Lang = None,
) -> int:
    """Type the token's PIN; it is tried once."""
    out = output(lang, as_json)

    async def give(token: TokenClient) -> TokenState:
        if replaced:
            return await token.unlock(None)
        found = await token.state()
        prompt = out.text(TOKEN_PIN, label=found.label, serial=found.serial)
        pin = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        return await token.unlock(pin)

    return asyncio.run(_with_token(config, out, give))


async def _with_token(config: Path, out: Output, act: Callable[[TokenClient], Awaitable[TokenState]]) -> Exit:
    from edoc.adapters.token_client import TokenClient  # noqa: PLC0415 -- --help must not wait for it
    from edoc.config import load  # noqa: PLC0415 -- as above

    office = load(config)
    timeout = timedelta(seconds=2 * office.token.request_timeout_seconds)
    client = TokenClient(str(office.token.socket), office.organ_id, timeout)
    try:
        found = await act(client)
    finally:
        await client.close()
    if out.as_json:
        facts = {"presence": found.presence, "label": found.label, "serial": found.serial, "detail": found.detail}
        out.object(facts)
    else:
        out.say(TOKEN_STATE, presence=found.presence, label=found.label, serial=found.serial, detail=found.detail)
    return Exit.OK if found.presence is TokenPresence.READY else Exit.FAILED
