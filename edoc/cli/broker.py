"""`edoc broker`: set up and check a broker for the organisations of the directory; an administrator's command.

Rules: what has to exist is computed from the verified directory, compared with the broker, and only differences are
changed: the second run changes nothing.  Members are the active organisations whose domain is the office's own; every
other code is routed to the relay that the directory names for it.

Does not delete what it does not know, and does not talk AMQP.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edoc.cli.exit_codes import Exit
from edoc.cli.options import ConfigFile, Json, Lang
from edoc.cli.render import output
from edoc.cli.texts import BROKER_AGREES, BROKER_CHANGED
from edoc.errors import EdocError
from edoc.errors.configuration import CONFIG_INVALID

if TYPE_CHECKING:  # --help must not wait for them
    from edoc.adapters.broker_management import ManagementClient
    from edoc.directory.organisation import Organisation, Snapshot
    from edoc.exchange.topology import Member
    from edoc.model.identifiers import OrganId
    from edoc.model.topology import Topology

app = typer.Typer(help="Set up and check a broker.", no_args_is_help=True)


@app.command()
def setup(config: ConfigFile, *, as_json: Json = False, lang: Lang = None) -> int:
    """Create and correct exchanges, queues, bindings, policies, users and permissions."""
    out = output(lang, as_json)
    from edoc.adapters.broker_setup import apply  # noqa: PLC0415 -- --help must not wait for it

    topology, client = _prepared(config)
    changes = apply(topology, client)
    for one in changes:
        if as_json:
            out.object({"kind": one.kind, "name": one.name, "change": one.change})
        out.say(BROKER_CHANGED, change=one.change, kind=one.kind, name=one.name)
    if not changes:
        out.say(BROKER_AGREES)
    return Exit.OK


@app.command()
def check(config: ConfigFile, *, as_json: Json = False, lang: Lang = None) -> int:
    """Compare the broker with what has to exist. Exit 1 when something differs."""
    out = output(lang, as_json)
    from edoc.adapters.broker_setup import check as differences  # noqa: PLC0415 -- --help must not wait for it

    topology, client = _prepared(config)
    reports = differences(topology, client)
    for report in reports:
        if as_json:
            out.object({"code": report.code, "text": report.text(out.lang), "next_step": report.next_step(out.lang)})
        else:
            out.line(f"{report.code}: {report.text(out.lang)}")
            out.line(f"  {report.next_step(out.lang)}")
    if not reports:
        out.say(BROKER_AGREES)
    return Exit.FAILED if reports else Exit.OK


def _prepared(config: Path) -> tuple[Topology, ManagementClient]:
    from edoc.adapters.broker_management import ManagementClient  # noqa: PLC0415 -- --help must not wait for it
    from edoc.cli.directory import office_directory  # noqa: PLC0415 -- as above
    from edoc.config import load  # noqa: PLC0415 -- as above
    from edoc.exchange.topology import desired  # noqa: PLC0415 -- as above

    office = load(config)
    broker = office.broker
    if not broker.management_url or not broker.management_user or broker.management_password_file is None:
        detail = "expected management_url, management_user and management_password_file"
        raise EdocError(CONFIG_INVALID, path=config, key="broker", detail=detail)
    client = ManagementClient(broker.management_url, broker.management_user, broker.management_password_file, broker.ca)
    snapshot = asyncio.run(office_directory(office))
    members, routes = members_and_routes(snapshot, office.organ_id, _today())
    return desired(members, routes=routes, vhost=broker.vhost), client


def _today() -> date:
    from edoc.ports import today  # noqa: PLC0415 -- --help must not wait for it

    return today(datetime.now(UTC))


def members_and_routes(snapshot: Snapshot, home: OrganId, on: date) -> tuple[list[Member], dict[OrganId, OrganId]]:
    """Return the members of the broker that `home` lives at, and for every code of other brokers the relay to it.

    Former codes are routed too: mail for a dissolved unit must reach its successor's decision, not vanish.
    """
    from edoc.exchange.topology import Member  # noqa: PLC0415 -- --help must not wait for it

    domain = snapshot.domain(home)
    members: list[Member] = []
    routes: dict[OrganId, OrganId] = {}
    here: set[OrganId] = set()
    for one in snapshot.organisations:
        level = one.level(on)
        if one.exists(on) and level is not None and snapshot.domain(one.code) == domain:
            members.append(Member(organ_id=one.code, level=level, user=one.broker_user or one.code))
            here.add(one.code)
    for one in snapshot.organisations:
        via = _via(one, snapshot, here, on)
        if via is not None:
            routes.update((code, via) for code in (one.code, *one.aliases) if code not in here)
    return members, routes


def _via(one: Organisation, snapshot: Snapshot, here: set[OrganId], on: date) -> OrganId | None:
    """Return the member at which mail for an organisation waits: itself, its one successor, or a relay's."""
    found = snapshot.resolve(one.code, on).organisation
    if found is not None and found.code in here:
        return found.code
    return next((relay for relay in snapshot.relays(one.code) if relay in here), None)
