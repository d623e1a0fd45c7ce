"""Faults of what a document-management system drops.

Each entry: code, disposition, texts, next steps.  Does not raise anything itself.
"""

from edoc.errors.fault import Disposition, Fault

DESCRIPTION_INVALID = Fault(
    code="DESCRIPTION_INVALID",
    disposition=Disposition.PERMANENT,
    en="The job's description is wrong at {path}: {expected}.",
    vi="Tệp mô tả văn bản sai tại {path}: {expected_vi}.",
    next_en="Correct {path} (schemas/submission.schema.json says what is allowed), then drop the job again.",
    next_vi="Sửa {path} (xem schemas/submission.schema.json để biết giá trị cho phép), rồi gửi lại thư mục văn bản.",
)

NOT_A_DOCUMENT = Fault(
    code="NOT_A_DOCUMENT",
    disposition=Disposition.PERMANENT,
    en="This is a status message (code {status_code}, from {sender}, about {about}), not a document to send.",
    vi="Đây là thông điệp trạng thái (mã {status_code}, của {sender}, về văn bản {about}), không phải văn bản để gửi.",
    next_en="Drop documents only. edoc writes, signs and sends its own status messages; enter this one in the "
    "document-management system that sent the document.",
    next_vi="Chỉ đặt văn bản vào hộp gửi. edoc tự tạo, ký và gửi thông điệp trạng thái; hãy ghi nhận trạng thái này "
    "trong hệ thống quản lý văn bản đã gửi văn bản đó.",
)

# --- The job's files -------------------------------------------------------------------------------------------------

NO_DESCRIPTION = Fault(
    code="NO_DESCRIPTION",
    disposition=Disposition.PERMANENT,
    en="The job {job} has neither document.json nor document.xml.",
    vi="Thư mục {job} không có document.json hoặc document.xml.",
    next_en="Add the description to the folder and drop it again.",
    next_vi="Thêm tệp mô tả vào thư mục rồi gửi lại.",
)
TWO_DESCRIPTIONS = Fault(
    code="TWO_DESCRIPTIONS",
    disposition=Disposition.PERMANENT,
    en="The job {job} has more than one description: {files}.",
    vi="Thư mục {job} có nhiều hơn một tệp mô tả: {files}.",
    next_en="Keep one of them and drop the folder again.",
    next_vi="Giữ lại một tệp rồi gửi lại thư mục.",
)
NOT_A_REGULAR_FILE = Fault(
    code="NOT_A_REGULAR_FILE",
    disposition=Disposition.PERMANENT,
    en="“{file}” in {job} is not a plain file but a link, a pipe, a socket or a device.",
    vi="“{file}” trong {job} không phải tệp thường mà là liên kết, đường ống, socket hoặc thiết bị.",
    next_en="Put the file itself into the folder and drop it again.",
    next_vi="Đặt chính tệp đó vào thư mục rồi gửi lại.",
)
HARD_LINK = Fault(
    code="HARD_LINK",
    disposition=Disposition.PERMANENT,
    en="“{file}” in {job} has a second name elsewhere on the disk (hard link).",
    vi="“{file}” trong {job} còn có tên khác trên ổ đĩa (liên kết cứng).",
    next_en="Copy the file into the folder instead of linking it and drop it again.",
    next_vi="Sao chép tệp vào thư mục thay vì tạo liên kết rồi gửi lại.",
)
NESTED_FOLDER = Fault(
    code="NESTED_FOLDER",
    disposition=Disposition.PERMANENT,
    en="“{file}” in {job} is a folder; a job's files stand side by side.",
    vi="“{file}” trong {job} là thư mục con; các tệp phải nằm trực tiếp trong thư mục văn bản.",
    next_en="Move the files up into the job's folder and drop it again.",
    next_vi="Chuyển các tệp lên thư mục văn bản rồi gửi lại.",
)
EMPTY_FILE = Fault(
    code="EMPTY_FILE",
    disposition=Disposition.PERMANENT,
    en="“{file}” in {job} is empty.",
    vi="“{file}” trong {job} không có nội dung.",
    next_en="Export the file again and drop the job again.",
    next_vi="Xuất lại tệp rồi gửi lại.",
)
FILE_TOO_LARGE = Fault(
    code="FILE_TOO_LARGE",
    disposition=Disposition.PERMANENT,
    en="“{file}” in {job} has {size} bytes; the limit is {limit}.",
    vi="“{file}” trong {job} có {size} byte; giới hạn là {limit}.",
    next_en="Make the file smaller, or have the limit raised in edoc.toml, and drop the job again.",
    next_vi="Giảm dung lượng tệp, hoặc đề nghị tăng giới hạn trong edoc.toml, rồi gửi lại.",
)
TOO_MANY_FILES = Fault(
    code="TOO_MANY_FILES",
    disposition=Disposition.PERMANENT,
    en="The job {job} has more than {limit} files.",
    vi="Thư mục {job} có hơn {limit} tệp.",
    next_en="Send fewer files, or pack them into one archive.",
    next_vi="Gửi ít tệp hơn, hoặc nén chúng thành một tệp.",
)
FILE_CHANGED = Fault(
    code="FILE_CHANGED",
    disposition=Disposition.PERMANENT,
    en="“{file}” in {job} was still being written while it was read.",
    vi="“{file}” trong {job} vẫn đang được ghi khi hệ thống đọc.",
    next_en="Write the job under a name that ends in .tmp and rename it when it is complete; then drop it again.",
    next_vi="Ghi vào tên kết thúc bằng .tmp và chỉ đổi tên khi đã ghi xong; sau đó gửi lại.",
)
BAD_FILE_NAME = Fault(
    code="BAD_FILE_NAME",
    disposition=Disposition.PERMANENT,
    en="The file name “{file}” in {job} is not UTF-8 text.",
    vi="Tên tệp “{file}” trong {job} không phải văn bản UTF-8.",
    next_en="Rename the file and drop the job again.",
    next_vi="Đổi tên tệp rồi gửi lại.",
)
FILE_NOT_READABLE = Fault(
    code="FILE_NOT_READABLE",
    disposition=Disposition.PERMANENT,
    en="The daemon may not read “{file}” in {job}.",
    vi="Dịch vụ không có quyền đọc “{file}” trong {job}.",
    next_en="Let the daemon read what the document-management system writes (“edoc check” prints the command).",
    next_vi="Cho phép dịch vụ đọc tệp do hệ thống quản lý văn bản ghi (“edoc check” in ra lệnh cần dùng).",
)
