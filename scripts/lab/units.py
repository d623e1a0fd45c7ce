"""The organisations of the lab: one of each level, with names that exist and people who do not.

The codes are of both grammars, as in the field: QCVN 102 above, Decision 20/2020 below.
"""

from __future__ import annotations

from dataclasses import dataclass

from edoc.directory.organisation import Level
from lab.pki import KeyKind


@dataclass(frozen=True, kw_only=True)
class Unit:
    """An organisation of the lab: folder, code, level, name, parent's code, kind of its key, who signs there."""

    folder: str
    code: str
    level: Level
    name: str
    place: str
    signer: str
    position: str
    parent: str | None = None
    key: KeyKind = "rsa"


CENTRAL = Unit(
    folder="central",
    code="000.00.00.G22",
    level=Level.CENTRAL,
    name="Văn phòng Chính phủ",
    place="Hà Nội",
    signer="Trần Quốc Hưng",
    position="Bộ trưởng, Chủ nhiệm",
)
PROVINCE = Unit(
    folder="province",
    code="000.00.00.H53",
    level=Level.PROVINCE,
    name="Ủy ban nhân dân tỉnh Tây Ninh",
    place="Tây Ninh",
    signer="Lê Thị Ngọc Ánh",
    position="Chủ tịch",
    parent=CENTRAL.code,
)
DISTRICT = Unit(
    folder="district",
    code="H53.31",
    level=Level.DISTRICT,
    name="Ủy ban nhân dân huyện Tân Biên",
    place="Tân Biên",
    signer="Phạm Đình Thưởng",
    position="Chủ tịch",
    parent=PROVINCE.code,
    key="ec",
)
COMMUNE = Unit(
    folder="commune",
    code="H53.31.20",
    level=Level.COMMUNE,
    name="Ủy ban nhân dân xã Tân Lập",
    place="Tân Lập",
    signer="Nguyễn Văn Thọ",
    position="Chủ tịch",
    parent=DISTRICT.code,
)
UNITS = (CENTRAL, PROVINCE, DISTRICT, COMMUNE)
