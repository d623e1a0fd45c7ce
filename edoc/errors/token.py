"""Faults of keys, tokens and PINs.

Each entry: code, disposition, texts, next steps.  Does not raise anything itself.
"""

from edoc.errors.fault import Disposition, Fault

FRAME_INVALID = Fault(
    code="FRAME_INVALID",
    disposition=Disposition.PERMANENT,
    en="A message between two of our own processes is malformed: {reason}.",
    vi="Thông điệp giữa hai tiến trình của hệ thống bị sai định dạng: {reason}.",
    next_en="Check that all units run the same version, then restart them; report it if it happens again.",
    next_vi="Kiểm tra mọi dịch vụ chạy cùng một phiên bản rồi khởi động lại; nếu còn lặp lại thì báo lỗi.",
)

TOKEN_ABSENT = Fault(
    code="TOKEN_ABSENT",
    disposition=Disposition.TEMPORARY,
    en="The token with the seal of {office} is not plugged in.",
    vi="Thiết bị lưu khóa con dấu của {office} chưa được cắm vào máy.",
    next_en="Plug the token in; waiting documents are then sealed by themselves. `edoc token state` shows it.",
    next_vi="Cắm thiết bị vào; văn bản đang chờ sẽ tự được ký. Xem bằng lệnh `edoc token state`.",
)

TOKEN_BUSY = Fault(
    code="TOKEN_BUSY",
    disposition=Disposition.TEMPORARY,
    en="The token of {office} has more to sign than it can; this signature did not get its turn.",
    vi="Thiết bị ký của {office} đang quá tải; chữ ký này chưa đến lượt.",
    next_en="Nothing: it is tried again. If it lasts, look at the queue with `edoc token state`.",
    next_vi="Không cần làm gì: hệ thống sẽ thử lại. Nếu kéo dài, xem hàng đợi bằng `edoc token state`.",
)

TOKEN_BROKEN = Fault(
    code="TOKEN_BROKEN",
    disposition=Disposition.TEMPORARY,
    en="The token's driver for {office} failed ({reason}); it is being restarted.",
    vi="Trình điều khiển thiết bị ký của {office} gặp lỗi ({reason}); đang được khởi động lại.",
    next_en="If it lasts, unplug the token and plug it in again, then see `edoc token state`.",
    next_vi="Nếu kéo dài, rút thiết bị ra rồi cắm lại, sau đó xem `edoc token state`.",
)

TOKEN_REFUSED = Fault(
    code="TOKEN_REFUSED",
    disposition=Disposition.OPERATOR,
    en="The token of {office} refused to sign: {reason}.",
    vi="Thiết bị ký của {office} từ chối ký: {reason}.",
    next_en="Check that the key on the token may sign (key usage, key type); `edoc token state` shows the key.",
    next_vi="Kiểm tra khóa trên thiết bị có được phép ký không (mục đích, loại khóa); xem `edoc token state`.",
)

TOKEN_ALGORITHM = Fault(
    code="TOKEN_ALGORITHM",
    disposition=Disposition.OPERATOR,
    en="The token of {office} cannot make the signature {algorithm}; it offers: {offered}.",
    vi="Thiết bị ký của {office} không tạo được chữ ký {algorithm}; thiết bị chỉ hỗ trợ: {offered}.",
    next_en="Choose an algorithm that the token offers in edoc.toml, or use another token.",
    next_vi="Chọn thuật toán mà thiết bị hỗ trợ trong edoc.toml, hoặc dùng thiết bị khác.",
)

PIN_REFUSED = Fault(
    code="PIN_REFUSED",
    disposition=Disposition.OPERATOR,
    en="The token of {office} (serial {serial}) refused the PIN. It will not be tried again by itself.",
    vi="Thiết bị ký của {office} (số sê-ri {serial}) từ chối mã PIN. Hệ thống sẽ không tự thử lại.",
    next_en="Find the right PIN, then type it once: `edoc token unlock`. Too many wrong PINs lock the token.",
    next_vi="Tìm đúng mã PIN rồi nhập một lần: `edoc token unlock`. Nhập sai nhiều lần sẽ khóa thiết bị.",
)

PIN_BLOCKED = Fault(
    code="PIN_BLOCKED",
    disposition=Disposition.OPERATOR,
    en="No stored PIN is tried on the token of {office} (serial {serial}): {reason}.",
    vi="Không thử mã PIN đã lưu trên thiết bị ký của {office} (số sê-ri {serial}): {reason}.",
    next_en="Type the PIN yourself with `edoc token unlock`; if the stored PIN was replaced, "
    "`edoc token unlock --replaced`.",
    next_vi="Tự nhập mã PIN bằng `edoc token unlock`; nếu đã thay mã PIN lưu trong tệp, "
    "dùng `edoc token unlock --replaced`.",
)

PIN_NEEDED = Fault(
    code="PIN_NEEDED",
    disposition=Disposition.OPERATOR,
    en="The token of {office} is plugged in and waits for its PIN.",
    vi="Thiết bị ký của {office} đã cắm và đang chờ mã PIN.",
    next_en="Type the PIN: `edoc token unlock`.",
    next_vi="Nhập mã PIN: `edoc token unlock`.",
)

PIN_FILE_UNSAFE = Fault(
    code="PIN_FILE_UNSAFE",
    disposition=Disposition.OPERATOR,
    en="The stored PIN of {office} is not used: {reason}.",
    vi="Không dùng mã PIN đã lưu của {office}: {reason}.",
    next_en="Make it a regular file of the token process's user with mode 0600 and one line, then "
    "`edoc token unlock --replaced`.",
    next_vi="Đặt nó là tệp thường, thuộc người dùng của tiến trình ký, quyền 0600, một dòng; sau đó "
    "`edoc token unlock --replaced`.",
)

KEY_NOT_FOUND = Fault(
    code="KEY_NOT_FOUND",
    disposition=Disposition.OPERATOR,
    en="The token of {office} is there, but not its {what} ({uri}).",
    vi="Thiết bị ký của {office} đã cắm nhưng không có {what} ({uri}).",
    next_en="Compare key_uri and the pinned certificate in edoc.toml with `edoc token list`.",
    next_vi="Đối chiếu key_uri và chứng thư đã ghim trong edoc.toml với kết quả `edoc token list`.",
)

KEY_AMBIGUOUS = Fault(
    code="KEY_AMBIGUOUS",
    disposition=Disposition.OPERATOR,
    en="{count} of {what} match {uri}; none is chosen by chance.",
    vi="Có {count} {what} khớp với {uri}; hệ thống không chọn ngẫu nhiên.",
    next_en="Make key_uri exact (serial, id), or pin the certificate in edoc.toml; see `edoc token list`.",
    next_vi="Ghi key_uri chính xác hơn (serial, id) hoặc ghim chứng thư trong edoc.toml; xem `edoc token list`.",
)

KEY_NOT_ALLOWED = Fault(
    code="KEY_NOT_ALLOWED",
    disposition=Disposition.PERMANENT,
    en="This token process signs for {office} only; the request names {asked}.",
    vi="Tiến trình ký này chỉ ký cho {office}; yêu cầu lại ghi {asked}.",
    next_en="Compare the office and the signer socket in edoc.toml: each office has its own token process.",
    next_vi="Đối chiếu cơ quan và socket ký trong edoc.toml: mỗi cơ quan có tiến trình ký riêng.",
)

KEY_URI_INVALID = Fault(
    code="KEY_URI_INVALID",
    disposition=Disposition.OPERATOR,
    en="key_uri is not usable: {reason}.",
    vi="key_uri không dùng được: {reason}.",
    next_en="Write it as RFC 7512 says, for example pkcs11:token=VPUB;serial=0123;id=%01; see `edoc token list`.",
    next_vi="Viết theo RFC 7512, ví dụ pkcs11:token=VPUB;serial=0123;id=%01; xem `edoc token list`.",
)

MODULE_NOT_ALLOWED = Fault(
    code="MODULE_NOT_ALLOWED",
    disposition=Disposition.OPERATOR,
    en="The PKCS#11 module {module} is not in the list of allowed modules, or is not a file.",
    vi="Mô-đun PKCS#11 {module} không nằm trong danh sách được phép, hoặc không phải là tệp.",
    next_en="Install the token's driver and name its path in edoc.toml, in the allow-list too.",
    next_vi="Cài trình điều khiển của thiết bị và ghi đường dẫn vào edoc.toml, cả trong danh sách được phép.",
)

SIGNER_UNREACHABLE = Fault(
    code="SIGNER_UNREACHABLE",
    disposition=Disposition.TEMPORARY,
    en="The token process of {office} does not answer: {reason}.",
    vi="Tiến trình ký của {office} không trả lời: {reason}.",
    next_en="Start it: `systemctl start edoc-signer@OFFICE`; its log is `journalctl -u edoc-signer@OFFICE`.",
    next_vi="Khởi động: `systemctl start edoc-signer@OFFICE`; xem nhật ký `journalctl -u edoc-signer@OFFICE`.",
)

SIGNER_RUNNING = Fault(
    code="SIGNER_RUNNING",
    disposition=Disposition.OPERATOR,
    en="A token process for {office} is already running.",
    vi="Tiến trình ký của {office} đang chạy rồi.",
    next_en="Use the running one, or stop it first: `systemctl stop edoc-signer@OFFICE`.",
    next_vi="Dùng tiến trình đang chạy, hoặc dừng nó trước: `systemctl stop edoc-signer@OFFICE`.",
)

SIGNER_MISCONFIGURED = Fault(
    code="SIGNER_MISCONFIGURED",
    disposition=Disposition.OPERATOR,
    en="The token process of {office} cannot run: {reason}.",
    vi="Tiến trình ký của {office} không chạy được: {reason}.",
    next_en="Correct edoc.toml or the folder's owner and mode; `edoc check` tells what is missing.",
    next_vi="Sửa edoc.toml hoặc chủ sở hữu và quyền của thư mục; `edoc check` cho biết còn thiếu gì.",
)
