"""The command `edoc`: which commands there are, and how each run ends.

Rules: every command returns its exit code; every EdocError is told by :mod:`edoc.cli.render` and becomes an exit code;
anything else that escapes is a fault of edoc: traceback, and exit 70.  Importing this module stays cheap: commands
import what they need when they run.

Does not do a command's work: one module per group does.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from io import TextIOWrapper
from itertools import pairwise

import typer

# Typer vendors click and names its usage errors nowhere else; they are told here in the reader's language.
from typer._click.exceptions import ClickException, NoArgsIsHelpError

from edoc.cli import broker, configuration, queue, service, token
from edoc.cli.check import check
from edoc.cli.exit_codes import Exit, exit_of_error
from edoc.cli.render import current, output
from edoc.cli.status import status
from edoc.cli.submit import submit
from edoc.cli.verify import verify
from edoc.errors import EdocError
from edoc.errors.configuration import USAGE

app = typer.Typer(
    help="Sealed document exchange between the offices of a state.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a fault of ours is told as Python tells it
    rich_markup_mode=None,  # plain help: the same text on every machine, and no import of rich
)
app.command()(service.daemon)
app.command()(service.signer)
app.command()(check)
app.command()(submit)
app.command()(status)
app.command()(verify)
app.add_typer(queue.app, name="queue")
app.add_typer(broker.app, name="broker")
app.add_typer(token.app, name="token")
app.add_typer(configuration.app, name="config")


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    logging.getLogger("aio_pika").setLevel(
        logging.CRITICAL
    )  # what they say of a lost connection, our fault says better
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)
    try:
        return int(app(args=list(arguments), prog_name="edoc", standalone_mode=False) or Exit.OK)
    except ClickException as error:
        return _usage(error, arguments)
    except EdocError as error:
        current().error(error)
        return exit_of_error(error)
    except BrokenPipeError:
        # Whoever read us went away (`edoc status | head`): nothing is left to be told, and to nobody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except (KeyboardInterrupt, typer.Abort):
        return Exit.INTERRUPTED
    except Exception:  # noqa: BLE001 -- the outermost frame: Python's own exit code 1 would read as TOTAL-FAILED
        traceback.print_exc()
        return Exit.INTERNAL


def _usage(error: ClickException, arguments: Sequence[str]) -> int:
    """Tell a usage error; no option was read, so language and form are looked for in what was typed."""
    if isinstance(error, NoArgsIsHelpError):  # `edoc` alone: its message is the help
        sys.stderr.write(error.format_message() + "\n")
        return Exit.USAGE
    context = getattr(error, "ctx", None)
    command = "edoc" if context is None else context.command_path
    asked = next((after for option, after in pairwise(arguments) if option == "--lang" and after in {"vi", "en"}), None)
    out = output(asked, as_json="--json" in arguments)
    out.error(EdocError(USAGE, detail=error.format_message(), command=command))
    return Exit.USAGE


def run() -> None:
    """Enter from the installed script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without UTF-8 is no reason to fail
    code = main(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
