"""Faults of the journeys and the journal.

Each entry: code, disposition, texts, next steps.  Does not raise anything itself.
"""

from edoc.errors.fault import Disposition, Fault

# --- Journal ---------------------------------------------------------------------------------------------------------

STATE_CONFLICT = Fault(
    code="STATE_CONFLICT",
    disposition=Disposition.TEMPORARY,
    en="The {kind} record of {document_id} is {found}, not {expected}: something else moved it first.",
    vi="Bản ghi {kind} của {document_id} đang ở {found}, không phải {expected}: đã có thao tác khác đi trước.",
    next_en="Nothing was changed. See “edoc queue show {document_id}” and repeat the act if it is still wanted.",
    next_vi="Chưa có gì thay đổi. Xem bằng “edoc queue show {document_id}” rồi làm lại nếu vẫn cần.",
)
ILLEGAL_MOVE = Fault(
    code="ILLEGAL_MOVE",
    disposition=Disposition.OPERATOR,
    en="A {kind} record cannot go from {was} to {now} ({document_id}).",
    vi="Bản ghi {kind} không thể chuyển từ {was} sang {now} ({document_id}).",
    next_en="Nothing was changed. See “edoc queue show {document_id}”; if you did not ask for it, report a defect.",
    next_vi="Chưa có gì thay đổi. Xem “edoc queue show {document_id}”; nếu bạn không yêu cầu bước này, hãy báo lỗi.",
)
JOURNAL_NEWER = Fault(
    code="JOURNAL_NEWER",
    disposition=Disposition.OPERATOR,
    en="The journal {journal} has schema {found}; this program knows up to {known}.",
    vi="Sổ {journal} có lược đồ {found}; chương trình này chỉ biết đến {known}.",
    next_en="Install the newer edoc again. Never start an older one on this journal.",
    next_vi="Cài lại bản edoc mới hơn. Không chạy bản cũ trên sổ này.",
)
JOURNAL_OLDER = Fault(
    code="JOURNAL_OLDER",
    disposition=Disposition.OPERATOR,
    en="The journal {journal} has schema {found}; this program works with {known}; only the daemon migrates it.",
    vi="Sổ {journal} có lược đồ {found}; chương trình này dùng {known} và chỉ dịch vụ mới nâng cấp được.",
    next_en="Restart the daemon with this version, then repeat the command.",
    next_vi="Khởi động lại dịch vụ bằng phiên bản này rồi chạy lại lệnh.",
)
JOURNAL_LOCKED = Fault(
    code="JOURNAL_LOCKED",
    disposition=Disposition.OPERATOR,
    en="Another daemon already works on the journal {journal}.",
    vi="Một dịch vụ khác đang dùng sổ {journal}.",
    next_en="Stop the other one first: systemctl status 'edoc@*' shows which offices run.",
    next_vi="Dừng dịch vụ kia trước: systemctl status 'edoc@*' cho biết cơ quan nào đang chạy.",
)
JOURNAL_BUSY = Fault(
    code="JOURNAL_BUSY",
    disposition=Disposition.TEMPORARY,
    en="The journal {journal} was being written for too long by another process.",
    vi="Sổ {journal} bị tiến trình khác ghi quá lâu.",
    next_en="Repeat the command; if it happens again, look at the load of the disk.",
    next_vi="Chạy lại lệnh; nếu còn lặp lại, kiểm tra tải của ổ đĩa.",
)
JOURNAL_MISSING = Fault(
    code="JOURNAL_MISSING",
    disposition=Disposition.OPERATOR,
    en="There is no journal at {journal}.",
    vi="Không có sổ tại {journal}.",
    next_en="Check the state folder in edoc.toml; the daemon makes the journal at its first start.",
    next_vi="Kiểm tra thư mục trạng thái trong edoc.toml; dịch vụ tạo sổ ở lần chạy đầu tiên.",
)
JOURNAL_DAMAGED = Fault(
    code="JOURNAL_DAMAGED",
    disposition=Disposition.OPERATOR,
    en="The journal {journal} cannot be read as a journal.",
    vi="Không đọc được sổ {journal}.",
    next_en="Stop the daemon, keep the file as it is, and restore the journal from the last backup.",
    next_vi="Dừng dịch vụ, giữ nguyên tệp và khôi phục sổ từ bản sao lưu gần nhất.",
)
JOURNAL_CLOSED = Fault(
    code="JOURNAL_CLOSED",
    disposition=Disposition.TEMPORARY,
    en="The journal {journal} is closed, or was opened for reading only.",
    vi="Sổ {journal} đã đóng hoặc chỉ mở để đọc.",
    next_en="Nothing was changed. Repeat the act when the daemon runs again.",
    next_vi="Chưa có gì thay đổi. Làm lại khi dịch vụ hoạt động trở lại.",
)
POISON = Fault(
    code="POISON",
    disposition=Disposition.OPERATOR,
    en="Work on the {kind} record of {document_id} stopped the daemon {starts} times while nothing else was running.",
    vi="Xử lý bản ghi {kind} của {document_id} đã làm dừng dịch vụ {starts} lần khi không có việc nào khác chạy.",
    next_en="It is parked, all else goes on. Keep the files; try again: “edoc queue retry {document_id}”.",
    next_vi="Bản ghi để riêng, việc khác vẫn chạy. Giữ tệp lại; thử lại: “edoc queue retry {document_id}”.",
)

# --- Files -----------------------------------------------------------------------------------------------------------

DISK_FULL = Fault(
    code="DISK_FULL",
    disposition=Disposition.TEMPORARY,
    en="No space left to write {what}.",
    vi="Hết dung lượng để ghi {what}.",
    next_en="Free space or inodes on that file system (df -h, df -i); the work is repeated by itself.",
    next_vi="Giải phóng dung lượng hoặc inode trên hệ tệp đó (df -h, df -i); công việc sẽ tự được làm lại.",
)
DISK_FAILING = Fault(
    code="DISK_FAILING",
    disposition=Disposition.OPERATOR,
    en="The disk failed while writing or reading {what}.",
    vi="Ổ đĩa bị lỗi khi ghi hoặc đọc {what}.",
    next_en="Look at “journalctl -k” and the disk's health; the daemon redoes the work after a restart.",
    next_vi="Xem “journalctl -k” và tình trạng ổ đĩa; dịch vụ sẽ làm lại công việc sau khi khởi động lại.",
)
FILE_DENIED = Fault(
    code="FILE_DENIED",
    disposition=Disposition.OPERATOR,
    en="The daemon may not read or write {what}.",
    vi="Dịch vụ không có quyền đọc hoặc ghi {what}.",
    next_en="Run “edoc check”: it tries every folder and prints the setfacl command.",
    next_vi="Chạy “edoc check”: lệnh này thử từng thư mục và in ra lệnh setfacl cần dùng.",
)
FILE_MISSING = Fault(
    code="FILE_MISSING",
    disposition=Disposition.OPERATOR,
    en="{what} is not there.",
    vi="Không có {what}.",
    next_en="Check that the folders of the office are mounted and complete (“edoc check”).",
    next_vi="Kiểm tra các thư mục của cơ quan đã được gắn và đầy đủ (“edoc check”).",
)
FILE_UNUSABLE = Fault(
    code="FILE_UNUSABLE",
    disposition=Disposition.OPERATOR,
    en="{what} cannot be used as a file or folder of the exchange.",
    vi="Không thể dùng {what} làm tệp hoặc thư mục trao đổi.",
    next_en="Run “edoc check”; the private cause in the log has the system's own words.",
    next_vi="Chạy “edoc check”; nhật ký có thông báo gốc của hệ thống.",
)
FOLDERS_SPLIT = Fault(
    code="FOLDERS_SPLIT",
    disposition=Disposition.OPERATOR,
    en="{what} cannot be moved in one step: the folders are on different file systems.",
    vi="Không thể chuyển {what} trong một bước: các thư mục nằm trên hệ tệp khác nhau.",
    next_en="Put the spool folders of an office on one file system, and its state folders on one, then restart.",
    next_vi="Đặt các thư mục spool trên cùng một hệ tệp, các thư mục trạng thái cũng vậy, rồi khởi động lại.",
)
CHUNK_MISMATCH = Fault(
    code="CHUNK_MISMATCH",
    disposition=Disposition.PERMANENT,
    en="The bytes of {what} are not those that were announced.",
    vi="Nội dung của {what} không khớp với công bố.",
    next_en="Ask the sender to send the document again.",
    next_vi="Đề nghị nơi gửi gửi lại văn bản.",
)
CHUNK_MISSING = Fault(
    code="CHUNK_MISSING",
    disposition=Disposition.TEMPORARY,
    en="Piece {index} of {sha256} has not arrived.",
    vi="Mảnh {index} của {sha256} chưa đến.",
    next_en="Nothing to do: it is put together when the last piece is here.",
    next_vi="Không cần làm gì: văn bản được ghép khi nhận đủ các mảnh.",
)

DISK_LOW = Fault(
    code="DISK_LOW",
    disposition=Disposition.OPERATOR,
    en="The disk has {free} MiB and {inodes} inodes left, at least {least} MiB are needed: nothing new is taken.",
    vi="Đĩa chỉ còn {free} MiB và {inodes} inode, cần ít nhất {least} MiB: tạm ngừng nhận văn bản mới.",
    next_en="Free space on the disk of [folders] state; work goes on by itself.",
    next_vi="Giải phóng dung lượng đĩa chứa [folders] state; hệ thống sẽ tự tiếp tục.",
)
