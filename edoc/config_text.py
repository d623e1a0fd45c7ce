"""The configuration in words: the commented example and the JSON Schema, both made from the classes.

Rules: config/edoc.example.toml and schemas/configuration.schema.json are this module's output; a test compares them.
Required keys stand with an example value, all others commented out with their default (or an example).

Does not read a configuration.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Meta

from edoc.config import Config, Section

_HEAD = """\
# edoc.toml: the configuration of one office.
#
# Lines without “#” must be filled in; the commented ones show the default, or an example when there is none.
# Paths are relative to this file's folder. Secrets are never written here, only the paths of their files.
# After every change: edoc check --config edoc.toml
"""


def describe() -> str:
    """Return a commented example of edoc.toml with every key."""
    lines = [_HEAD]
    for section in msgspec.structs.fields(Config):
        kind = section.type
        lines.append(f"# {_first_line(kind)}")
        lines.append(f"[{section.encode_name}]")
        lines.extend(line for key in msgspec.structs.fields(kind) for line in _key(kind, key))
        lines.append("")
    return "\n".join(lines)


def configuration_schema() -> dict[str, Any]:
    """Return the JSON Schema of edoc.toml (as the JSON form of its TOML), for editors that complete and check."""
    schema = msgspec.json.decode(
        msgspec.json.encode(
            msgspec.json.schema(Config, schema_hook=lambda kind: {"type": "string"} if kind is Path else {})
        )
    )
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:edoc:configuration:1", **schema}


def _key(kind: type[Section], key: msgspec.structs.FieldInfo) -> Iterator[str]:
    note = _meta(kind, key.name)
    if note.description:
        yield f"# {note.description}"
    default = key.default if key.default_factory is msgspec.NODEFAULT else key.default_factory()
    shown = note.examples[0] if note.examples else default
    yield f"{'' if key.required else '# '}{key.encode_name} = {toml(shown)}"


def _meta(kind: type[Section], name: str) -> Meta:
    """Return the outermost Meta of a key: the key's own words come before those of its type."""
    hint = typing.get_type_hints(kind, include_extras=True)[name]
    notes = [note for note in getattr(hint, "__metadata__", ()) if isinstance(note, Meta) and note.description]
    return notes[-1] if notes else Meta()


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


def toml(value: object) -> str:
    """Return `value` as TOML on one line."""
    match value:
        case Path():
            return toml(str(value))
        case str():
            return msgspec.json.encode(value).decode()  # a basic string of TOML is written as JSON writes one
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case tuple() | list():
            return "[" + ", ".join(toml(item) for item in value) + "]"
    pairs = msgspec.to_builtins(value).items()
    return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in pairs) + "}"
