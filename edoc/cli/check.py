"""`edoc check`: everything an admin can put right, one line each, with the next command to type.

Rules: a check that cannot be made because an earlier one failed is skipped and says so; only `fail` makes exit 1;
nothing is repaired.  The checks themselves: :mod:`edoc.cli.check_trust` and :mod:`edoc.cli.check_office`.

Does not change anything (but makes and removes empty folders named ``.edoc-check-*.tmp``).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from edoc.cli.exit_codes import Exit
from edoc.cli.finding import Finding, Level, found_error, passed
from edoc.cli.options import ConfigFile, Json, Lang
from edoc.cli.render import Output, output
from edoc.cli.texts import CHECK_CONFIG, CHECK_SUMMARY, NEXT
from edoc.errors import EdocError


def check(config: ConfigFile, *, as_json: Json = False, lang: Lang = None) -> int:
    """Check configuration, trust, folders, token and broker. Exit 1 when something failed."""
    return asyncio.run(_check(config, output(lang, as_json)))


async def _check(config: Path, out: Output) -> Exit:
    tally: Counter[Level] = Counter()
    for finding in await _findings(config, out):
        tally[finding.level] += 1
        _tell(finding, out)
    out.say(CHECK_SUMMARY, **{level.value: tally[level] for level in Level})
    return Exit.FAILED if tally[Level.FAIL] else Exit.OK


async def _findings(config: Path, out: Output) -> list[Finding]:
    from edoc.cli.check_office import broker_check, folder_checks, token_checks  # noqa: PLC0415 -- --help is quick
    from edoc.cli.check_trust import revocation_checks, trust_checks  # noqa: PLC0415 -- as above
    from edoc.config import load  # noqa: PLC0415 -- as above

    try:
        office = load(config)
    except EdocError as error:
        return [found_error("config", error, out)]
    findings = [passed("config", CHECK_CONFIG, out)]
    trusted, snapshot = await trust_checks(office, out)
    findings += trusted
    findings += revocation_checks(office, out)
    findings += folder_checks(office, out)
    findings += await token_checks(office, config, snapshot, out)
    findings.append(await broker_check(office, out))
    return findings


def _tell(finding: Finding, out: Output) -> None:
    if out.as_json:
        out.object(finding)
        return
    out.line(f"{finding.level.value:<4}  {finding.id}: {finding.text}")
    if finding.next_step:
        out.line(f"      {out.text(NEXT)} {finding.next_step}")
