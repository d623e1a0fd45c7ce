"""A Directory in memory, and a small one of Tây Ninh that looks like the real thing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from edoc.directory.organisation import (
    KeyPin,
    Level,
    LevelSpan,
    Name,
    Organisation,
    RelayRole,
    Snapshot,
    Status,
    SuccessionKind,
    Successor,
)
from edoc.errors import EdocError
from edoc.errors.trust import DIRECTORY_MISSING
from edoc.model.identifiers import OrganId, Sha256

ISSUED = datetime(2026, 11, 1, tzinfo=UTC)
REFORM = date(2025, 7, 1)
DECREE = "1672/NQ-UBTVQH15"

VPCP = OrganId("000.00.00.G22")  # Văn phòng Chính phủ
TAY_NINH = OrganId("000.00.00.H53")
TAN_BIEN = OrganId("H53.31")  # huyện, đến hết 30/6/2025
TAN_LAP = OrganId("H53.31.20")
THANH_BINH = OrganId("H53.31.21")  # nhập vào Tân Lập
TAN_BINH = OrganId("H53.31.22")  # chia cho Tân Lập và Tân Biên
XA_TAN_BIEN = OrganId("H53.31.23")


class FakeDirectory:
    """The Directory port over a value; `missing` makes it answer as a daemon without a directory does."""

    def __init__(self, snapshot: Snapshot, *, missing: bool = False) -> None:
        self.current = snapshot
        self.missing = missing

    def snapshot(self) -> Snapshot:
        if self.missing:
            raise EdocError(DIRECTORY_MISSING, path="directory.json")
        return self.current


def organisation(
    code: str,
    name: str,
    level: Level,
    *,
    parent: str | None = None,
    valid_from: date = date(2016, 1, 1),
    valid_to: date | None = None,
    aliases: Sequence[str] = (),
    successors: Sequence[Successor] = (),
    pins: Sequence[str] = (),
    relay_for: Sequence[str] = (),
    domain: str = "",
    status: Status = Status.ACTIVE,
) -> Organisation:
    """Build an organisation that has one name, one level and seals by the SHA-256 of their certificates."""
    return Organisation(
        code=OrganId(code),
        names=(Name(name=name),),
        levels=(LevelSpan(level=level),),
        parent=None if parent is None else OrganId(parent),
        valid_from=valid_from,
        valid_to=valid_to,
        aliases=tuple(OrganId(alias) for alias in aliases),
        successors=tuple(successors),
        key_pins=tuple(KeyPin(sha256=Sha256(pin), not_before=datetime(2020, 1, 1, tzinfo=UTC)) for pin in pins),
        relay=RelayRole(domains=tuple(relay_for)) if relay_for else None,
        domain=domain,
        status=status,
    )


def snapshot(
    organisations: Sequence[Organisation],
    *,
    version: int = 7,
    issued_at: datetime = ISSUED,
    expires_at: datetime = ISSUED + timedelta(days=90),
) -> Snapshot:
    """Build a directory that is fresh in November 2026."""
    return Snapshot(version=version, issued_at=issued_at, expires_at=expires_at, organisations=organisations)


def merged(code: str, kind: SuccessionKind = SuccessionKind.MERGE) -> Successor:
    """Build a succession on the day of the reform."""
    return Successor(kind=kind, since=REFORM, decree=DECREE, code=OrganId(code))


def tay_ninh(*, pins: dict[str, str] | None = None, version: int = 7) -> Snapshot:
    """Build the centre, the province and some of its communes, before and after the reform of 1 July 2025.

    `pins` maps codes to the SHA-256 of their seal certificate.
    """
    last = REFORM - timedelta(days=1)
    seal = {code: (sha256,) for code, sha256 in (pins or {}).items()}
    split = (merged(TAN_LAP, SuccessionKind.SPLIT), merged(XA_TAN_BIEN, SuccessionKind.SPLIT))
    entries = (
        organisation(
            VPCP, "Văn phòng Chính phủ", Level.CENTRAL, aliases=("G22",), pins=seal.get(VPCP, ()),
            domain="trung-uong", relay_for=("tay-ninh",),
        ),
        organisation(
            TAY_NINH, "Ủy ban nhân dân tỉnh Tây Ninh", Level.PROVINCE, aliases=("H53",), pins=seal.get(TAY_NINH, ()),
            domain="tay-ninh", relay_for=("trung-uong",),
        ),
        organisation(
            TAN_BIEN, "Ủy ban nhân dân huyện Tân Biên", Level.DISTRICT, parent=TAY_NINH, valid_to=last,
            aliases=("000.00.31.H53",), pins=seal.get(TAN_BIEN, ()),
            successors=(Successor(kind=SuccessionKind.DISSOLVED, since=REFORM, decree=DECREE),),
        ),
        Organisation(
            code=TAN_LAP,
            names=(
                Name(name="UBND xã Tân Lập", valid_to=last),
                Name(name="Ủy ban nhân dân xã Tân Lập", valid_from=REFORM),
            ),
            levels=(LevelSpan(level=Level.COMMUNE),),
            valid_from=date(2016, 1, 1),
            parent=TAY_NINH,
            aliases=(OrganId("000.20.31.H53"),),
            key_pins=organisation("X", "x", Level.COMMUNE, pins=seal.get(TAN_LAP, ())).key_pins,
        ),
        organisation(
            THANH_BINH, "UBND xã Thạnh Bình", Level.COMMUNE, parent=TAN_BIEN, valid_to=last,
            successors=(merged(TAN_LAP),), pins=seal.get(THANH_BINH, ()),
        ),
        organisation(
            TAN_BINH, "UBND xã Tân Bình", Level.COMMUNE, parent=TAN_BIEN, valid_to=last, successors=split,
            pins=seal.get(TAN_BINH, ()),
        ),
        organisation(
            XA_TAN_BIEN, "Ủy ban nhân dân xã Tân Biên", Level.COMMUNE, parent=TAY_NINH, valid_from=REFORM,
            pins=seal.get(XA_TAN_BIEN, ()),
        ),
    )  # fmt: skip
    return snapshot(entries, version=version)
