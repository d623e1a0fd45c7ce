"""Exit codes: what a script may rely on.

Rules: 0 to 3 are answers, 64 and above mean that there is no answer (numbers of sysexits.h).  docs/exit-codes.md is
this module's output; a test compares them.

Does not exit.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from edoc.errors import Disposition, EdocError
from edoc.model.verdict import Indication


class Exit(IntEnum):
    """Every exit code of every command."""

    OK = 0
    FAILED = 1
    INDETERMINATE = 2
    UNSIGNED = 3
    USAGE = 64
    INPUT = 65
    NO_INPUT = 66
    UNAVAILABLE = 69
    INTERNAL = 70
    TEMPORARY = 75
    CONFIGURATION = 78
    INTERRUPTED = 130


MEANING: dict[Exit, str] = {
    Exit.OK: "Done. `verify`: every file TOTAL-PASSED. `check`: nothing failed. `submit --wait`: delivered to all.",
    Exit.FAILED: "`verify`: a file TOTAL-FAILED. `check`, `broker check`: something is wrong. "
    "`submit --wait`: failed, refused or held for a recipient.",
    Exit.INDETERMINATE: "`verify` only: a file INDETERMINATE, none failed.",
    Exit.UNSIGNED: "`verify` only: a file without any signature, none failed or indeterminate.",
    Exit.USAGE: "The command line was not understood.",
    Exit.INPUT: "What was given cannot be accepted; the same again will not help.",
    Exit.NO_INPUT: "A file, certificate, revocation list or document that was named cannot be read or found.",
    Exit.UNAVAILABLE: "A person has to act first: token, directory, journal, broker, rights.",
    Exit.INTERNAL: "A fault of edoc itself; the traceback on standard error belongs into a report.",
    Exit.TEMPORARY: "Not now; the same command may succeed later.",
    Exit.CONFIGURATION: "edoc.toml is missing or not valid.",
    Exit.INTERRUPTED: "Stopped from the keyboard.",
}

_BY_CODE = {
    "USAGE": Exit.USAGE,
    "BAD_TIME": Exit.USAGE,
    "CONFIG_MISSING": Exit.CONFIGURATION,
    "CONFIG_INVALID": Exit.CONFIGURATION,
    "FILE_UNREADABLE": Exit.NO_INPUT,
    "CERTIFICATE_UNREADABLE": Exit.NO_INPUT,
    "CRL_UNREADABLE": Exit.NO_INPUT,
    "NO_SUCH_DOCUMENT": Exit.NO_INPUT,
}
_BY_DISPOSITION = {
    Disposition.TEMPORARY: Exit.TEMPORARY,
    Disposition.PERMANENT: Exit.INPUT,
    Disposition.OPERATOR: Exit.UNAVAILABLE,
}
_BY_INDICATION = {
    Indication.TOTAL_PASSED: Exit.OK,
    Indication.TOTAL_FAILED: Exit.FAILED,
    Indication.INDETERMINATE: Exit.INDETERMINATE,
    None: Exit.UNSIGNED,
}


def exit_of_error(error: EdocError) -> Exit:
    """Return the exit code of an error."""
    return _BY_CODE.get(error.code, _BY_DISPOSITION[error.fault.disposition])


def exit_of_indication(indication: Indication | None) -> Exit:
    """Return the exit code of one file's indication; None is a file without signatures."""
    return _BY_INDICATION[indication]


def worst(codes: Iterable[Exit]) -> Exit:
    """Return the code of several files: 64 and above before 1 before 2 before 3 before 0."""
    found = set(codes)
    errors = [code for code in found if code >= Exit.USAGE]
    if errors:
        return max(errors)
    return next((code for code in (Exit.FAILED, Exit.INDETERMINATE, Exit.UNSIGNED) if code in found), Exit.OK)


def exit_codes_page() -> str:
    """Return docs/exit-codes.md."""
    rows = "\n".join(f"| {code.value} | {code.name} | {MEANING[code]} |" for code in Exit)
    return (
        "# Exit codes\n\nGenerated from edoc/cli/exit_codes.py.\n\n"
        f"| Code | Name | Meaning |\n|---|---|---|\n{rows}\n\n"
        "For several files `edoc verify` answers with the worst: 64 and above, then 1, then 2, then 3.\n"
    )
