"""PDFs as the field writes them: what a strict reader refuses and nobody signed is repaired, the rest is refused."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pikepdf
import pytest
from fakes.sealed import NOW, World, make_world, plain_pdf, seal_pdf
from pyhanko.pdf_utils.reader import PdfFileReader

from edoc.envelopes.pdf import PdfRevision, prepare_revision
from edoc.envelopes.pdf_signatures import read_signatures
from edoc.errors import EdocError
from edoc.signatures.validation import validate_pdf


@pytest.fixture(scope="module")
def world() -> World:
    return make_world()


def prepare(content: bytes, world: World) -> tuple[PdfRevision, bytes]:
    target = io.BytesIO()
    revision = prepare_revision(io.BytesIO(content), target, certificates=(world.seal.der,), name="", reason="", at=NOW)
    return revision, target.getvalue()


def misses_the_table(content: bytes) -> bytes:
    return re.sub(rb"startxref\n\d+", b"startxref\n5", content)


def has_no_table(content: bytes) -> bytes:
    start = content.rindex(b"\nxref\n")
    return content[:start] + content[content.index(b"trailer", start) - 1 :]


def has_generation_65536(content: bytes) -> bytes:
    return content.replace(b"0000000000 65535 f", b"0000000000 65536 f", 1)


def has_wrong_offsets(content: bytes) -> bytes:
    return re.sub(rb"(\d{10}) 00000 n", lambda found: b"%010d 00000 n" % (int(found[1]) + 3), content)


def has_html_before_it(content: bytes) -> bytes:
    return b"<!-- saved by a portal -->\n" + content


BROKEN: list[Callable[[bytes], bytes]] = [
    misses_the_table,
    has_no_table,
    has_generation_65536,
    has_wrong_offsets,
    has_html_before_it,
]


@pytest.mark.parametrize("break_", BROKEN)
def test_a_pdf_of_the_field_is_repaired_and_sealed_with_a_note(break_: Callable[[bytes], bytes], world: World) -> None:
    content = break_(plain_pdf("Van ban cua dia phuong"))
    revision, _ = prepare(content, world)
    assert "repaired" in revision.notes[0]
    sealed = seal_pdf(content, world.seal)
    (found,) = read_signatures(io.BytesIO(sealed))
    assert (found.problem, found.covers_all) == ("", True)
    assert validate_pdf(io.BytesIO(sealed), world.material).passed
    assert PdfFileReader(io.BytesIO(sealed), strict=True).root["/Pages"]["/Count"] == 1


def test_the_streams_of_a_repaired_pdf_are_what_they_were(world: World) -> None:
    whole = plain_pdf("Noi dung giu nguyen")
    _, written = prepare(misses_the_table(whole), world)
    with pikepdf.open(io.BytesIO(whole)) as before, pikepdf.open(io.BytesIO(written)) as after:
        contents = [pdf.pages[0].obj["/Contents"].read_raw_bytes() for pdf in (before, after)]
    assert contents[0] == contents[1]


def test_a_signed_pdf_is_never_rewritten(world: World) -> None:
    content = has_generation_65536(seal_pdf(plain_pdf(), world.pki.person("A", "X1", kind="ec")))
    revision, written = prepare(content, world)
    assert written.startswith(content)
    assert "not repaired" in revision.notes[0]


def test_a_signed_pdf_that_nobody_can_read_is_refused_and_not_repaired(world: World) -> None:
    with pytest.raises(EdocError, match="PDF_BROKEN"):
        prepare(misses_the_table(seal_pdf(plain_pdf(), world.pki.person("A", "X1", kind="ec"))), world)


def lost_contents() -> bytes:
    content = plain_pdf()
    with pikepdf.open(io.BytesIO(content)) as pdf:
        number = pdf.pages[0].obj["/Contents"].objgen[0]
    start = content.index(b"\n%d 0 obj" % number)
    end = content.index(b"endobj", start) + 6
    return misses_the_table(content[:start] + content[end:])


def lost_pages() -> bytes:
    return misses_the_table(plain_pdf().replace(b"/Count 1", b"/Count 3"))


def protected(user: str) -> bytes:
    target = io.BytesIO()
    with pikepdf.open(io.BytesIO(plain_pdf())) as pdf:
        pdf.save(target, encryption=pikepdf.Encryption(owner="o", user=user))
    return misses_the_table(target.getvalue())


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (misses_the_table(plain_pdf())[:-40], "PDF_BROKEN"),
        (plain_pdf()[:-600], "PDF_BROKEN"),
        (lost_contents(), "PDF_BROKEN"),
        (lost_pages(), "PDF_BROKEN"),
        (b"%PDF-1.7\n" + b"\x00" * 5000 + b"%%EOF\n", "PDF_BROKEN"),
        (protected("u"), "PDF_ENCRYPTED"),
        (protected(""), "PDF_ENCRYPTED"),
    ],
    ids=["no end", "cut off", "lost contents", "lost pages", "hollow", "password", "empty password"],
)
def test_what_has_lost_content_or_is_locked_is_refused(content: bytes, code: str, world: World) -> None:
    with pytest.raises(EdocError, match=code):
        prepare(content, world)


def many_pages(count: int) -> bytes:
    """Return a PDF of `count` pages, all in one list, as some scanners' programs write it."""
    target, offsets = io.BytesIO(), []

    def add(body: bytes) -> None:
        offsets.append(target.tell())
        target.write(b"%d 0 obj\n%s\nendobj\n" % (len(offsets), body))

    target.write(b"%PDF-1.7\n")
    kids = b" ".join(b"%d 0 R" % number for number in range(4, count + 4))
    add(b"<</Type/Catalog/Pages 2 0 R>>")
    add(b"<</Type/Pages/Count %d/MediaBox[0 0 595 842]/Resources<<>>/Kids[%s]>>" % (count, kids))
    add(b"<</Length 3>>\nstream\nq Q\nendstream")
    for _ in range(count):
        add(b"<</Type/Page/Parent 2 0 R/Contents 3 0 R>>")
    start = target.tell()
    target.write(b"xref\n0 %d\n0000000000 65535 f \n" % (count + 4))
    target.write(b"".join(b"%010d 00000 n \n" % offset for offset in offsets))
    target.write(b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count + 4, start))
    return target.getvalue()


@pytest.mark.parametrize("break_", [bytes, misses_the_table], ids=["sound", "broken"])
def test_fifty_thousand_pages_are_sealed(break_: Callable[[bytes], bytes], world: World) -> None:
    sealed = seal_pdf(break_(many_pages(50_000)), world.seal)
    (found,) = read_signatures(io.BytesIO(sealed))
    assert found.covers_all
