"""Documents and jobs of the lab, read by other programs than those that wrote them."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import jsonschema
import pytest
from lab.documents import Letter, make_pdf, make_scan, make_xlsx
from lab.jobs import Job, JobFile, write_job
from lab.personal import sign_as_person
from lab.pki import Pki
from lab.scenario import cases
from lab.trust import Authority
from lab.units import UNITS

from edoc.envelopes.submission import read_submission, schema
from edoc.model.document import Party
from edoc.model.identifiers import DocumentId, OrganId

DAY = date(2026, 11, 22)
NOW = datetime.now(UTC)
LETTER = Letter(
    agency="Ủy ban nhân dân xã Tân Lập",
    agency_above="Ủy ban nhân dân huyện Tân Biên",
    number="07",
    notation="BC-UBND",
    place="Tân Lập",
    day=DAY,
    subject="Kết quả rà soát hộ nghèo, hộ cận nghèo năm 2026",
    to=("Ủy ban nhân dân huyện Tân Biên",),
    signer="Nguyễn Văn Thọ",
    position="Chủ tịch",
    type_name="Báo cáo",
)

poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")


def run(folder: Path, pdf: bytes, *command: str) -> str:
    (folder / "file.pdf").write_bytes(pdf)
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=30).stdout


@poppler
def test_a_pdf_holds_the_form_of_a_vietnamese_document(tmp_path: Path) -> None:
    text = " ".join(run(tmp_path, make_pdf(LETTER), "pdftotext", "-layout", "file.pdf", "-").split())
    for part in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
        "Số: 07/BC-UBND",
        "Tân Lập, ngày 22 tháng 11 năm 2026",
        "BÁO CÁO",
        LETTER.subject,
        "Nơi nhận:",
        "Nguyễn Văn Thọ",
    ):
        assert part in text


@poppler
def test_a_pdf_is_a4_of_a_version_that_the_decree_allows_with_fonts_embedded(tmp_path: Path) -> None:
    info = run(tmp_path, make_pdf(LETTER), "pdfinfo", "file.pdf")
    assert "(A4)" in info
    version = re.search(r"PDF version:\s+([\d.]+)", info)
    assert version is not None
    assert float(version[1]) >= 1.4
    fonts = run(tmp_path, make_pdf(LETTER), "pdffonts", "file.pdf").splitlines()[2:]
    assert fonts
    assert all("LiberationSerif" in line and " yes yes yes " in line for line in fonts)


def test_one_letter_gives_one_pdf() -> None:
    assert make_pdf(LETTER) == make_pdf(LETTER)


def test_a_scan_has_about_the_size_asked_for_and_does_not_compress() -> None:
    scan = make_scan(LETTER, 2_000_000)
    assert 1_900_000 < len(scan) < 2_200_000


def test_a_spreadsheet_is_a_zip_with_the_text_in_it() -> None:
    with zipfile.ZipFile(io.BytesIO(make_xlsx((("Họ và tên", "A & B"),)))) as archive:
        assert archive.testzip() is None
        assert "A &amp; B" in archive.read("xl/worksheets/sheet1.xml").decode()


@poppler
def test_a_personal_signature_is_valid_to_another_program(tmp_path: Path) -> None:
    pki = Pki.create(NOW)
    signed = sign_as_person(make_pdf(LETTER), pki.person("Nguyễn Văn Thọ", "H53.31.20"), pki, name="Nguyễn Văn Thọ")
    assert "Signature is Valid" in run(tmp_path, signed, "pdfsig", "-nocert", "file.pdf")


def test_every_description_of_the_demo_fits_the_schema_and_is_read_as_written() -> None:
    office = Party(organ_id=OrganId("H53"))
    for case in cases(Authority(Pki.create(NOW), UNITS), DAY):
        description = case.job.description()
        jsonschema.validate(json.loads(description), schema())
        read = read_submission(description, DocumentId("00000000-0000-4000-8000-000000000000"), office)
        assert str(read.document.code) == f"{case.job.letter.number}/{case.job.letter.notation}"
        assert [party.organ_id for party in read.document.recipients] == list(case.job.recipients)
        assert [file.file for file in read.files] == [file.file for file in case.job.files]


def test_a_job_is_renamed_into_the_outbox_or_marked_ready(tmp_path: Path) -> None:
    job = Job(name="one", letter=LETTER, recipients=("H53",), files=(JobFile(file="a.pdf", content=b"%PDF-"),))
    write_job(tmp_path, job)
    assert {path.name for path in tmp_path.iterdir()} == {"one"}
    assert {path.name for path in (tmp_path / "one").iterdir()} == {"document.json", "a.pdf"}
    (tmp_path / "marked").mkdir()
    write_job(tmp_path / "marked", job, ready_mark=True)
    assert {path.name for path in (tmp_path / "marked").iterdir()} == {"one.part", "one.ready"}
