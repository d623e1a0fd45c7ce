"""Faults of the bounded child that parses what is not verified yet.

Each entry: code, disposition, texts, next steps.  Does not raise anything itself.
"""

from edoc.errors.fault import Disposition, Fault

SANDBOX_LIMIT = Fault(
    code="SANDBOX_LIMIT",
    disposition=Disposition.PERMANENT,
    en="The content needs more time or memory to read than is allowed ({limit}).",
    vi="Nội dung cần nhiều thời gian hoặc bộ nhớ hơn mức cho phép để đọc ({limit}).",
    next_en="Ask the author for a simpler file, or raise [limits] sandbox_memory_bytes and sandbox_seconds.",
    next_vi="Đề nghị tác giả gửi tệp đơn giản hơn, hoặc tăng [limits] sandbox_memory_bytes và sandbox_seconds.",
)
SANDBOX_UNREADABLE = Fault(
    code="SANDBOX_UNREADABLE",
    disposition=Disposition.PERMANENT,
    en="The content cannot be read: the reader failed on it.",
    vi="Không đọc được nội dung: bộ đọc gặp lỗi với nội dung này.",
    next_en="Ask the author to write the file again; keep this one for the developers.",
    next_vi="Đề nghị tác giả tạo lại tệp; giữ tệp này cho nhóm phát triển.",
)
SANDBOX_DOWN = Fault(
    code="SANDBOX_DOWN",
    disposition=Disposition.TEMPORARY,
    en="The reading process stopped and is being started again.",
    vi="Tiến trình đọc đã dừng và đang được khởi động lại.",
    next_en="Nothing to do; if it repeats, see the log for “sandbox”.",
    next_vi="Không cần làm gì; nếu lặp lại, xem nhật ký mục “sandbox”.",
)
