"""What the documentation says is what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab.docs import pages

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("path", pages())
def test_the_generated_pages_are_current(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == pages()[path], "run ./scripts/docs"
