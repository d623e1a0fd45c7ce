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

MALFORMED_XML = Fault(
    code="MALFORMED_XML",
    disposition=Disposition.PERMANENT,
    en="The XML is not well-formed at line {line}.",
    vi="Tệp XML sai cú pháp ở dòng {line}.",
    next_en="Correct the program that wrote the XML, then send the document again.",
    next_vi="Sửa phần mềm đã tạo tệp XML rồi gửi lại văn bản.",
)

XML_FORBIDDEN = Fault(
    code="XML_FORBIDDEN",
    disposition=Disposition.PERMANENT,
    en="The XML uses what the exchange does not allow, at line {line}: {what}.",
    vi="Tệp XML dùng thành phần mà hệ thống không cho phép, ở dòng {line}: {what_vi}.",
    next_en="Have the sending system write plain UTF-8 XML without DOCTYPE or entities, within the limits.",
    next_vi="Yêu cầu hệ thống gửi ghi XML thuần UTF-8, không có DOCTYPE hay thực thể, trong giới hạn cho phép.",
)

TEXT_NOT_XML = Fault(
    code="TEXT_NOT_XML",
    disposition=Disposition.PERMANENT,
    en="The text of {element} holds a control character that XML cannot carry.",
    vi="Nội dung của {element} chứa ký tự điều khiển mà XML không biểu diễn được.",
    next_en="Remove the control character (often pasted from a word processor) and send again.",
    next_vi="Xóa ký tự điều khiển đó (thường do dán từ trình soạn thảo) rồi gửi lại.",
)

OLD_DIALECT = Fault(
    code="OLD_DIALECT",
    disposition=Disposition.PERMANENT,
    en="This is eDoc of 2011–2015 (namespace {namespace}), not edXML of QCVN 102:2016.",
    vi="Đây là định dạng eDoc giai đoạn 2011–2015 (không gian tên {namespace}), không phải edXML theo QCVN 102:2016.",
    next_en="Have the sending system export edXML of QCVN 102:2016 and send again.",
    next_vi="Yêu cầu hệ thống gửi xuất văn bản theo edXML của QCVN 102:2016 rồi gửi lại.",
)

NOT_EDXML = Fault(
    code="NOT_EDXML",
    disposition=Disposition.PERMANENT,
    en="The XML is not an edXML message: its root is “{root}”.",
    vi="Tệp XML không phải thông điệp edXML: phần tử gốc là “{root}”.",
    next_en="Check that the right file was placed in the job, then send again.",
    next_vi="Kiểm tra đã đặt đúng tệp vào thư mục gửi chưa, rồi gửi lại.",
)

HEADER_INCOMPLETE = Fault(
    code="HEADER_INCOMPLETE",
    disposition=Disposition.PERMANENT,
    en="The edXML header lacks the mandatory element {element}.",
    vi="Phần đầu edXML thiếu phần tử bắt buộc {element}.",
    next_en="Fill in {element} in the document-management system and send again.",
    next_vi="Bổ sung {element} trong phần mềm quản lý văn bản rồi gửi lại.",
)

HEADER_INVALID = Fault(
    code="HEADER_INVALID",
    disposition=Disposition.PERMANENT,
    en="The edXML element {element} cannot be understood: “{value}”.",
    vi="Không hiểu được phần tử edXML {element}: “{value}”.",
    next_en="Correct {element} in the document-management system and send again.",
    next_vi="Sửa {element} trong phần mềm quản lý văn bản rồi gửi lại.",
)

BAD_ENVELOPE = Fault(
    code="BAD_ENVELOPE",
    disposition=Disposition.PERMANENT,
    en="The sealed envelope breaks the package's rules: {detail}.",
    vi="Phong bì của gói tin vi phạm quy tắc đóng gói: {detail_vi}.",
    next_en="Tell the sender: its exchange software wrote a package that no recipient can accept.",
    next_vi="Báo cho bên gửi: phần mềm của họ tạo gói tin mà không nơi nào tiếp nhận được.",
)

BAD_STATUS = Fault(
    code="BAD_STATUS",
    disposition=Disposition.PERMANENT,
    en="The status message breaks the rules: {detail}.",
    vi="Thông điệp trạng thái sai quy tắc: {detail_vi}.",
    next_en="Nothing changes for the document; tell the organisation that sent the status.",
    next_vi="Trạng thái văn bản không thay đổi; báo cho cơ quan đã gửi thông điệp trạng thái.",
)

BAD_CONTAINER = Fault(
    code="BAD_CONTAINER",
    disposition=Disposition.PERMANENT,
    en="The file is not an acceptable ASiC-E container: {detail}.",
    vi="Tệp không phải gói ASiC-E hợp lệ: {detail_vi}.",
    next_en="Ask the sender for the original file; do not open or repair this one.",
    next_vi="Đề nghị bên gửi cung cấp tệp gốc; không tự mở hoặc sửa tệp này.",
)

CONTAINER_TOO_LARGE = Fault(
    code="CONTAINER_TOO_LARGE",
    disposition=Disposition.PERMANENT,
    en="The package would hold {size} bytes or entries; at most {limit} fit.",
    vi="Gói tin sẽ có {size} byte hoặc tệp; tối đa là {limit}.",
    next_en="Split the attachments over several documents and send again.",
    next_vi="Chia tệp đính kèm thành nhiều văn bản rồi gửi lại.",
)

ATTACHMENT_UNREADABLE = Fault(
    code="ATTACHMENT_UNREADABLE",
    disposition=Disposition.PERMANENT,
    en="Attachment {number} (“{name}”) inside the edXML file cannot be read: {detail}.",
    vi="Không đọc được tệp đính kèm số {number} (“{name}”) trong tệp edXML: {detail_vi}.",
    next_en="Export the document again from the document-management system and send it again.",
    next_vi="Xuất lại văn bản từ phần mềm quản lý văn bản rồi gửi lại.",
)
