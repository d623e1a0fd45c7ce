"""The pages of docs/ that are made from the code: fault codes and the state table.

Rules: `pages()` says what they are to hold; ``scripts/docs`` writes them, a test compares them.
Does not write prose: what people must explain stands in pages written by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from edoc.cli.exit_codes import exit_codes_page
from edoc.config_text import configuration_schema, describe
from edoc.directory.codec import directory_schema
from edoc.envelopes.submission import schema as submission_schema
from edoc.errors import Fault, catalogue
from edoc.model import state
from edoc.model.state import INITIAL, MOVES, RUNNABLE, Kind


def pages() -> Mapping[str, str]:
    """Return each generated page by its path in the repository."""
    return {
        "config/edoc.example.toml": describe(),
        "docs/errors.md": _errors(),
        "docs/exit-codes.md": exit_codes_page(),
        "docs/states.md": _states(),
        "schemas/configuration.schema.json": _json(configuration_schema()),
        "schemas/directory.schema.json": _json(directory_schema()),
        "schemas/submission.schema.json": _json(submission_schema()),
    }


def _json(schema: object) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def _errors() -> str:
    lines = [
        "# Mã lỗi / Fault codes",
        "",
        "Made from `edoc/errors/` by `scripts/docs`. *temporary*: tried again by itself; *permanent*: answered, ended;",
        "*operator*: waits for a person. Words in braces are filled in.",
        "",
        "| Code | Disposition | Text | Next step |",
        "|---|---|---|---|",
        *(_fault(fault) for fault in catalogue().values()),
    ]
    return "\n".join(lines) + "\n"


def _fault(fault: Fault) -> str:
    text = f"{fault.en}<br>{fault.vi}"
    step = f"{fault.next_en}<br>{fault.next_vi}"
    return f"| `{fault.code}` | {fault.disposition} | {text} | {step} |".replace("\n", " ")


def _states() -> str:
    lines = [
        "# States",
        "",
        "Made from `edoc/model/state.py` by `scripts/docs`. A state in **bold** is claimed by the runner when it is",
        "due; in the others a record waits for an event.",
        "",
        "```",
        (state.__doc__ or "").partition("Rules:")[0].strip(),
        "```",
    ]
    for kind in Kind:
        lines += ["", f"## {kind}", "", "| from | to |", "|---|---|"]
        lines.append(f"| *(born)* | {', '.join(sorted(INITIAL[kind]))} |")
        for was, targets in MOVES[kind].items():
            name = f"**{was}**" if was in RUNNABLE[kind] else str(was)
            lines.append(f"| {name} | {', '.join(sorted(targets))} |")
    return "\n".join(lines) + "\n"
