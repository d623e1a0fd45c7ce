"""Organisations as the directory records them: codes, names, levels, succession, seals.

Rules: everything is as of a date; `valid_to` is the last day on which something holds (decrees speak so).  Levels are
data: since July 2025 a commune stands directly under the province, and no code tells it.  An organisation that was
dissolved keeps its entry for ever: its old signatures and names must stay verifiable.

These are msgspec structs and not dataclasses, because a directory holds more than 120,000 of them and they are
decoded straight into these values.  Does not check that a directory is coherent: the codec does, once.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Annotated

from msgspec import Meta, Struct, field

from edoc.model.identifiers import OrganId, Sha256
from edoc.model.trust import Pin, PinPurpose

# The schema states the pattern for the publisher; the codec checks it again with the model's own parser.
Code = Annotated[OrganId, Meta(max_length=35, pattern=r"^[A-Z0-9]+(\.[A-Z0-9]+)*$", description="Organisation's code.")]
Text = Annotated[str, Meta(min_length=1, max_length=300)]
Instant = Annotated[datetime, Meta(tz=True)]


class Level(StrEnum):
    """Administrative levels; the district level ended on 1 July 2025 and stays for what was before."""

    CENTRAL = "central"
    PROVINCE = "province"
    DISTRICT = "district"
    COMMUNE = "commune"


class Status(StrEnum):
    """Whether an organisation takes part in the exchange."""

    ACTIVE = "active"
    LOCKED = "locked"  # exists, but must not be written to for now


class SuccessionKind(StrEnum):
    """Why an organisation was followed by another."""

    MERGE = "merge"
    SPLIT = "split"
    RENAME = "rename"
    LEVEL_CHANGE = "level-change"
    DISSOLVED = "dissolved"


def _holds(valid_from: date | None, valid_to: date | None, on: date) -> bool:
    return (valid_from is None or valid_from <= on) and (valid_to is None or on <= valid_to)


class Name(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A name and the days on which it was in use."""

    name: Text
    valid_from: date | None = None
    valid_to: date | None = None


class LevelSpan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A level and the days on which the organisation stood at it."""

    level: Level
    valid_from: date | None = None
    valid_to: date | None = None


class Successor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """Who follows, from which day, by which decree; `code` is absent when nobody does."""

    kind: SuccessionKind
    since: date = field(name="date")
    decree: str = ""
    code: Code | None = None


class KeyPin(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A certificate that belongs to the organisation, for a time; both instants carry a zone."""

    sha256: Annotated[Sha256, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 of the certificate's DER.")]
    not_before: Instant
    not_after: Instant | None = None
    purpose: PinPurpose = PinPurpose.SEAL


class RelayRole(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The organisation's daemon carries messages of these domains between brokers."""

    domains: tuple[Text, ...]


class Organisation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One organisation with its whole history."""

    code: Code
    names: Annotated[tuple[Name, ...], Meta(min_length=1)]
    levels: Annotated[tuple[LevelSpan, ...], Meta(min_length=1)]
    valid_from: date
    valid_to: date | None = None
    aliases: tuple[Code, ...] = ()
    parent: Code | None = None
    status: Status = Status.ACTIVE
    successors: tuple[Successor, ...] = ()
    broker_user: str = ""  # empty: the code itself
    domain: str = ""  # the broker cluster its queues live in; empty: its parent's
    key_pins: tuple[KeyPin, ...] = ()
    relay: RelayRole | None = None

    def exists(self, on: date) -> bool:
        """Say whether the organisation exists on the day `on`."""
        return _holds(self.valid_from, self.valid_to, on)

    def name(self, on: date) -> str:
        """Return the name in use on the day `on`; the last known one when none was recorded for that day."""
        return next((one.name for one in self.names if _holds(one.valid_from, one.valid_to, on)), self.names[-1].name)

    def level(self, on: date) -> Level | None:
        """Return the level on the day `on`, None when none was recorded for that day."""
        return next((span.level for span in self.levels if _holds(span.valid_from, span.valid_to, on)), None)

    def pins(self) -> tuple[Pin, ...]:
        """Return every pin the organisation ever had; each says when it holds."""
        return tuple(
            Pin(
                organ_id=self.code,
                certificate_sha256=pin.sha256,
                purpose=pin.purpose,
                not_before=pin.not_before,
                not_after=pin.not_after,
            )
            for pin in self.key_pins
        )


class Band(StrEnum):
    """How old a directory is."""

    FRESH = "fresh"
    STALE = "stale"  # the last third of its life: works, with a warning
    EXPIRED = "expired"  # no new counterparties or keys; everything else goes on


class Finding(StrEnum):
    """What became of a code."""

    FOUND = "found"
    SUCCEEDED = "succeeded"  # it exists no more, exactly one organisation follows
    DECISION = "decision"  # it exists no more, none or several follow: a clerk decides
    UNKNOWN = "unknown"  # no such code, or it did not exist yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Who answers for a code on a day.

    `organisation` is set for FOUND and SUCCEEDED.  `path` holds the codes that were walked, the asked one first (by
    its present code), the answering one last.  `candidates` is what a DECISION chooses from; it may be empty.
    """

    finding: Finding
    organisation: Organisation | None = None
    path: tuple[OrganId, ...] = ()
    candidates: tuple[OrganId, ...] = ()


def folded(text: str) -> str:
    """Return `text` for searching: no diacritics, no case, đ as d, single spaces, no zero-width characters."""
    plain = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    kept = (char for char in plain if unicodedata.category(char) not in {"Mn", "Cf"})
    return " ".join("".join(kept).split())


class Snapshot:
    """One version of the directory, with its indexes.

    Everything is looked up by code (present or former) and day.  Built once; then every look-up but `find` takes the
    same time in a directory of any size.
    """

    def __init__(
        self, *, version: int, issued_at: datetime, expires_at: datetime, organisations: Sequence[Organisation]
    ) -> None:
        self.version = version
        self.issued_at = issued_at
        self.expires_at = expires_at
        self.organisations = tuple(organisations)
        self._by_code = {one.code: one for one in self.organisations}
        self._by_code.update({alias: one for one in self.organisations for alias in one.aliases})

    def entry(self, code: str) -> Organisation | None:
        """Return the entry of a present or former code, whatever the day."""
        return self._by_code.get(OrganId(code))

    def organisation(self, code: str, on: date) -> Organisation | None:
        """Return the organisation of `code` (present or former code) if it exists on the day `on`."""
        entry = self.entry(code)
        return entry if entry is not None and entry.exists(on) else None

    def same(self, one: str, other: str) -> bool:
        """Say whether two codes name one organisation."""
        entry = self.entry(one)
        return one == other or (entry is not None and entry is self.entry(other))

    def resolve(self, code: str, on: date) -> Resolution:
        """Return who answers for `code` on the day `on`, through as many successions as it takes."""
        path: list[OrganId] = []
        entry = self.entry(code)
        while entry is not None and entry.code not in path:
            path.append(entry.code)
            if entry.exists(on):
                finding = Finding.FOUND if len(path) == 1 else Finding.SUCCEEDED
                return Resolution(finding=finding, organisation=entry, path=tuple(path))
            if on < entry.valid_from:
                break
            followers = self._followers(entry, on)
            if len(followers) != 1:
                return Resolution(finding=Finding.DECISION, path=tuple(path), candidates=followers)
            entry = self.entry(followers[0])
        return Resolution(finding=Finding.UNKNOWN, path=tuple(path))

    def succeeds(self, code: str, former: str, on: date) -> bool:
        """Say whether `code` is `former` itself or stands in a line of successors of it on the day `on`."""
        wanted, start = self.entry(code), self.entry(former)
        seen: set[OrganId] = set()
        open_ends = [] if start is None else [start]
        while open_ends:
            entry = open_ends.pop()
            if entry is wanted:
                return True
            if entry.code not in seen:
                seen.add(entry.code)
                follow = (self.entry(follower) for follower in self._followers(entry, on))
                open_ends.extend(one for one in follow if one is not None)
        return code == former

    def _followers(self, entry: Organisation, on: date) -> tuple[OrganId, ...]:
        codes = (one.code for one in entry.successors if one.code is not None and one.since <= on)
        return tuple(dict.fromkeys(codes))

    def pins(self, code: str) -> tuple[Pin, ...]:
        """Return every pin of the organisation of `code`; each says when it holds."""
        entry = self.entry(code)
        return () if entry is None else entry.pins()

    def all_pins(self) -> tuple[Pin, ...]:
        """Return every pin of every organisation."""
        return self._all_pins

    @cached_property
    def _all_pins(self) -> tuple[Pin, ...]:
        return tuple(pin for one in self.organisations if one.key_pins for pin in one.pins())

    def level(self, code: str, on: date) -> Level | None:
        """Return the level of `code` on the day `on`; None when it is unknown or does not exist then."""
        found = self.organisation(code, on)
        return None if found is None else found.level(on)

    def domain(self, code: str) -> str:
        """Return the broker cluster that holds the queues of `code`: its own, else the nearest parent's, else ''."""
        entry = self.entry(code)
        while entry is not None:
            if entry.domain:
                return entry.domain
            entry = None if entry.parent is None else self.entry(entry.parent)
        return ""

    def relays(self, code: str) -> tuple[OrganId, ...]:
        """Return the relays that may carry messages from or to the domain of `code`."""
        return self._relays.get(self.domain(code), ())

    @cached_property
    def _relays(self) -> dict[str, tuple[OrganId, ...]]:
        found: dict[str, tuple[OrganId, ...]] = {}
        for one in self.organisations:
            for domain in () if one.relay is None else one.relay.domains:
                found[domain] = (*found.get(domain, ()), one.code)
        return found

    def band(self, now: datetime) -> Band:
        """Return whether the directory is fresh, stale (the last third of its life) or expired at `now`."""
        if now >= self.expires_at:
            return Band.EXPIRED
        stale_at = self.expires_at - (self.expires_at - self.issued_at) / 3
        return Band.STALE if now >= stale_at else Band.FRESH

    def find(self, text: str, limit: int = 50) -> tuple[Organisation, ...]:
        """Return organisations whose code or any name holds every word of `text`, accents and case apart."""
        words = folded(text).split()
        if not words:
            return ()
        hits: Iterable[Organisation] = (one for line, one in self._lines if all(word in line for word in words))
        return tuple(one for one, _ in zip(hits, range(limit), strict=False))

    @cached_property
    def _lines(self) -> tuple[tuple[str, Organisation], ...]:
        return tuple(
            (folded(" ".join((one.code, *one.aliases, *(name.name for name in one.names)))), one)
            for one in self.organisations
        )
