"""`edoc config`: the configuration explained.

Does not change a configuration.
"""

from __future__ import annotations

import sys

import typer

from edoc.cli.options import Lang
from edoc.cli.render import output

app = typer.Typer(help="The configuration explained.", no_args_is_help=True)


@app.command("describe")
def describe_configuration(*, lang: Lang = None) -> int:
    """Print a commented edoc.toml with every key and its default."""
    output(lang)
    from edoc.config_text import describe  # noqa: PLC0415 -- --help must not wait for it

    sys.stdout.write(describe())
    return 0
