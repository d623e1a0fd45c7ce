"""Options that several commands share, spelt once.

Does not act on them.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Language(StrEnum):
    """Languages of the output."""

    VI = "vi"
    EN = "en"


Lang = Annotated[Language | None, typer.Option("--lang", help="Language of the output; default: the locale's.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line, for programs.")]
ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The office's edoc.toml.", envvar="EDOC_CONFIG")]
