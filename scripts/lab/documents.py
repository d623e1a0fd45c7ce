"""Documents as clerical offices write them: PDFs on A4 by the form of Decree 30/2020, an annex, a spreadsheet.

Rules: every text is made up here, in Vietnamese with all its diacritics; fonts are embedded (Liberation Serif, which
has the metrics of Times New Roman); the same letter gives the same bytes.
Does not sign and does not write into spools: :mod:`lab.jobs` does the latter.
"""

from __future__ import annotations

import io
import random
import zipfile
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

from fpdf import FPDF
from PIL import Image

_FONT_ROOT = Path("/usr/share/fonts/truetype")
_FACES = {"": "Regular", "B": "Bold", "I": "Italic", "BI": "BoldItalic"}
_STATE = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
_MOTTO = "Độc lập - Tự do - Hạnh phúc"

_BODY = """\
Thực hiện Nghị định số 30/2020/NĐ-CP ngày 05 tháng 3 năm 2020 của Chính phủ về công tác văn thư và Quyết định số
28/2018/QĐ-TTg ngày 12 tháng 7 năm 2018 của Thủ tướng Chính phủ về việc gửi, nhận văn bản điện tử giữa các cơ
quan trong hệ thống hành chính nhà nước, cơ quan ban hành văn bản này thông báo và đề nghị các đơn vị phối hợp
thực hiện những nội dung sau đây.

1. Rà soát toàn bộ văn bản đến chưa xử lý trong quý III; phân công rõ người, rõ việc, rõ thời hạn. Văn bản khẩn
phải được chuyển đến người có trách nhiệm ngay sau khi tiếp nhận, kể cả ngoài giờ hành chính. Trường hợp gửi
nhầm địa chỉ hoặc chữ ký số không hợp lệ thì trả lại nơi gửi trên hệ thống và nêu rõ lý do.

2. Văn thư cơ quan kiểm tra tính xác thực, tính toàn vẹn của văn bản trước khi tiếp nhận; xác nhận đã nhận ngay
trong ngày; đăng ký vào sổ văn bản đến và trình người đứng đầu cho ý kiến phân phối. Tuyệt đối không chuyển văn
bản có nội dung bí mật nhà nước qua hệ thống này.

3. Phòng Văn hóa - Xã hội chủ trì, phối hợp với Công an xã, Trạm Y tế và các ấp rà soát hộ nghèo, hộ cận nghèo,
người có công; lập danh sách theo mẫu kèm theo, bảo đảm đúng đối tượng, không trùng lặp, không bỏ sót.

4. Bộ phận Tiếp nhận và Trả kết quả công khai thủ tục hành chính; hướng dẫn người dân nộp hồ sơ trực tuyến;
không yêu cầu nộp bản giấy khi đã có bản điện tử được ký số hợp lệ.

5. Kinh phí thực hiện được bố trí trong dự toán ngân sách đã được giao; việc thanh toán, quyết toán theo đúng
quy định của pháp luật. Kết quả thực hiện báo cáo bằng văn bản trước ngày 25 hằng tháng để tổng hợp, trình cấp
có thẩm quyền xem xét, quyết định.

Trong quá trình thực hiện, nếu có vướng mắc, đề nghị các cơ quan, đơn vị phản ánh kịp thời để được hướng dẫn,
giải quyết. Văn bản này có hiệu lực kể từ ngày ký và thay thế các hướng dẫn trước đây trái với nội dung trên./.
"""

PARAGRAPHS = tuple(" ".join(paragraph.split()) for paragraph in _BODY.split("\n\n"))
"""Body of a letter: formal administrative prose, about a page."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A document as its form asks: who, to whom, number, date, title, text, signer."""

    agency: str
    number: str
    notation: str
    place: str
    day: date
    subject: str  # trích yếu
    to: tuple[str, ...]
    signer: str
    position: str
    agency_above: str = ""
    competence: str = ""  # TM. Q. KT. TL. TUQ., with the body it is signed for
    type_name: str = ""  # empty: công văn, which has no name of its own
    paragraphs: tuple[str, ...] = PARAGRAPHS


def make_pdf(letter: Letter) -> bytes:
    """Return `letter` as a PDF 1.7 on A4 with embedded fonts (Decree 30/2020, Annex I)."""
    page = _Page(letter.day)
    page.add_page()
    _heading(page, letter)
    _title(page, letter)
    for paragraph in letter.paragraphs:
        page.write_line(f"     {paragraph}", align="J", gap=2)
    _closing(page, letter)
    return bytes(page.output())


def make_scan(letter: Letter, size: int, seed: int = 1) -> bytes:
    """Return an annex of about `size` bytes: a cover page and a page that is one incompressible image, as a scan is."""
    page = _Page(letter.day)
    page.add_page()
    _heading(page, letter)
    _title(page, letter)
    page.write_line("Phụ lục: bản quét hồ sơ địa chính kèm theo (01 trang).", align="C", gap=4)
    page.add_page()
    side = int((size / 3) ** 0.5)
    noise = random.Random(seed).randbytes(side * side * 3)  # noqa: S311 -- not a secret: bytes that do not compress
    page.image(Image.frombytes("RGB", (side, side), noise), x=20, y=20, w=170, h=257)
    return bytes(page.output())


def make_xlsx(rows: tuple[tuple[str, ...], ...]) -> bytes:
    """Return a spreadsheet (Office Open XML) of one sheet with `rows` of text."""
    cells = "".join(
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{_escape(text)}</t></is></c>' for text in row) + "</row>"
        for row in rows
    )
    sheet = f'<worksheet xmlns="{_SHEET_NS}"><sheetData>{cells}</sheetData></worksheet>'
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (*_XLSX_PARTS, ("xl/worksheets/sheet1.xml", sheet)):
            entry = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{text}')
    return target.getvalue()


def font_folder() -> Path:
    """Return the folder with Liberation Serif; raise FileNotFoundError that says which package has it.

    Debian 12 has version 1 (fonts-liberation), without most Vietnamese letters, and version 2 beside it; later
    releases have version 2 alone, in the first one's place.
    """
    for folder in sorted(_FONT_ROOT.glob("liberation*"), reverse=True):
        if (folder / "LiberationSerif-Regular.ttf").is_file():
            return folder
    raise FileNotFoundError(f"Liberation Serif is not under {_FONT_ROOT}: apt-get install fonts-liberation2")


class _Page(FPDF):  # type: ignore[misc]  # fpdf ships no types here
    """An A4 page with the margins of Decree 30 and Liberation Serif."""

    def __init__(self, day: date) -> None:
        super().__init__(format="A4")
        self.pdf_version = "1.7"
        self.set_creation_date(datetime.combine(day, time(8), tzinfo=UTC))
        self.set_margins(left=30, top=20, right=15)
        self.set_auto_page_break(auto=True, margin=20)
        folder = font_folder()
        for style, face in _FACES.items():
            self.add_font("serif", style, folder / f"LiberationSerif-{face}.ttf")
        if ord("ệ") not in self.fonts["serif"].cmap:
            raise FileNotFoundError(f"{folder} has no Vietnamese letters: apt-get install fonts-liberation2")

    def write_line(
        self, text: str, *, style: str = "", size: float = 13, align: str = "L", gap: float = 0, height: float = 5.6
    ) -> None:
        """Write `text` across the page and leave `gap` millimetres below it."""
        self.set_font("serif", style, size)
        self.multi_cell(0, height, text, align=align, new_x="LMARGIN", new_y="NEXT")
        self.ln(gap)

    def columns(self, left: tuple[str, str], right: tuple[str, str], size: float = 13) -> None:
        """Write two columns, each a (text, style); go on below the longer one."""
        top, ends = self.get_y(), []
        for (text, style), x, width in ((left, 20.0, 85.0), (right, 103.0, 97.0)):
            self.set_xy(x, top)
            self.set_font("serif", style, size)
            self.multi_cell(width, 5.5, text, align="C", new_x="LMARGIN", new_y="NEXT")
            ends.append(self.get_y())
        self.set_xy(self.l_margin, max(ends))


def _heading(page: _Page, letter: Letter) -> None:
    """Write agency, state and motto, number, place and date."""
    if letter.agency_above:
        page.columns((letter.agency_above.upper(), ""), (_STATE, "B"), size=12)
        page.columns((letter.agency.upper(), "B"), (_MOTTO, "B"))
    else:
        page.columns((letter.agency.upper(), "B"), (f"{_STATE}\n{_MOTTO}", "B"), size=12)
    y = page.get_y() + 1
    page.line(52, y, 73, y)
    page.line(122, y, 181, y)
    page.ln(3)
    day = letter.day
    when = f"{letter.place}, ngày {day.day:02d} tháng {day.month:02d} năm {day.year}"
    page.columns((f"Số: {letter.number}/{letter.notation}", ""), (when, "I"))


def _title(page: _Page, letter: Letter) -> None:
    """Write the kind of document and its subject, then whom it addresses."""
    if letter.type_name:
        page.ln(6)
        page.write_line(letter.type_name.upper(), style="B", size=14, align="C")
        page.write_line(letter.subject, style="B", size=14, align="C", gap=4)
    else:
        page.columns((f"V/v {letter.subject}", ""), ("", ""), size=12)
        page.ln(6)
    page.write_line("Kính gửi:", align="C")
    page.write_line("\n".join(f"- {name};" for name in letter.to), align="C", gap=4)


def _closing(page: _Page, letter: Letter) -> None:
    """Write the recipients and the signer's block, all of it on one page."""
    if page.get_y() > 243:
        page.add_page()
    page.ln(2)
    places = "Nơi nhận:\n" + "\n".join(f"- {name};" for name in letter.to) + "\n- Lưu: VT."
    role = f"{letter.competence}\n{letter.position}".strip().upper()
    top = page.get_y()
    page.set_xy(page.l_margin, top)
    page.set_font("serif", "", 11)
    page.multi_cell(80, 5, places, align="L", new_x="LMARGIN", new_y="NEXT")
    page.set_xy(110, top)
    page.set_font("serif", "B", 13)
    page.multi_cell(85, 5.5, role, align="C", new_x="LMARGIN", new_y="NEXT")
    page.set_xy(110, top + 25)
    page.multi_cell(85, 5.5, letter.signer, align="C", new_x="LMARGIN", new_y="NEXT")


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_SHEET_NS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XLSX_PARTS = (
    (
        "[Content_Types].xml",
        (
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>'
        ),
    ),
    (
        "_rels/.rels",
        (
            f'<Relationships xmlns="{_PACKAGE}/relationships">'
            f'<Relationship Id="r1" Type="{_REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
    ),
    (
        "xl/_rels/workbook.xml.rels",
        (
            f'<Relationships xmlns="{_PACKAGE}/relationships">'
            f'<Relationship Id="r1" Type="{_REL}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
        ),
    ),
    (
        "xl/workbook.xml",
        (
            f'<workbook xmlns="{_SHEET_NS}" xmlns:r="{_REL}"><sheets>'
            '<sheet name="Danh sách" sheetId="1" r:id="r1"/></sheets></workbook>'
        ),
    ),
)
