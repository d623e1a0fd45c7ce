"""What a recipient sees of a sealed document, on real parts: the seal beside the person's signature."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from endtoend.parts import job, needs_parts, reached, refused, running, submit
from fakes.visible import blank_pdf, bounds, poppler, reds, shown
from lab.jobs import JobFile
from lab.offices import Network
from lab.personal import sign_as_person
from lab.units import COMMUNE, DISTRICT
from pyhanko.pdf_utils.reader import PdfFileReader

from edoc.model.state import State

pytestmark = [needs_parts, pytest.mark.timeout(180)]

SIZE = 36 / 25.4 * 72


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    changes: dict[str, dict[str, dict[str, object]]] = {COMMUNE.code: {"policy": {"person_signature": "required"}}}
    with running(tmp_path_factory.mktemp("seals"), (COMMUNE, DISTRICT), changes) as found:
        yield found


@poppler
def test_the_seal_arrives_beside_the_signature_of_the_person(network: Network, tmp_path: Path) -> None:
    commune, district = network.office(COMMUNE), network.office(DISTRICT)
    authority = network.authority
    signed = sign_as_person(
        blank_pdf(), authority.persons[COMMUNE.code], authority.pki, name=COMMUNE.signer, box=(330, 140, 480, 200)
    )
    files = (
        JobFile(file="bao-cao.pdf", content=signed),
        JobFile(file="phu-luc.pdf", content=blank_pdf(), role="appendix"),
    )
    submit(commune, job("seen", DISTRICT, files=files))
    told = reached(commune, "seen", State.DELIVERED)
    main, annex = sorted((district.inbox / told.document_id).glob("0*.pdf"))
    assert main.read_bytes().startswith(signed)
    left, top, right, bottom = bounds(reds(shown(tmp_path, main.read_bytes())))
    assert [left, right] == pytest.approx([380 - SIZE, 380], abs=3)
    assert (top + bottom) / 2 == pytest.approx(841.89 - 170, abs=3)
    text = subprocess.run(
        ("pdftotext", str(annex), "-"), capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()
    assert text.startswith("1/BC-UBND; ")
    moment = datetime.fromisoformat(text.removeprefix("1/BC-UBND; "))
    seal = PdfFileReader(io.BytesIO(annex.read_bytes())).embedded_signatures[0]
    assert moment == seal.self_reported_timestamp
    assert text.endswith("+07:00")
    assert moment < datetime.now(UTC)


def test_what_no_person_signed_is_not_sealed(network: Network) -> None:
    commune = network.office(COMMUNE)
    submit(commune, job("unsigned", DISTRICT, files=(JobFile(file="bao-cao.pdf", content=blank_pdf()),)))
    assert refused(commune, "unsigned") == "PERSON_SIGNATURE_MISSING"
