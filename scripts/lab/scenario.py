"""The demo's documents: five that must arrive, three that must be refused.

Rules: each is what an office of its level really writes; the bad ones are wrong in one thing only.
Does not write into spools.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from edoc.errors import Fault
from edoc.errors.journey import ATTACHMENT_DIGEST, RECIPIENT_UNKNOWN, SECRET_DOCUMENT
from lab.documents import PARAGRAPHS, Letter, make_pdf, make_scan, make_xlsx
from lab.jobs import Job, JobFile
from lab.personal import sign_as_person
from lab.trust import Authority
from lab.units import CENTRAL, COMMUNE, DISTRICT, PROVINCE, UNITS, Unit

ANNEX_BYTES = 20_000_000


@dataclass(frozen=True, kw_only=True)
class Case:
    """A job of one office, what is special about it, and the fault it must be refused with, if any."""

    sender: Unit
    job: Job
    note: str
    fault: Fault | None = None
    ready_mark: bool = False  # written by a program that cannot rename


def cases(authority: Authority, day: date) -> tuple[Case, ...]:
    """Return the demo's documents, dated `day`."""
    return (
        _report(authority, day),
        _request(day),
        _telegram(day),
        _from_the_centre(day),
        _answer(day),
        *_refused(day),
    )


def _report(authority: Authority, day: date) -> Case:
    letter = _letter(
        COMMUNE,
        (DISTRICT, PROVINCE, CENTRAL),
        day,
        number="07",
        notation="BC-UBND",
        type_name="Báo cáo",
        subject="Kết quả rà soát hộ nghèo, hộ cận nghèo năm 2026",
    )
    signed = sign_as_person(
        make_pdf(letter),
        authority.persons[COMMUNE.code],
        authority.pki,
        name=COMMUNE.signer,
        box=(365, 706, 485, 750),  # between position and name, on the last page
    )
    rows = (
        ("STT", "Họ và tên chủ hộ", "Ấp", "Số nhân khẩu", "Phân loại"),
        ("1", "Trần Thị Bưởi", "Tân Đông", "4", "Hộ nghèo"),
        ("2", "Điểu Krứ", "Tân Khai", "6", "Hộ cận nghèo"),
        ("3", "Võ Văn Thuận", "Tân Tiến", "3", "Hộ nghèo"),
    )
    files = (
        JobFile(file="bao-cao.pdf", content=signed, name="Báo cáo số 07.pdf"),
        JobFile(
            file="phu-luc.xlsx",
            content=make_xlsx(rows),
            name="Phụ lục 1 - Danh sách hộ.xlsx",
            role="appendix",
            description="Danh sách hộ nghèo, hộ cận nghèo",
        ),
    )
    job = Job(name="bao-cao-07", letter=letter, recipients=_codes(DISTRICT, PROVINCE, CENTRAL), files=files)
    return Case(sender=COMMUNE, job=job, note="to all upper levels; signed by its chairman; appendix")


def _request(day: date) -> Case:
    letter = _letter(
        DISTRICT,
        (PROVINCE,),
        day,
        number="112",
        notation="TTr-UBND",
        type_name="Tờ trình",
        subject="Về việc phê duyệt kế hoạch sử dụng đất năm 2027",
    )
    files = (
        JobFile(file="to-trinh.pdf", content=make_pdf(letter)),
        JobFile(
            file="ho-so-dia-chinh.pdf",
            content=make_scan(letter, ANNEX_BYTES),
            name="Phụ lục - Hồ sơ địa chính.pdf",
            role="appendix",
            description="Bản quét hồ sơ địa chính",
        ),
    )
    job = Job(name="to-trinh-112", letter=letter, recipients=_codes(PROVINCE), files=files, dms_id="QLVB-2026-000112")
    return Case(sender=DISTRICT, job=job, note="20 MB annex, sent in chunks")


def _telegram(day: date) -> Case:
    letter = _letter(
        PROVINCE,
        (DISTRICT, COMMUNE),
        day,
        number="03",
        notation="CĐ-UBND",
        type_name="Công điện",
        subject="Về việc chủ động ứng phó với áp thấp nhiệt đới và mưa lớn",
    )
    return _simple(PROVINCE, (DISTRICT, COMMUNE), letter, "cong-dien-03", note="hỏa tốc: the urgent lane", urgent=True)


def _from_the_centre(day: date) -> Case:
    to = (PROVINCE, DISTRICT, COMMUNE)
    letter = _letter(
        CENTRAL,
        to,
        day,
        number="9021",
        notation="VPCP-TTĐT",
        subject="gửi, nhận văn bản điện tử có ký số giữa bốn cấp hành chính",
    )
    return _simple(CENTRAL, to, letter, "cong-van-9021", note="from the centre down to all")


def _answer(day: date) -> Case:
    letter = _letter(
        COMMUNE, (DISTRICT,), day, number="58", notation="UBND-VP", subject="cử cán bộ dự tập huấn văn thư điện tử"
    )
    files = (JobFile(file="cong-van.pdf", content=make_pdf(letter)),)
    job = Job(name="cong-van-58", letter=letter, recipients=_codes(DISTRICT), files=files)
    return Case(sender=COMMUNE, job=job, note="from a program that cannot rename (.part and .ready)", ready_mark=True)


def _refused(day: date) -> tuple[Case, ...]:
    astray = _letter(COMMUNE, (DISTRICT,), day, number="59", notation="UBND-VP", subject="xác minh hộ khẩu")
    changed = _letter(DISTRICT, (PROVINCE,), day, number="113", notation="UBND-NC", subject="phối hợp thi hành án")
    secret = _letter(PROVINCE, (CENTRAL,), day, number="04", notation="UBND-NC", subject="bảo đảm an ninh biên giới")
    main = JobFile(file="cong-van.pdf", content=make_pdf(changed), sha256="0" * 64)
    return (
        Case(
            sender=COMMUNE,
            job=Job(
                name="sai-noi-nhan",
                letter=astray,
                recipients=("H53.31.99",),
                files=(JobFile(file="cong-van.pdf", content=make_pdf(astray)),),
            ),
            note="the directory does not know the recipient",
            fault=RECIPIENT_UNKNOWN,
        ),
        Case(
            sender=DISTRICT,
            job=Job(name="sai-ma-bam", letter=changed, recipients=_codes(PROVINCE), files=(main,)),
            note="the file is not the one that was declared",
            fault=ATTACHMENT_DIGEST,
        ),
        Case(
            sender=PROVINCE,
            job=Job(
                name="van-ban-mat",
                letter=secret,
                recipients=_codes(CENTRAL),
                files=(JobFile(file="cong-van.pdf", content=make_pdf(secret)),),
                secrecy="mật",
            ),
            note="marked mật: secret documents never travel here",
            fault=SECRET_DOCUMENT,
        ),
    )


def _simple(sender: Unit, to: tuple[Unit, ...], letter: Letter, name: str, *, note: str, urgent: bool = False) -> Case:
    files = (JobFile(file=f"{name}.pdf", content=make_pdf(letter)),)
    job = Job(name=name, letter=letter, recipients=_codes(*to), files=files, urgency="hỏa tốc" if urgent else "thường")
    return Case(sender=sender, job=job, note=note)


def _letter(
    sender: Unit, to: tuple[Unit, ...], day: date, *, number: str, notation: str, subject: str, type_name: str = ""
) -> Letter:
    above = next((unit.name for unit in UNITS if unit.code == sender.parent and unit is not CENTRAL), "")
    opening = f"{sender.name} gửi {', '.join(unit.name for unit in to)} văn bản về nội dung: {subject}."
    return Letter(
        agency=sender.name,
        agency_above=above,
        number=number,
        notation=notation,
        place=sender.place,
        day=day,
        subject=subject,
        to=tuple(unit.name for unit in to),
        signer=sender.signer,
        position=sender.position,
        competence="" if sender is CENTRAL else "TM. Ủy ban nhân dân",
        type_name=type_name,
        paragraphs=(opening, *PARAGRAPHS),
    )


def _codes(*units: Unit) -> tuple[str, ...]:
    return tuple(unit.code for unit in units)
