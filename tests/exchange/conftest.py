"""A world of offices for the journeys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.world import CENTRE, COMMUNE, PROVINCE, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Two offices, commune and province."""
    made = World(tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def wide(tmp_path: Path) -> AsyncIterator[World]:
    """Three offices, commune, province and centre."""
    made = World(tmp_path, (COMMUNE, PROVINCE, CENTRE))
    yield made
    await made.close()
