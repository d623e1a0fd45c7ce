"""directory.json: bytes <-> Snapshot, and the rules a coherent directory obeys.

Rules: unknown fields are refused; a code or alias names one organisation; parents and successors exist and do not go
in circles.  A directory that breaks one rule is refused whole: half a directory would answer "unknown" wrongly.

Does not verify the signature: the bytes given here are verified already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Final, Literal

import msgspec

from edoc.directory.organisation import Instant, Organisation, Snapshot
from edoc.errors import EdocError
from edoc.errors.trust import DIRECTORY_INVALID
from edoc.model.identifiers import OrganId, parse_organ_id

FORMAT: Final = "edoc-directory/1"


class DirectoryDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """directory.json as it is written: signed apart (detached CMS, directory.json.p7s), versioned, expiring."""

    format: Literal["edoc-directory/1"]
    version: Annotated[int, msgspec.Meta(ge=1, description="Grows by every edition; a lower one is never taken.")]
    issued_at: Instant
    expires_at: Instant
    organisations: tuple[Organisation, ...]


_DECODER = msgspec.json.Decoder(DirectoryDocument)


def decode_directory(content: bytes) -> Snapshot:
    """Return the directory in `content`, checked; EdocError DIRECTORY_INVALID says what is wrong and where."""
    try:
        document = _DECODER.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EdocError(DIRECTORY_INVALID, detail=str(error), cause=type(error).__name__) from error
    check_directory(document)
    return Snapshot(
        version=document.version,
        issued_at=document.issued_at,
        expires_at=document.expires_at,
        organisations=document.organisations,
    )


def encode_directory(snapshot: Snapshot) -> bytes:
    """Return `snapshot` as directory.json; EdocError DIRECTORY_INVALID when it could not be read back."""
    document = DirectoryDocument(
        format=FORMAT,
        version=snapshot.version,
        issued_at=snapshot.issued_at,
        expires_at=snapshot.expires_at,
        organisations=snapshot.organisations,
    )
    check_directory(document)
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def directory_schema() -> dict[str, Any]:
    """Return the JSON Schema of directory.json, for its publishers."""
    schema = msgspec.json.decode(msgspec.json.encode(msgspec.json.schema(DirectoryDocument)))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:edoc:directory:1", **schema}


def check_directory(document: DirectoryDocument) -> None:
    """Raise EdocError DIRECTORY_INVALID when the directory contradicts itself."""
    if document.expires_at <= document.issued_at:
        raise _invalid("it expires before it is issued")
    known: set[str] = set()
    for one in document.organisations:
        for code in (one.code, *one.aliases):
            if code in known:
                raise _invalid(f"the code {code} is given twice")
            known.add(_code(code))
    entries = {one.code: one for one in document.organisations}
    for one in document.organisations:
        _check_entry(one, entries)
    _check_circles("parents", entries, lambda one: () if one.parent is None else (one.parent,))
    _check_circles(
        "successors", entries, lambda one: (next_.code for next_ in one.successors if next_.code is not None)
    )


def _code(text: str) -> OrganId:
    try:
        return parse_organ_id(text)
    except EdocError as error:
        raise _invalid(f"“{text[:60]}” is not an organisation's code") from error


def _check_entry(one: Organisation, entries: Mapping[OrganId, Organisation]) -> None:
    if one.valid_to is not None and one.valid_to < one.valid_from:
        raise _invalid(f"{one.code} ends before it begins")
    if one.parent is not None and one.parent not in entries:
        raise _invalid(f"the parent {one.parent} of {one.code} is not a present code of this directory")
    if one.successors and one.valid_to is None:
        raise _invalid(f"{one.code} has successors but no valid_to")
    for successor in one.successors:
        if successor.code is not None and successor.code not in entries:
            raise _invalid(f"the successor {successor.code} of {one.code} is not a present code of this directory")
    for pin in one.key_pins:
        if pin.not_after is not None and pin.not_after <= pin.not_before:
            raise _invalid(f"a key pin of {one.code} ends before it begins")


def _check_circles(
    what: str, entries: Mapping[OrganId, Organisation], edges: Callable[[Organisation], Iterable[OrganId]]
) -> None:
    """Refuse circles, by depth-first walk with an own stack: chains may be longer than Python's recursion limit."""
    done: set[OrganId] = set()
    for start in entries:
        if start in done:
            continue
        trail: dict[OrganId, None] = {start: None}
        stack = [iter(edges(entries[start]))]
        while stack:
            follower = next(stack[-1], None)
            if follower is None:
                stack.pop()
                done.add(trail.popitem()[0])
            elif follower in trail:
                raise _invalid(f"the {what} of {follower} go in a circle")
            elif follower not in done:
                trail[follower] = None
                stack.append(iter(edges(entries[follower])))


def _invalid(detail: str) -> EdocError:
    return EdocError(DIRECTORY_INVALID, detail=detail)
