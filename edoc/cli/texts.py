"""The command line's words, in Vietnamese and English.

Rules: one name per text; facts in braces; states and codes are facts and stay as they are.
Does not hold errors: their texts are in :mod:`edoc.errors`.
"""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """One text in both languages."""

    vi: str
    en: str


CAUSE = Text("nguyên nhân:", "cause:")
NEXT = Text("việc cần làm:", "next:")

# verify
NO_ANCHOR = Text(
    "Không có chứng thư gốc (--trust hoặc --config): chỉ kiểm tra được tính toàn vẹn, không xác định được người ký.",
    "No root certificate was given (--trust or --config): integrity can be checked, the signer cannot.",
)
NO_SIGNATURE = Text("không có chữ ký", "no signature")
SIGNER = Text("người ký", "signer")
ORGANISATION = Text("cơ quan", "organisation")
SIGNED_AT = Text("thời gian ký", "signed at")
COVERS = Text("phạm vi", "covers")
ALTERED = Text(
    "nội dung đã bị thay đổi hoặc chữ ký không khớp",
    "the content was altered, or the signature was made for other content",
)

# token list
HEAD_TOKEN = Text("Thiết bị", "Token")
HEAD_SERIAL = Text("Số sê-ri", "Serial")
HEAD_SUBJECT = Text("Chứng thư", "Certificate")
HEAD_SHA256 = Text("SHA-256", "SHA-256")
HEAD_KEY_URI = Text("Địa chỉ khóa (key_uri)", "Key URI")

# submit
SUBMITTED = Text("Đã đưa vào hàng gửi: {job}", "Submitted: {job}")
WAITING = Text("Đang chờ kết quả gửi {job} …", "Waiting for {job} …")

# status and queue
HEAD_CREATED = Text("Tiếp nhận", "Accepted")
HEAD_DOCUMENT = Text("Mã văn bản", "Document id")
HEAD_CODE = Text("Số, ký hiệu", "Code")
HEAD_STATE = Text("Trạng thái", "State")
HEAD_RECIPIENT = Text("Nơi nhận", "Recipient")
HEAD_PEER = Text("Đối tác", "Peer")
HEAD_KIND = Text("Loại", "Kind")
HEAD_ATTEMPTS = Text("Số lần", "Attempts")
HEAD_DUE = Text("Lần tới", "Due")
HEAD_SENT = Text("Gửi lúc", "Sent at")
HEAD_RECEIPT = Text("Biên nhận lúc", "Receipt at")
HEAD_FAULT = Text("Lỗi", "Fault")
HEAD_JOB = Text("Hồ sơ gửi", "Job")
HEAD_COUNT = Text("Số lượng", "Count")
NOTHING = Text("Không có gì.", "Nothing.")
INCOMING_FROM = Text("đến từ {sender}", "from {sender}")
OUTGOING = Text("đi", "outgoing")
WAS_MOVED = Text("{record}: {was} → {state}", "{record}: {was} → {state}")
IS_DUE = Text("{record}: {state}, thử lại ngay", "{record}: {state}, due now")

# broker
BROKER_AGREES = Text("Máy chủ truyền tin đúng như cần có.", "The broker is as it should be.")
BROKER_CHANGED = Text("{change}: {kind} {name}", "{change}: {kind} {name}")

# token
TOKEN_PIN = Text("Mã PIN của thẻ {label} (số {serial}): ", "PIN of token {label} (serial {serial}): ")
TOKEN_STATE = Text("Thẻ: {presence}  {label}  {serial}  {detail}", "Token: {presence}  {label}  {serial}  {detail}")

# check
CHECK_CONFIG = Text("Cấu hình đọc được.", "The configuration can be read.")
CHECK_ANCHOR = Text(
    "Số chứng thư gốc khớp dấu vân tay: {count}.", "Trust anchors that match their fingerprints: {count}."
)
CHECK_SIGNER = Text("Chứng thư ký danh bạ khớp dấu vân tay.", "The directory's signer matches its fingerprint.")
CHECK_DIRECTORY = Text(
    "Danh bạ phiên bản {version}, {count} cơ quan, hạn {expires}.",
    "Directory version {version}, {count} organisations, expires {expires}.",
)
CHECK_OFFICE = Text("{code} là {name} ({level}).", "{code} is {name} ({level}).")
CHECK_OFFICE_UNKNOWN = Text("Danh bạ không có {code} vào hôm nay.", "The directory does not have {code} today.")
CHECK_OFFICE_NEXT = Text(
    "Kiểm tra office.code trong cấu hình, hoặc đề nghị đơn vị phát hành danh bạ bổ sung.",
    "Check office.code in the configuration, or ask the directory's publisher to add it.",
)
CHECK_FOLDER = Text("{path} dùng được.", "{path} can be used.")
CHECK_FOLDER_BAD = Text("{path}: {detail}.", "{path}: {detail}.")
CHECK_FOLDER_NEXT = Text("mkdir -p {path} && chown {user} {path}", "mkdir -p {path} && chown {user} {path}")
CHECK_CLAIM = Text("Lấy được hồ sơ từ {source}.", "Jobs can be taken out of {source}.")
CHECK_TAKE = Text("Chuyển được văn bản vào {target}.", "Documents can be moved into {target}.")
CHECK_RENAME_BAD = Text("Không chuyển được {source} → {target}: {detail}.", "No rename {source} → {target}: {detail}.")
CHECK_RENAME_NEXT = Text(
    "setfacl -m u:{user}:rwX,d:u:{user}:rwX {path}; hai thư mục phải cùng một hệ thống tệp.",
    "setfacl -m u:{user}:rwX,d:u:{user}:rwX {path}; both folders must be on one file system.",
)
CHECK_SPACE = Text("Còn trống {free} MiB.", "{free} MiB are free.")
CHECK_SPACE_NEXT = Text("Giải phóng dung lượng: df -h {path}", "Free some space: df -h {path}")
CHECK_CRL = Text("{count} danh sách thu hồi, còn hạn đến {until}.", "{count} revocation lists, good until {until}.")
CHECK_CRL_NONE = Text("Không có danh sách thu hồi nào trong {path}.", "There is no revocation list in {path}.")
CHECK_CRL_OLD = Text(
    "Danh sách thu hồi của {issuer} hết hạn {until}.", "The revocation list of {issuer} ended on {until}."
)
CHECK_CRL_NEXT = Text(
    "Tải danh sách mới của cơ quan chứng thực vào {path}.", "Fetch the authority's current list into {path}."
)
CHECK_TOKEN = Text("Thẻ {label} sẵn sàng, chứng thư đến {until}.", "Token {label} is ready, certificate until {until}.")
CHECK_TOKEN_STATE = Text("Thẻ ở trạng thái {presence}: {detail}", "The token is {presence}: {detail}")
CHECK_TOKEN_NEXT = Text(
    "Cắm thẻ; nhập mã PIN: edoc token unlock --config {config}",
    "Plug it in; give the PIN: edoc token unlock --config {config}",
)
CHECK_TOKEN_PIN = Text(
    "Danh bạ không gắn chứng thư {sha256} với {code}.", "The directory does not pin {sha256} to {code}."
)
CHECK_TOKEN_PIN_NEXT = Text(
    "Gửi dấu vân tay này cho đơn vị phát hành danh bạ.", "Send this fingerprint to the directory's publisher."
)
CHECK_TOKEN_ENDS = Text("Chứng thư của thẻ hết hạn {until}.", "The token's certificate ends on {until}.")
CHECK_TOKEN_ENDS_NEXT = Text(
    "Làm thủ tục gia hạn chứng thư ngay: thường mất vài tuần.", "Renew the certificate now: it usually takes weeks."
)
CHECK_BROKER = Text("Đăng nhập được máy chủ truyền tin {address}.", "The broker {address} lets us in.")
CHECK_SKIPPED = Text("Bỏ qua: {why}", "Skipped: {why}")
CHECK_SUMMARY = Text(
    "{ok} đạt, {warn} cảnh báo, {fail} lỗi, {skip} bỏ qua", "{ok} ok, {warn} warn, {fail} fail, {skip} skip"
)
