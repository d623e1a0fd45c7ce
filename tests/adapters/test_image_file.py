"""The image of the seal is read when the daemon starts, and named when it is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.visible import seal_png

from edoc.adapters import image_file
from edoc.adapters.image_file import read_image
from edoc.errors import EdocError


def test_a_png_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "seal.png").write_bytes(seal_png())
    assert read_image(tmp_path / "seal.png") == seal_png()


@pytest.mark.parametrize("content", [None, b"", b"GIF89a"], ids=["absent", "empty", "other format"])
def test_what_is_no_png_is_named(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "seal.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EdocError, match="SEAL_IMAGE_UNFIT"):
        read_image(path)


def test_an_image_that_is_too_large_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_file, "MAX_BYTES", 10)
    (tmp_path / "seal.png").write_bytes(seal_png())
    with pytest.raises(EdocError, match="larger than"):
        read_image(tmp_path / "seal.png")
