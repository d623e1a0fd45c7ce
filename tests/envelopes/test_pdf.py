"""A PDF gets room for a seal at its end, and nothing before it is touched."""

from __future__ import annotations

import hashlib
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from fakes.sealed import NOW, World, make_world, plain_pdf, seal_pdf
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader

from edoc.envelopes.pdf import PdfRevision, contents_digits, prepare_revision
from edoc.envelopes.pdf_signatures import read_signatures
from edoc.errors import EdocError


@pytest.fixture(scope="module")
def world() -> World:
    return make_world()


def prepare(content: bytes, world: World) -> tuple[PdfRevision, bytes]:
    target = io.BytesIO()
    revision = prepare_revision(
        io.BytesIO(content), target, certificates=(world.seal.der,), name="UBND xã", reason="Ban hành", at=NOW
    )
    return revision, target.getvalue()


def test_the_revision_is_appended_and_the_digest_leaves_out_the_contents_only(world: World) -> None:
    content = plain_pdf()
    revision, written = prepare(content, world)
    start, end = revision.contents_offset - 1, revision.contents_offset + revision.contents_digits + 1
    assert written.startswith(content)
    assert revision.contents_digits == contents_digits((world.seal.der,))
    assert written[start:end] == b"<" + b"0" * revision.contents_digits + b">"
    assert revision.digest == hashlib.sha256(written[:start] + written[end:]).digest()
    assert f"[0 {start} {end} {len(written) - end}]".encode() in written


def test_the_seal_has_the_entries_of_the_standard(world: World) -> None:
    _, written = prepare(plain_pdf(), world)
    field = PdfFileReader(io.BytesIO(written)).root["/AcroForm"]["/Fields"][0]
    value = field["/V"]
    assert value["/SubFilter"] == "/ETSI.CAdES.detached"
    assert value["/M"] == "D:20261122160000+07'00'"
    assert (value["/Name"], value["/Reason"]) == ("UBND xã", "Ban hành")
    assert "/AP" not in field


def test_a_seal_of_the_same_certificate_is_recognised_and_left(world: World) -> None:
    revision, written = prepare(seal_pdf(plain_pdf(), world.seal), world)
    assert revision.already_sealed
    assert not written


def test_a_damaged_seal_of_the_same_certificate_is_not_taken_for_one(world: World) -> None:
    sealed = seal_pdf(plain_pdf(), world.seal)
    damaged = sealed.replace(b"/Producer", b"/Productr", 1)
    assert damaged != sealed
    assert not prepare(damaged, world)[0].already_sealed


def test_a_persons_signature_stays_and_gets_a_seal_beside_it(world: World) -> None:
    signed = seal_pdf(plain_pdf(), world.pki.person("Nguyễn Văn An", "X1", kind="rsa"))
    sealed = seal_pdf(signed, world.seal)
    assert sealed.startswith(signed)
    first, second = read_signatures(io.BytesIO(sealed))
    assert (first.name, second.name) == ("edoc-seal-1", "edoc-seal-2")
    assert (first.covers_all, second.covers_all) == (False, True)
    assert not first.later


def rewritten(content: bytes, change: Any) -> bytes:
    """Return `content` with one more revision made by `change(writer)`."""
    writer = IncrementalPdfFileWriter(io.BytesIO(content))
    change(writer)
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def locked(transform: str, parameters: dict[str, Any], world: World) -> bytes:
    """Return a PDF whose only signature forbids changes."""

    def change(writer: Any) -> None:
        value = writer.root["/AcroForm"]["/Fields"][0].raw_get("/V")
        reference = generic.DictionaryObject(
            {
                pdf_name("/TransformMethod"): pdf_name(transform),
                pdf_name("/TransformParams"): generic.DictionaryObject(
                    {pdf_name(key): entry for key, entry in parameters.items()}
                ),
            }
        )
        value.get_object()[pdf_name("/Reference")] = generic.ArrayObject([reference])
        writer.mark_update(value)

    return rewritten(seal_pdf(plain_pdf(), world.pki.person("A", "X1", kind="ec")), change)


@pytest.mark.parametrize(
    ("transform", "parameters", "forbidden"),
    [
        ("/DocMDP", {"/P": generic.NumberObject(1)}, True),
        ("/DocMDP", {"/P": generic.NumberObject(2)}, False),
        ("/DocMDP", {}, False),
        ("/FieldMDP", {"/Action": pdf_name("/All")}, True),
        ("/FieldMDP", {"/Action": pdf_name("/Exclude")}, True),
        ("/FieldMDP", {"/Action": pdf_name("/Include")}, False),
    ],
)
def test_a_signature_that_forbids_others_is_respected(
    transform: str, parameters: dict[str, Any], forbidden: bool, world: World
) -> None:
    revision, written = prepare(locked(transform, parameters, world), world)
    assert revision.forbidden is forbidden
    assert bool(written) is not forbidden


def test_an_xfa_form_is_noted(world: World) -> None:
    def change(writer: Any) -> None:
        form = generic.DictionaryObject(
            {pdf_name("/Fields"): generic.ArrayObject(), pdf_name("/XFA"): generic.ArrayObject()}
        )
        writer.root[pdf_name("/AcroForm")] = form
        writer.update_root()

    revision, _ = prepare(rewritten(plain_pdf(), change), world)
    assert any("XFA" in note for note in revision.notes)


def encrypted() -> bytes:
    writer = IncrementalPdfFileWriter(io.BytesIO(plain_pdf()))
    from pyhanko.pdf_utils.writer import copy_into_new_writer  # noqa: PLC0415 -- for this test alone

    copy = copy_into_new_writer(writer.prev)
    copy.encrypt("secret", "secret")
    target = io.BytesIO()
    copy.write(target)
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "NOT_A_PDF"),
        (b"PK\x03\x04", "NOT_A_PDF"),
        (b"%PDF-1.7\nnothing", "PDF_BROKEN"),
        (plain_pdf()[: len(plain_pdf()) // 2], "PDF_BROKEN"),
        (encrypted(), "PDF_ENCRYPTED"),
    ],
    ids=["empty", "zip", "hollow", "half", "encrypted"],
)
def test_what_cannot_be_sealed_is_named(content: bytes, code: str, world: World) -> None:
    with pytest.raises(EdocError, match=code):
        prepare(content, world)


def with_object_streams() -> bytes:
    """Return a PDF as newer producers write it: cross-reference streams and objects in streams."""
    from pyhanko.pdf_utils.writer import copy_into_new_writer  # noqa: PLC0415 -- for this test alone

    copy = copy_into_new_writer(PdfFileReader(io.BytesIO(plain_pdf())))
    copy.stream_xrefs = True
    target = io.BytesIO()
    copy.write(target)
    return target.getvalue()


def test_a_pdf_with_cross_reference_streams_is_sealed(world: World) -> None:
    sealed = seal_pdf(with_object_streams(), world.seal)
    assert b"/XRef" in sealed
    (found,) = read_signatures(io.BytesIO(sealed))
    assert (found.problem, found.later, found.covers_all) == ("", "", True)


def bent(content: bytes) -> bytes:
    """Return `content` with a pointer to its last cross-reference table that misses it by one."""
    *_, pointer = re.finditer(rb"startxref\n(\d+)", content)
    return content[: pointer.start(1)] + b"%d" % (int(pointer[1]) + 1) + content[pointer.end(1) :]


def test_a_signed_pdf_that_bends_the_rules_is_never_rewritten(world: World) -> None:
    signed = seal_pdf(plain_pdf(), world.pki.person("A", "X1", kind="ec"))
    # As long as before, so the byte range still fits; that the signature is broken now is for validation to say.
    crooked = bent(signed)
    revision, written = prepare(crooked, world)
    assert written.startswith(crooked)
    assert "bends" in revision.notes[0]
    assert revision.signatures == 1


class Counting(io.BytesIO):
    """Counts the largest read."""

    largest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(-1 if size is None else size)
        self.largest = max(self.largest, len(piece))
        return piece


def test_a_large_pdf_is_copied_in_pieces(world: World) -> None:
    def change(writer: Any) -> None:
        writer.root[pdf_name("/Big")] = writer.add_object(generic.StreamObject(stream_data=b"x" * 8_000_000))
        writer.update_root()

    source = Counting(rewritten(plain_pdf(), change))
    target = Counting()
    prepare_revision(source, target, certificates=(world.seal.der,), name="", reason="", at=NOW + timedelta(days=1))
    assert target.getbuffer().nbytes > 8_000_000
    assert max(source.largest, target.largest) <= 1024 * 1024
