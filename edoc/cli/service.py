"""`edoc daemon` and `edoc signer`: the two long-running processes of an office.

Does not run them: :mod:`edoc.daemon` does.
"""

from __future__ import annotations

from edoc.cli.options import ConfigFile, Lang
from edoc.cli.render import output


def daemon(config: ConfigFile, *, lang: Lang = None) -> int:
    """Run the office's daemon until it is told to stop."""
    output(lang)
    from edoc.config import load  # noqa: PLC0415 -- --help must not wait for it
    from edoc.daemon import run_daemon  # noqa: PLC0415 -- as above: brings every adapter

    return run_daemon(load(config))


def signer(config: ConfigFile, *, lang: Lang = None) -> int:
    """Run the token process until it is told to stop; the only one that loads the PKCS#11 module."""
    output(lang)
    from edoc.config import load  # noqa: PLC0415 -- --help must not wait for it
    from edoc.daemon import run_signer  # noqa: PLC0415 -- as above

    return run_signer(load(config))
