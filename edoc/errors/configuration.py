"""Faults of the office's edoc.toml and the command line.

Each entry: code, disposition, texts, next steps.  Does not raise anything itself.
"""

from edoc.errors.fault import Disposition, Fault

CONFIG_MISSING = Fault(
    code="CONFIG_MISSING",
    disposition=Disposition.OPERATOR,
    en="There is no readable configuration at {path}.",
    vi="Không có tệp cấu hình đọc được tại {path}.",
    next_en="Write one: edoc config describe > {path}, fill it in, then run: edoc check --config {path}",
    next_vi="Tạo tệp: edoc config describe > {path}, điền các giá trị, rồi chạy: edoc check --config {path}",
)

CONFIG_INVALID = Fault(
    code="CONFIG_INVALID",
    disposition=Disposition.OPERATOR,
    en="The configuration {path} is not valid at {key}: {detail}.",
    vi="Tệp cấu hình {path} không hợp lệ tại {key}: {detail}.",
    next_en="Correct {key}; “edoc config describe” explains every key. Then run: edoc check --config {path}",
    next_vi="Sửa {key}; lệnh “edoc config describe” giải thích từng khóa. Rồi chạy: edoc check --config {path}",
)

USAGE = Fault(
    code="USAGE",
    disposition=Disposition.PERMANENT,
    en="The command was not understood: {detail}",
    vi="Không hiểu lệnh: {detail}",
    next_en="Read the help: “{command} --help”",
    next_vi="Xem trợ giúp: “{command} --help”",
)

BAD_TIME = Fault(
    code="BAD_TIME",
    disposition=Disposition.PERMANENT,
    en="“{value}” is not a time.",
    vi="“{value}” không phải là thời điểm hợp lệ.",
    next_en="Write it as 2026-11-22T09:00:00+07:00, or 2026-11-22 for the beginning of that day in Vietnam.",
    next_vi="Viết dạng 2026-11-22T09:00:00+07:00, hoặc 2026-11-22 cho đầu ngày đó (giờ Việt Nam).",
)

FILE_UNREADABLE = Fault(
    code="FILE_UNREADABLE",
    disposition=Disposition.PERMANENT,
    en="{path} cannot be read: {detail}.",
    vi="Không đọc được {path}: {detail}.",
    next_en="Check that the file exists and that your user may read it: ls -l {path}",
    next_vi="Kiểm tra tệp có tồn tại và tài khoản có quyền đọc không: ls -l {path}",
)

NOT_A_JOB = Fault(
    code="NOT_A_JOB",
    disposition=Disposition.PERMANENT,
    en="{path} cannot be submitted: {detail}.",
    vi="Không thể gửi {path}: {detail}.",
    next_en="Give a folder with document.json or document.xml and its files side by side, or one .edxml file.",
    next_vi="Hãy đưa một thư mục gồm document.json hoặc document.xml cùng các tệp đính kèm, hoặc một tệp .edxml.",
)

NO_SUCH_DOCUMENT = Fault(
    code="NO_SUCH_DOCUMENT",
    disposition=Disposition.PERMANENT,
    en="Nothing is known of “{value}” in this office.",
    vi="Đơn vị này không có thông tin về “{value}”.",
    next_en="List what is known: edoc status --config {config}",
    next_vi="Liệt kê những gì đã có: edoc status --config {config}",
)

NOT_IN_STATE = Fault(
    code="NOT_IN_STATE",
    disposition=Disposition.PERMANENT,
    en="“{command}” works on {wanted}; of {record} there is only: {state}.",
    vi="Lệnh “{command}” chỉ dùng cho {wanted}; {record} chỉ có: {state}.",
    next_en="Look at it first: edoc queue show {document_id} --config {config}",
    next_vi="Hãy xem trước: edoc queue show {document_id} --config {config}",
)

WAIT_ENDED = Fault(
    code="WAIT_ENDED",
    disposition=Disposition.TEMPORARY,
    en="“{job}” was still under way after {seconds} s; it goes on without this command.",
    vi="“{job}” vẫn đang được xử lý sau {seconds} giây; việc gửi tiếp tục mà không cần lệnh này.",
    next_en="Ask again later: edoc status {job} --config {config}",
    next_vi="Hỏi lại sau: edoc status {job} --config {config}",
)
