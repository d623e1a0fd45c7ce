"""Faults of publishing, consuming and provisioning.

Each entry: code, disposition, texts, next steps.  Does not raise anything itself.
"""

from edoc.errors.fault import Disposition, Fault

# --- The wire --------------------------------------------------------------------------------------------------------

WIRE_VERSION = Fault(
    code="WIRE_VERSION",
    disposition=Disposition.OPERATOR,
    en="A message uses wire format version {version}; this program understands version {known}.",
    vi="Một thông điệp dùng định dạng truyền phiên bản {version}; chương trình này chỉ hiểu phiên bản {known}.",
    next_en="Update edoc on this machine, then ask the sender to send again; the bytes are in quarantine/.",
    next_vi="Cập nhật edoc trên máy này rồi đề nghị bên gửi gửi lại; nội dung nằm trong quarantine/.",
)

WIRE_HEADER = Fault(
    code="WIRE_HEADER",
    disposition=Disposition.PERMANENT,
    en="The message header {header} is missing or malformed.",
    vi="Tiêu đề {header} của thông điệp bị thiếu hoặc sai dạng.",
    next_en="Ask the sender to update its system and to send again.",
    next_vi="Đề nghị bên gửi cập nhật hệ thống của họ và gửi lại.",
)

WIRE_BODY = Fault(
    code="WIRE_BODY",
    disposition=Disposition.PERMANENT,
    en="The body of a message does not match what its header {header} announces.",
    vi="Nội dung thông điệp không khớp với tiêu đề {header} của chính nó.",
    next_en="Ask the sender to send again; if it happens again, check the sender's system.",
    next_vi="Đề nghị bên gửi gửi lại; nếu lặp lại, kiểm tra hệ thống của bên gửi.",
)

CHUNK_MANIFEST_INVALID = Fault(
    code="CHUNK_MANIFEST_INVALID",
    disposition=Disposition.PERMANENT,
    en="A chunk manifest is not well-formed: {detail}.",
    vi="Bản kê các mảnh không hợp lệ: {detail}.",
    next_en="Ask the sender to update its system and to send again.",
    next_vi="Đề nghị bên gửi cập nhật hệ thống của họ và gửi lại.",
)

# --- The connection --------------------------------------------------------------------------------------------------

BROKER_UNREACHABLE = Fault(
    code="BROKER_UNREACHABLE",
    disposition=Disposition.TEMPORARY,
    en="The message broker {address} does not answer.",
    vi="Máy chủ truyền tin {address} không trả lời.",
    next_en="Nothing is lost, edoc keeps trying. Check the network, then run: edoc check",
    next_vi="Không mất dữ liệu, edoc vẫn tiếp tục thử. Kiểm tra mạng, rồi chạy: edoc check",
)

BROKER_TLS = Fault(
    code="BROKER_TLS",
    disposition=Disposition.OPERATOR,
    en="The secure connection to the message broker {address} failed: a certificate was not accepted.",
    vi="Không lập được kết nối bảo mật tới máy chủ truyền tin {address}: một chứng thư không được chấp nhận.",
    next_en="Compare broker.ca, broker.certificate and broker.key in edoc.toml with the broker's, then run: edoc check",
    next_vi="So broker.ca, broker.certificate và broker.key trong edoc.toml với máy chủ, rồi chạy: edoc check",
)

BROKER_LOGIN = Fault(
    code="BROKER_LOGIN",
    disposition=Disposition.OPERATOR,
    en="The message broker {address} refuses our client certificate as a user of “{vhost}”.",
    vi="Máy chủ truyền tin {address} không nhận chứng thư của ta làm người dùng của “{vhost}”.",
    next_en="Ask the broker's administrator to run: edoc broker setup",
    next_vi="Đề nghị quản trị máy chủ truyền tin chạy: edoc broker setup",
)

BROKER_FORBIDDEN = Fault(
    code="BROKER_FORBIDDEN",
    disposition=Disposition.OPERATOR,
    en="The message broker does not let us use “{name}”.",
    vi="Máy chủ truyền tin không cho phép dùng “{name}”.",
    next_en="Ask the broker's administrator to run: edoc broker check, then edoc broker setup",
    next_vi="Đề nghị quản trị máy chủ truyền tin chạy: edoc broker check, rồi edoc broker setup",
)

BROKER_NAME_MISSING = Fault(
    code="BROKER_NAME_MISSING",
    disposition=Disposition.OPERATOR,
    en="“{name}” does not exist at the message broker, or was deleted there.",
    vi="“{name}” không có trên máy chủ truyền tin, hoặc đã bị xoá tại đó.",
    next_en="Ask the broker's administrator who deleted it, then to run: edoc broker setup",
    next_vi="Hỏi quản trị máy chủ truyền tin ai đã xoá, rồi đề nghị chạy: edoc broker setup",
)

BROKER_PROTOCOL = Fault(
    code="BROKER_PROTOCOL",
    disposition=Disposition.OPERATOR,
    en="The message broker closed the channel for “{name}”: it does not accept what we send.",
    vi="Máy chủ truyền tin đóng kênh của “{name}”: nó không chấp nhận dữ liệu ta gửi.",
    next_en="Look for the cause in the log (journalctl -u edoc@OFFICE), then run: edoc broker check",
    next_vi="Tìm nguyên nhân trong nhật ký (journalctl -u edoc@OFFICE), rồi chạy: edoc broker check",
)

BROKER_CLOSED = Fault(
    code="BROKER_CLOSED",
    disposition=Disposition.TEMPORARY,
    en="The connection to the message broker is being closed.",
    vi="Kết nối tới máy chủ truyền tin đang được đóng.",
    next_en="Start the daemon again; what was queued is sent then.",
    next_vi="Khởi động lại dịch vụ; những gì đang chờ sẽ được gửi.",
)

# --- Provisioning ----------------------------------------------------------------------------------------------------

MANAGEMENT_UNREACHABLE = Fault(
    code="MANAGEMENT_UNREACHABLE",
    disposition=Disposition.TEMPORARY,
    en="The management interface {address} of the message broker does not answer.",
    vi="Giao diện quản trị {address} của máy chủ truyền tin không trả lời.",
    next_en="Check the address and that the plug-in rabbitmq_management is enabled, then try again.",
    next_vi="Kiểm tra địa chỉ và tiện ích rabbitmq_management đã bật chưa, rồi thử lại.",
)

MANAGEMENT_REFUSED = Fault(
    code="MANAGEMENT_REFUSED",
    disposition=Disposition.OPERATOR,
    en="The management interface {address} refuses the user “{user}”.",
    vi="Giao diện quản trị {address} từ chối người dùng “{user}”.",
    next_en="Check the user, its password file and that it has the tag administrator, then try again.",
    next_vi="Kiểm tra người dùng, tệp mật khẩu và nhãn administrator, rồi thử lại.",
)

MANAGEMENT_ERROR = Fault(
    code="MANAGEMENT_ERROR",
    disposition=Disposition.OPERATOR,
    en="The management interface {address} did not carry out {request} (status {status}).",
    vi="Giao diện quản trị {address} không thực hiện {request} (trạng thái {status}).",
    next_en="Look into the broker's log, then run: edoc broker check",
    next_vi="Xem nhật ký của máy chủ truyền tin, rồi chạy: edoc broker check",
)

MANAGEMENT_INSECURE = Fault(
    code="MANAGEMENT_INSECURE",
    disposition=Disposition.OPERATOR,
    en="The management address {address} would send the password unprotected over the network.",
    vi="Địa chỉ quản trị {address} sẽ gửi mật khẩu qua mạng mà không được bảo vệ.",
    next_en="Use an https address, or run the command on the broker's own machine with http://127.0.0.1:15672.",
    next_vi="Dùng địa chỉ https, hoặc chạy lệnh ngay trên máy chủ truyền tin với http://127.0.0.1:15672.",
)

PASSWORD_FILE = Fault(
    code="PASSWORD_FILE",
    disposition=Disposition.OPERATOR,
    en="The password file {path} cannot be used: {detail}.",
    vi="Không dùng được tệp mật khẩu {path}: {detail}.",
    next_en="The file must exist, hold one line and be readable by you alone: chmod 600 {path}",
    next_vi="Tệp phải tồn tại, có một dòng và chỉ mình bạn đọc được: chmod 600 {path}",
)

TOPOLOGY_MISSING = Fault(
    code="TOPOLOGY_MISSING",
    disposition=Disposition.OPERATOR,
    en="Missing at the broker: {kind} “{name}”.",
    vi="Trên máy chủ truyền tin thiếu: {kind} “{name}”.",
    next_en="edoc broker setup",
    next_vi="edoc broker setup",
)

TOPOLOGY_DIFFERS = Fault(
    code="TOPOLOGY_DIFFERS",
    disposition=Disposition.OPERATOR,
    en="At the broker the {kind} “{name}” is not as it should be: {found} instead of {wanted}.",
    vi="Trên máy chủ truyền tin, {kind} “{name}” không đúng: {found} thay vì {wanted}.",
    next_en="edoc broker setup",
    next_vi="edoc broker setup",
)

TOPOLOGY_CONFLICT = Fault(
    code="TOPOLOGY_CONFLICT",
    disposition=Disposition.OPERATOR,
    en="At the broker the {kind} “{name}” is of a wrong make ({found} instead of {wanted}), which cannot be changed.",
    vi="Trên máy chủ truyền tin, {kind} “{name}” sai kiểu ({found} thay vì {wanted}) và không thể sửa tại chỗ.",
    next_en="Empty it, delete it at the broker, then run: edoc broker setup",
    next_vi="Lấy hết thông điệp, xoá nó trên máy chủ, rồi chạy: edoc broker setup",
)

TOPOLOGY_FOREIGN = Fault(
    code="TOPOLOGY_FOREIGN",
    disposition=Disposition.OPERATOR,
    en="Not ours at the broker: {kind} “{name}”.",
    vi="Trên máy chủ truyền tin có đối tượng lạ: {kind} “{name}”.",
    next_en="Find out who added it; remove it at the broker when nobody needs it.",
    next_vi="Tìm xem ai đã thêm; xoá nó trên máy chủ nếu không ai cần.",
)

QUEUE_ABANDONED = Fault(
    code="QUEUE_ABANDONED",
    disposition=Disposition.OPERATOR,
    en="The queue “{name}” belongs to no organisation of the list and holds {messages} messages.",
    vi="Hàng đợi “{name}” không thuộc cơ quan nào trong danh sách và còn {messages} thông điệp.",
    next_en="Move its messages to the successor's queue, then delete it at the broker.",
    next_vi="Chuyển thông điệp sang hàng đợi của cơ quan kế thừa, rồi xoá nó trên máy chủ.",
)

DEAD_LETTERS = Fault(
    code="DEAD_LETTERS",
    disposition=Disposition.OPERATOR,
    en="{messages} messages that no recipient could take are parked in “{name}”.",
    vi="{messages} thông điệp không nơi nào nhận được đang nằm trong “{name}”.",
    next_en="Look at them at the broker and find out why nobody could take them; they are never removed by themselves.",
    next_vi="Xem chúng trên máy chủ và tìm nguyên nhân; chúng không bao giờ tự bị xoá.",
)

BROKER_ALARM = Fault(
    code="BROKER_ALARM",
    disposition=Disposition.OPERATOR,
    en="The broker's node {node} reports: {alarm}. Publishing may stand still.",
    vi="Nút {node} của máy chủ truyền tin báo: {alarm}. Việc gửi có thể đang dừng.",
    next_en="Free memory or disk space on that machine, or bring the node back; then run: edoc broker check",
    next_vi="Giải phóng bộ nhớ hoặc đĩa trên máy đó, hoặc khởi động lại nút; rồi chạy: edoc broker check",
)
