"""Containers, good and foreign, that the tests of the package start from."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest

from edoc.envelopes import asic
from edoc.envelopes.asic import Container, Limits, open_manifest, write_container
from edoc.errors import EdocError

PDF = b"%PDF-1.7 " + bytes(range(256)) * 3
ENTRIES: list[tuple[str, bytes]] = [
    (asic.ENVELOPE, b"<envelope/>"),
    ("attachments/1.pdf", PDF),
    (asic.MANIFEST, open_manifest([(asic.ENVELOPE, "text/xml"), ("attachments/1.pdf", "application/pdf")])),
    (asic.SIGNATURES, b"<signatures/>"),
]


def container(entries: list[tuple[str, bytes]] | None = None) -> bytes:
    target = io.BytesIO()
    write_container(target, ENTRIES if entries is None else entries)
    return target.getvalue()


GOOD = container()


def opened(data: bytes, limits: Limits = Limits()) -> Container:  # noqa: B008 -- a frozen value
    return Container.open(io.BytesIO(data), limits)


def read_all(data: bytes, limits: Limits = Limits()) -> dict[str, bytes]:  # noqa: B008 -- a frozen value
    held = opened(data, limits)
    return {name: held.read(name, 10**9) for name in held.names}


def refused(data: bytes, limits: Limits = Limits()) -> str:  # noqa: B008 -- a frozen value
    with pytest.raises(EdocError) as caught:
        read_all(data, limits)
    assert caught.value.code == "BAD_CONTAINER"
    assert "{" not in caught.value.text("vi")
    return caught.value.facts["detail"]


def contents(data: bytes) -> dict[str, bytes] | None:
    """Return what a container holds, None when it is refused."""
    try:
        return read_all(data)
    except EdocError:
        return None


def foreign(
    *files: tuple[str, bytes],
    change: Callable[[zipfile.ZipInfo], None] | None = None,
    method: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """Build a container with the standard library, as another program would."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        archive.writestr(zipfile.ZipInfo(asic.MIMETYPE), asic.MEDIA_TYPE, zipfile.ZIP_STORED)
        for name, content in files:
            info = zipfile.ZipInfo(name)
            if change:
                change(info)
            archive.writestr(info, content, method)
    return target.getvalue()
