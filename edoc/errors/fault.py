"""What a fault is, and one occurrence of it.

Texts are ``str.format`` templates over named facts, for instance ``{recipient}``.  A fact that is missing is shown
as its name, so that a wrong template never hides the error it describes.

Does not hold the catalogue: the area modules beside this one do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_CATALOGUE: dict[str, Fault] = {}


class Disposition(StrEnum):
    """Whether trying again can help, and who has to act."""

    TEMPORARY = "temporary"  # the same attempt may succeed later: keep it queued
    PERMANENT = "permanent"  # the same bytes will fail again: answer and stop
    OPERATOR = "operator"  # nothing moves until a person acts: park it and raise an alarm


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of error: code, disposition, public texts, next steps."""

    code: str
    disposition: Disposition
    en: str
    vi: str
    next_en: str
    next_vi: str

    def __post_init__(self) -> None:
        if self.code in _CATALOGUE:
            raise ValueError(f"fault code {self.code} is defined twice")
        _CATALOGUE[self.code] = self


class _Facts(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "{" + name + "}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultReport:
    """One occurrence of a fault as plain data, for the journal, files and frames between processes."""

    code: str
    facts: dict[str, str] = field(default_factory=dict)
    cause: str = ""

    def text(self, lang: str) -> str:
        """Return the public text in `lang` (``vi``, anything else is English)."""
        fault = fault_named(self.code)
        return (fault.vi if lang == "vi" else fault.en).format_map(_Facts(self.facts))

    def next_step(self, lang: str) -> str:
        """Return what to do next, in `lang`."""
        fault = fault_named(self.code)
        return (fault.next_vi if lang == "vi" else fault.next_en).format_map(_Facts(self.facts))

    @property
    def disposition(self) -> Disposition:
        """Return the disposition of the fault."""
        return fault_named(self.code).disposition

    def error(self) -> EdocError:
        """Return the exception that this report was made of."""
        return EdocError(fault_named(self.code), cause=self.cause, **self.facts)


class EdocError(Exception):
    """One occurrence of a fault, with its facts and its private cause."""

    def __init__(self, fault: Fault, /, *, cause: str = "", **facts: object) -> None:
        super().__init__(fault.code)
        self.fault = fault
        self.facts: Mapping[str, str] = {name: str(value) for name, value in facts.items()}
        self.cause = cause

    @property
    def code(self) -> str:
        """Return the stable code of the fault."""
        return self.fault.code

    def text(self, lang: str = "en") -> str:
        """Return the public text in `lang`."""
        return self.report().text(lang)

    def next_step(self, lang: str = "en") -> str:
        """Return what to do next, in `lang`."""
        return self.report().next_step(lang)

    def report(self) -> FaultReport:
        """Return this occurrence as plain data."""
        return FaultReport(code=self.code, facts=dict(self.facts), cause=self.cause)

    def __str__(self) -> str:
        return f"{self.code}: {self.text('en')}" + (f" ({self.cause})" if self.cause else "")


def catalogue() -> Mapping[str, Fault]:
    """Return every fault by code."""
    from edoc.errors import areas  # noqa: F401, PLC0415 -- filling the catalogue imports this module back

    return dict(sorted(_CATALOGUE.items()))


def fault_named(code: str) -> Fault:
    """Return the fault with `code`; raise KeyError when there is none."""
    return catalogue()[code] if code not in _CATALOGUE else _CATALOGUE[code]
