"""What the documentation says is what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab.docs import pages

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(("path", "text"), pages().items(), ids=lambda value: value if "/" in value[:60] else "")
def test_the_generated_pages_are_current(path: str, text: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == text, "run ./scripts/docs"
