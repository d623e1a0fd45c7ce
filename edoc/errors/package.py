"""Faults of containers, envelopes and status messages.

Each entry: code, disposition, texts, next steps.  Does not raise anything itself.
"""

from edoc.errors.fault import Disposition, Fault

BAD_IDENTIFIER = Fault(
    code="BAD_IDENTIFIER",
    disposition=Disposition.PERMANENT,
    en="“{value}” is not a valid {kind}.",
    vi="“{value}” không phải là {kind} hợp lệ.",
    next_en="Correct the value at its source and send again.",
    next_vi="Sửa giá trị tại nơi tạo ra nó rồi gửi lại.",
)
