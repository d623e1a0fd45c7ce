"""Names of entries: which are acceptable in an archive that somebody else wrote.

Rules: a relative path of plain components; no second spelling of a name that is already there, by case or by Unicode
composition; nothing invisible.  Names are compared and shown, never used as a path.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from edoc.envelopes.text import is_hidden, shown
from edoc.errors import EdocError
from edoc.errors.package import BAD_CONTAINER

MAX_NAME = 255


def decode_name(raw: bytes, utf8: bool) -> str:
    """Return an entry's name; without the UTF-8 flag only ASCII is unambiguous.  EdocError BAD_CONTAINER."""
    try:
        return raw.decode("utf-8" if utf8 else "ascii")
    except UnicodeDecodeError as error:
        raise _refused(repr(raw[:60]), "not UTF-8", "không phải UTF-8") from error


def check_names(names: Sequence[str]) -> None:
    """Raise EdocError BAD_CONTAINER for a name that is unsafe, or that another one could be taken for."""
    seen: set[str] = set()
    folders: set[str] = set()
    for name in names:
        _check_name(name)
        plain = _folded(name)
        if plain in seen:
            raise _refused(name, "it stands twice, or differs from another only in case", "bị trùng tên")
        seen.add(plain)
        parts = plain.split("/")[:-1]
        folders.update("/".join(parts[: count + 1]) for count in range(len(parts)))
    for both in seen & folders:
        raise _refused(both, "it is a file and a folder", "vừa là tệp vừa là thư mục")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _check_name(name: str) -> None:
    if not name or len(name.encode()) > MAX_NAME:
        raise _refused(name, "empty or too long", "rỗng hoặc quá dài")
    if any(is_hidden(each) for each in name):
        raise _refused(name, "it holds invisible characters", "chứa ký tự ẩn")
    if "\\" in name or ":" in name or name.startswith("/"):
        raise _refused(name, "not a plain relative path", "không phải đường dẫn tương đối đơn giản")
    for part in name.split("/"):
        # A trailing stop or space is dropped by some systems: two names would become one.
        if part in {"", ".", ".."} or part != part.rstrip(". "):
            raise _refused(name, "not a plain relative path", "không phải đường dẫn tương đối đơn giản")


def _refused(name: str, why: str, why_vi: str) -> EdocError:
    detail, detail_vi = f"entry name “{shown(name)}”: {why}", f"tên mục “{shown(name)}”: {why_vi}"
    return EdocError(BAD_CONTAINER, detail=detail, detail_vi=detail_vi)
