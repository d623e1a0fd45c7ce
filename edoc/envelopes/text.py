"""Text that came from somewhere else, made safe to show.

Rules: a value from a message may hold bidi controls, zero-width characters, terminal escapes and megabytes; what
goes into an error's facts passes through here.  Does not change text that is sealed: that is kept as it was written.
"""

from __future__ import annotations

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def is_hidden(character: str) -> bool:
    """Return whether `character` is a control, format (bidi, zero-width), surrogate or line-breaking one."""
    return unicodedata.category(character) in _HIDDEN


def shown(text: str, limit: int = 80) -> str:
    """Return `text` for a message: hidden characters as escapes, at most `limit` characters of it."""
    cut = text if len(text) <= limit else text[:limit] + "…"
    return "".join(f"\\u{ord(each):04x}" if is_hidden(each) else each for each in cut)
