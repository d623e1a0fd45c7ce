"""Whatever is done to a signed file, the answer is a verdict or an error of ours, never a traceback."""

from __future__ import annotations

import io
import logging
import random
from collections.abc import Iterator

import pytest
from fakes.sealed import NOW, World, package, plain_pdf, seal_pdf, signed_status

from edoc.envelopes.pdf import prepare_revision
from edoc.errors import EdocError
from edoc.signatures.certificates import read_certificate
from edoc.signatures.validation import validate_file

SNIPPETS = (
    b"<<",
    b">>",
    b"[",
    b"0 R",
    b"-1",
    b"9999999999",
    b"<",
    b'"',
    b"\0\0",
    b".",
    b"&",
    b"\x30\x84\xff\xff\xff\xff",
)
ROUNDS = 120


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """PyHanko logs what it finds wrong with files; here that is everything."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def mutated(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        at = draw.choice([draw.randrange(min(1500, len(changed))), len(changed) - 1 - draw.randrange(900)])
        match draw.randrange(4):
            case 0:
                changed[at] ^= 1 << draw.randrange(8)
            case 1:
                changed[at : at + draw.randint(0, 6)] = draw.choice(SNIPPETS)
            case 2:
                del changed[at : at + draw.randint(1, 40)]
            case _:
                start = draw.randrange(len(changed))
                changed[at:at] = changed[start : start + draw.randint(1, 60)]
    return bytes(changed)


@pytest.mark.parametrize("kind", ["package", "status", "pdf", "pdf-twice"])
def test_no_damage_is_a_traceback(kind: str, world: World) -> None:
    sealed = seal_pdf(plain_pdf(), world.seal)
    content = {
        "package": package(world.seal, [sealed]),
        "status": signed_status(world.seal),
        "pdf": sealed,
        "pdf-twice": seal_pdf(sealed, world.pki.person("Nguyễn Văn An", "X1", kind="ec")),
    }[kind]
    draw = random.Random(5)  # noqa: S311 -- which octets are damaged is no secret
    for _ in range(ROUNDS):
        damaged = mutated(content, draw)
        validate_file(io.BytesIO(damaged), world.material)
        if kind.startswith("pdf"):
            try:
                prepare_revision(
                    io.BytesIO(damaged), io.BytesIO(), certificates=(world.seal.der,), name="", reason="", at=NOW
                )
            except EdocError:
                continue


def test_a_certificate_that_cannot_be_read_is_an_error_of_ours(world: World) -> None:
    der = world.seal.der
    version = der.index(b"\xa0\x03\x02\x01\x02") + 4
    for broken in (b"", b"junk", der[:-1], der[:version] + b"\x06" + der[version + 1 :]):
        with pytest.raises(EdocError, match="CERTIFICATE_BROKEN"):
            read_certificate(broken)
