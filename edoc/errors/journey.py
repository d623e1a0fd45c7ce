"""Faults of the journeys: what a document may not do, and what its receipt may not say.

Each entry: code, disposition, texts, next steps.  Does not raise anything itself.
"""

from edoc.errors.fault import Disposition, Fault

SENDER_MISMATCH = Fault(
    code="SENDER_MISMATCH",
    disposition=Disposition.PERMANENT,
    en="The job names {claimed} as its sender, but this outbox belongs to {office}.",
    vi="Công việc ghi bên gửi là {claimed}, nhưng hộp đi này thuộc về {office}.",
    next_en="Leave the sender out, or put {office}, and submit again.",
    next_vi="Bỏ trống bên gửi hoặc ghi {office}, rồi gửi lại.",
)
RECIPIENT_MISSING = Fault(
    code="RECIPIENT_MISSING",
    disposition=Disposition.PERMANENT,
    en="The document has no recipient.",
    vi="Văn bản không có nơi nhận.",
    next_en="Name at least one recipient's code and submit again.",
    next_vi="Ghi ít nhất một mã định danh nơi nhận rồi gửi lại.",
)
RECIPIENT_UNKNOWN = Fault(
    code="RECIPIENT_UNKNOWN",
    disposition=Disposition.PERMANENT,
    en="The directory has no organisation with the code {recipient} today.",
    vi="Danh bạ hiện không có cơ quan nào mang mã {recipient}.",
    next_en="Correct the code; if it is right, ask the authority to add it to the directory.",
    next_vi="Sửa lại mã; nếu mã đúng, đề nghị cơ quan quản lý bổ sung vào danh bạ.",
)
RECIPIENT_SELF = Fault(
    code="RECIPIENT_SELF",
    disposition=Disposition.PERMANENT,
    en="The document is addressed to this office itself ({recipient}).",
    vi="Văn bản được gửi cho chính cơ quan này ({recipient}).",
    next_en="Remove this office from the recipients and submit again.",
    next_vi="Bỏ cơ quan này khỏi nơi nhận rồi gửi lại.",
)
LEVEL_FORBIDDEN = Fault(
    code="LEVEL_FORBIDDEN",
    disposition=Disposition.PERMANENT,
    en="An office of the level {sender_level} may not write to one of the level {recipient_level} ({recipient}).",
    vi="Cơ quan cấp {sender_level} không được gửi cho cơ quan cấp {recipient_level} ({recipient}).",
    next_en="Send to a permitted level, or have [policy] talk changed.",
    next_vi="Gửi cho cấp được phép, hoặc đề nghị sửa [policy] talk.",
)
SECRET_DOCUMENT = Fault(
    code="SECRET_DOCUMENT",
    disposition=Disposition.PERMANENT,
    en="The document is marked “{marking}”: secret documents never travel on this network.",
    vi="Văn bản có dấu “{marking}”: văn bản mật không được gửi qua mạng này.",
    next_en="Send it by the channel for secret documents.",
    next_vi="Gửi văn bản qua kênh dành cho văn bản mật.",
)
ATTACHMENT_MISSING = Fault(
    code="ATTACHMENT_MISSING",
    disposition=Disposition.PERMANENT,
    en="The description declares the file “{file}”, but the job does not hold it.",
    vi="Bản mô tả khai tệp “{file}”, nhưng công việc không có tệp này.",
    next_en="Put the file into the job, or remove it from the description, and submit again.",
    next_vi="Thêm tệp vào công việc hoặc bỏ tệp khỏi bản mô tả, rồi gửi lại.",
)
ATTACHMENT_UNDECLARED = Fault(
    code="ATTACHMENT_UNDECLARED",
    disposition=Disposition.PERMANENT,
    en="The job holds the file “{file}”, which its description does not declare.",
    vi="Công việc có tệp “{file}” không được khai trong bản mô tả.",
    next_en="Declare the file or take it out, and submit again.",
    next_vi="Khai tệp hoặc bỏ tệp ra, rồi gửi lại.",
)
ATTACHMENT_NONE = Fault(
    code="ATTACHMENT_NONE",
    disposition=Disposition.PERMANENT,
    en="The document has no file.",
    vi="Văn bản không có tệp nào.",
    next_en="Add the document's file and submit again.",
    next_vi="Thêm tệp văn bản rồi gửi lại.",
)
ATTACHMENT_DIGEST = Fault(
    code="ATTACHMENT_DIGEST",
    disposition=Disposition.PERMANENT,
    en="The file “{file}” is not the one that was declared: SHA-256 {found}, declared {declared}.",
    vi="Tệp “{file}” không đúng tệp đã khai: SHA-256 {found}, đã khai {declared}.",
    next_en="Export the document again from the document-management system.",
    next_vi="Xuất lại văn bản từ hệ thống quản lý văn bản.",
)
DMS_ID_CONFLICT = Fault(
    code="DMS_ID_CONFLICT",
    disposition=Disposition.PERMANENT,
    en="The id {dms_id} was already used for another content (document {document_id}).",
    vi="Mã {dms_id} đã được dùng cho nội dung khác (văn bản {document_id}).",
    next_en="Submit the new content under a new id.",
    next_vi="Gửi nội dung mới với mã mới.",
)
CERTIFICATE_UNFIT = Fault(
    code="CERTIFICATE_UNFIT",
    disposition=Disposition.OPERATOR,
    en="The seal certificate cannot be used: {detail}.",
    vi="Không dùng được chứng thư số của con dấu: {detail}.",
    next_en="Run “edoc check” and renew or replace the certificate.",
    next_vi="Chạy “edoc check” rồi gia hạn hoặc thay chứng thư số.",
)
TOKEN_NOT_READY = Fault(
    code="TOKEN_NOT_READY",
    disposition=Disposition.TEMPORARY,
    en="The token is not ready: {detail}.",
    vi="Thiết bị ký số chưa sẵn sàng: {detail}.",
    next_en="Plug the token in; run “edoc check” to see its state.",
    next_vi="Cắm thiết bị ký số; chạy “edoc check” để xem trạng thái.",
)
NO_ROUTE = Fault(
    code="NO_ROUTE",
    disposition=Disposition.TEMPORARY,
    en="The broker has no queue for {recipient}.",
    vi="Máy chủ chuyển tin không có hàng đợi cho {recipient}.",
    next_en="Run “edoc broker setup”; the document stays queued.",
    next_vi="Chạy “edoc broker setup”; văn bản vẫn ở hàng đợi.",
)
REJECTED = Fault(
    code="REJECTED",
    disposition=Disposition.TEMPORARY,
    en="The queue of {recipient} takes nothing more for now.",
    vi="Hàng đợi của {recipient} tạm thời không nhận thêm.",
    next_en="Nothing to do: it is tried again; if it lasts, ask {recipient} whether its daemon runs.",
    next_vi="Không cần làm gì: sẽ thử lại; nếu kéo dài, hỏi {recipient} xem dịch vụ có chạy không.",
)
PUBLISH_UNKNOWN = Fault(
    code="PUBLISH_UNKNOWN",
    disposition=Disposition.TEMPORARY,
    en="The broker did not say whether it has the message; the same bytes go again.",
    vi="Máy chủ chuyển tin không xác nhận đã nhận; sẽ gửi lại đúng nội dung đó.",
    next_en="Nothing to do; if it repeats, run “edoc broker check”.",
    next_vi="Không cần làm gì; nếu lặp lại, chạy “edoc broker check”.",
)
ATTESTATION_LOST = Fault(
    code="ATTESTATION_LOST",
    disposition=Disposition.OPERATOR,
    en="The message came back through dead-lettering, so the broker no longer attests its sender.",
    vi="Tin quay lại qua hàng đợi lỗi nên máy chủ không còn chứng thực bên gửi.",
    next_en="Ask the sender to send it again; the bytes are in quarantine/.",
    next_vi="Đề nghị bên gửi gửi lại; nội dung nằm trong quarantine/.",
)
SENDER_NOT_ATTESTED = Fault(
    code="SENDER_NOT_ATTESTED",
    disposition=Disposition.OPERATOR,
    en="The message names {claimed} as its sender, but {attested} brought it.",
    vi="Tin ghi bên gửi là {claimed}, nhưng {attested} mới là bên đưa lên.",
    next_en="Ask {attested} what it sent; nothing was answered and nothing delivered.",
    next_vi="Hỏi {attested} đã gửi gì; chưa trả lời và chưa chuyển vào hộp đến.",
)
NOT_FOR_US = Fault(
    code="NOT_FOR_US",
    disposition=Disposition.PERMANENT,
    en="The document is not addressed to {office}.",
    vi="Văn bản không gửi cho {office}.",
    next_en="Send it to its recipient.",
    next_vi="Gửi văn bản đến đúng nơi nhận.",
)
SENDER_UNKNOWN = Fault(
    code="SENDER_UNKNOWN",
    disposition=Disposition.PERMANENT,
    en="The directory has no organisation with the code {sender} today.",
    vi="Danh bạ hiện không có cơ quan nào mang mã {sender}.",
    next_en="Ask the authority whether {sender} is to be in the directory.",
    next_vi="Hỏi cơ quan quản lý xem {sender} có được ghi vào danh bạ không.",
)
DOCUMENT_CONFLICT = Fault(
    code="DOCUMENT_CONFLICT",
    disposition=Disposition.PERMANENT,
    en="Another content was already received under this document's id; the first one stands.",
    vi="Đã nhận một nội dung khác với cùng mã văn bản; bản nhận trước được giữ nguyên.",
    next_en="Send the new content as a new document.",
    next_vi="Gửi nội dung mới thành một văn bản mới.",
)
SEAL_NOT_ACCEPTED = Fault(
    code="SEAL_NOT_ACCEPTED",
    disposition=Disposition.PERMANENT,
    en="The seal does not hold: {indication} {sub_indication}.",
    vi="Con dấu số không hợp lệ: {indication} {sub_indication}.",
    next_en="Check the certificate and send the document again.",
    next_vi="Kiểm tra chứng thư số rồi gửi lại văn bản.",
)
SEAL_UNDECIDED = Fault(
    code="SEAL_UNDECIDED",
    disposition=Disposition.TEMPORARY,
    en="The seal cannot be judged yet: {indication} {sub_indication}.",
    vi="Chưa kết luận được về con dấu số: {indication} {sub_indication}.",
    next_en="It is verified again; refresh the CRLs, or release it with “edoc queue release”.",
    next_vi="Sẽ kiểm tra lại; hãy cập nhật CRL, hoặc cho qua bằng “edoc queue release”.",
)
MANIFEST_REFUSED = Fault(
    code="MANIFEST_REFUSED",
    disposition=Disposition.OPERATOR,
    en="The chunk manifest cannot be accepted: {detail}.",
    vi="Không chấp nhận được bản kê các phần: {detail}.",
    next_en="Ask the sender to send the document again.",
    next_vi="Đề nghị bên gửi gửi lại văn bản.",
)
PACKAGE_TOO_LARGE = Fault(
    code="PACKAGE_TOO_LARGE",
    disposition=Disposition.PERMANENT,
    en="The package has {size} bytes; at most {limit} are taken.",
    vi="Gói tin có {size} byte; chỉ nhận tối đa {limit} byte.",
    next_en="Send smaller files, or have [policy] max_package_bytes raised.",
    next_vi="Gửi tệp nhỏ hơn, hoặc đề nghị tăng [policy] max_package_bytes.",
)
RECEIPT_UNEXPECTED = Fault(
    code="RECEIPT_UNEXPECTED",
    disposition=Disposition.OPERATOR,
    en="{sender} answers document {document_id}, which this office never sent to it.",
    vi="{sender} trả lời văn bản {document_id} mà cơ quan này chưa từng gửi cho họ.",
    next_en="Ask {sender}; nothing was changed.",
    next_vi="Hỏi {sender}; không có gì bị thay đổi.",
)
RECEIPT_MISMATCH = Fault(
    code="RECEIPT_MISMATCH",
    disposition=Disposition.OPERATOR,
    en="The answer of {sender} to document {document_id} is about other bytes than those that were sent.",
    vi="Trả lời của {sender} cho văn bản {document_id} nói về nội dung khác với nội dung đã gửi.",
    next_en="Ask {sender}; nothing was changed.",
    next_vi="Hỏi {sender}; không có gì bị thay đổi.",
)
RECEIPT_NOT_ACCEPTED = Fault(
    code="RECEIPT_NOT_ACCEPTED",
    disposition=Disposition.OPERATOR,
    en="The signature on the answer of {sender} does not hold: {indication} {sub_indication}.",
    vi="Chữ ký trên trả lời của {sender} không hợp lệ: {indication} {sub_indication}.",
    next_en="Ask {sender} to check its certificate; nothing was changed.",
    next_vi="Đề nghị {sender} kiểm tra chứng thư số; không có gì bị thay đổi.",
)
INTERNAL = Fault(
    code="INTERNAL",
    disposition=Disposition.OPERATOR,
    en="The program made a mistake on this document; its bytes are kept.",
    vi="Chương trình gặp lỗi với văn bản này; nội dung được giữ nguyên.",
    next_en="Send the log of this time to the developers.",
    next_vi="Gửi nhật ký tại thời điểm này cho nhóm phát triển.",
)
HINT_MISMATCH = Fault(
    code="HINT_MISMATCH",
    disposition=Disposition.PERMANENT,
    en="The message's headers name document {hinted}, the sealed envelope is {sealed}.",
    vi="Phần đầu tin ghi văn bản {hinted}, phong bì đã đóng dấu là {sealed}.",
    next_en="Send the document again; if it repeats, check the sender's version.",
    next_vi="Gửi lại văn bản; nếu lặp lại, kiểm tra phiên bản của bên gửi.",
)
CHUNK_REFUSED = Fault(
    code="CHUNK_REFUSED",
    disposition=Disposition.OPERATOR,
    en="A piece of a large package cannot be accepted: {detail}.",
    vi="Không chấp nhận được một phần của gói tin lớn: {detail}.",
    next_en="Ask the sender to send the document again.",
    next_vi="Đề nghị bên gửi gửi lại văn bản.",
)
