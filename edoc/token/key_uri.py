"""Key URIs (RFC 7512): how a configuration names one private key on one token.

Rules: a key is named by what is written on the token (label, serial, manufacturer, model) and on the key (object,
id), never by a slot number, which changes with the order of plugging in.  A URI holds no PIN and no module: both are
configured elsewhere, and a PIN in a URI would end up in logs.

Does not look for the key: the worker does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from edoc.errors import EdocError
from edoc.errors.token import KEY_URI_INVALID

_SCHEME = "pkcs11:"
# RFC 7512, section 2.3: pk11-pchar is unreserved, percent-encoded, pk11-res-avail or "&".
_VALUE = re.compile(r"(?:[A-Za-z0-9._~:\[\]@!$'()*+,=&-]|%[0-9A-Fa-f]{2})*", re.ASCII)
_SAFE = "._~:[]@!$'()*+,=&-"
_TEXTS = ("token", "manufacturer", "serial", "model", "object")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUri:
    """One private key: attributes that are None are not compared."""

    token: str | None = None
    manufacturer: str | None = None
    serial: str | None = None
    model: str | None = None
    object: str | None = None
    id: bytes | None = None

    def __str__(self) -> str:
        parts = [f"{name}={quote(value, safe=_SAFE)}" for name in _TEXTS if (value := getattr(self, name)) is not None]
        if self.id is not None:
            # RFC 7512, section 2.3: the whole id should be percent-encoded.
            parts.append("id=" + "".join(f"%{octet:02X}" for octet in self.id))
        return _SCHEME + ";".join([*parts, "type=private"])


def parse_key_uri(text: str) -> KeyUri:
    """Return `text` as a KeyUri.

    Raises EdocError KEY_URI_INVALID for what RFC 7512 does not allow, and for what it allows and we do not: slot
    numbers, PINs, modules, vendor attributes, and a URI that leaves the token or the key open.
    """
    if not text.startswith(_SCHEME):
        raise _invalid("it does not begin with pkcs11:")
    path, question, _query = text.removeprefix(_SCHEME).partition("?")
    if question:
        raise _invalid("it has a query part (PIN and module are configured elsewhere)")
    raw: dict[str, bytes] = {}
    for part in path.split(";"):
        name, equals, value = part.partition("=")
        if not equals or not _VALUE.fullmatch(value):
            raise _invalid("an attribute is malformed")
        if name in raw:
            raise _invalid(f"{name[:20]} stands twice")
        raw[name] = unquote_to_bytes(value)
    return _checked(raw)


def _checked(raw: dict[str, bytes]) -> KeyUri:
    unknown = sorted(raw.keys() - {*_TEXTS, "id", "type"})
    if unknown:
        raise _invalid(f"the attribute {unknown[0][:20]} is not supported")
    if raw.get("type", b"private") != b"private":
        raise _invalid("type must be private")
    if not raw.get("token") and not raw.get("serial"):
        raise _invalid("it names no token: token or serial is needed")
    if not raw.get("object") and not raw.get("id"):
        raise _invalid("it names no key: object or id is needed")
    return KeyUri(id=raw.get("id"), **{name: _text(raw[name]) for name in _TEXTS if name in raw})


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _invalid("a text attribute is not UTF-8") from error


def _invalid(reason: str) -> EdocError:
    return EdocError(KEY_URI_INVALID, reason=reason)
