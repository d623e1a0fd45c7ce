"""Faults of certificates, signatures and the PDFs that carry them.

Each entry: code, disposition, texts, next steps.  Does not raise anything itself.  A signature that does not hold is
no fault but a verdict; the faults here are about what cannot be read or used at all.
"""

from edoc.errors.fault import Disposition, Fault

CERTIFICATE_BROKEN = Fault(
    code="CERTIFICATE_BROKEN",
    disposition=Disposition.PERMANENT,
    en="A certificate cannot be read, or its key is of a kind that is not used here.",
    vi="Không đọc được một chứng thư số, hoặc khoá của nó thuộc loại không dùng ở đây.",
    next_en="Export the certificate again as DER or PEM; keys are RSA, ECDSA or Ed25519.",
    next_vi="Xuất lại chứng thư số dạng DER hoặc PEM; khoá phải là RSA, ECDSA hoặc Ed25519.",
)
OWN_SEAL_BROKEN = Fault(
    code="OWN_SEAL_BROKEN",
    disposition=Disposition.OPERATOR,
    en="The token answered with a signature that does not match the seal certificate of {subject}.",
    vi="Thiết bị ký trả về chữ ký không khớp với chứng thư số con dấu của {subject}.",
    next_en="Run “edoc check”: key and certificate must belong together. Nothing was sent.",
    next_vi="Chạy “edoc check”: khoá và chứng thư số phải đi cùng nhau. Chưa có gì được gửi đi.",
)
ALGORITHM_UNFIT = Fault(
    code="ALGORITHM_UNFIT",
    disposition=Disposition.OPERATOR,
    en="The algorithm {algorithm} does not fit the key of {subject}.",
    vi="Thuật toán {algorithm} không phù hợp với khoá của {subject}.",
    next_en="Set the algorithm of the seal in edoc.toml to one that its key supports.",
    next_vi="Đặt thuật toán của con dấu trong edoc.toml thành loại mà khoá hỗ trợ.",
)
SIGNATURE_UNREADABLE = Fault(
    code="SIGNATURE_UNREADABLE",
    disposition=Disposition.PERMANENT,
    en="The signature structure cannot be read ({what}).",
    vi="Không đọc được cấu trúc chữ ký ({what}).",
    next_en="Ask the sender to sign and send the document again.",
    next_vi="Đề nghị bên gửi ký và gửi lại văn bản.",
)
TIMESTAMP_REFUSED = Fault(
    code="TIMESTAMP_REFUSED",
    disposition=Disposition.TEMPORARY,
    en="The time-stamping authority gave no usable time-stamp ({what}).",
    vi="Máy chủ cấp dấu thời gian không trả về dấu thời gian dùng được ({what}).",
    next_en="Nothing to do: the seal stays without a time-stamp. If it repeats, check the address of the authority.",
    next_vi="Không cần làm gì: con dấu không kèm dấu thời gian. Nếu lặp lại, kiểm tra địa chỉ máy chủ dấu thời gian.",
)
TIMESTAMP_MISMATCH = Fault(
    code="TIMESTAMP_MISMATCH",
    disposition=Disposition.PERMANENT,
    en="The time-stamp is not about this signature ({what}).",
    vi="Dấu thời gian không phải của chữ ký này ({what}).",
    next_en="Ask the time-stamping authority for a new one; if it repeats, tell its operator.",
    next_vi="Yêu cầu dấu thời gian mới; nếu lặp lại, báo cho đơn vị vận hành máy chủ dấu thời gian.",
)
NOT_A_PDF = Fault(
    code="NOT_A_PDF",
    disposition=Disposition.PERMANENT,
    en="The file is not a PDF.",
    vi="Tệp không phải là PDF.",
    next_en="Submit the PDF itself, or give the file its right extension.",
    next_vi="Gửi đúng tệp PDF, hoặc đặt đúng phần mở rộng cho tệp.",
)
PDF_BROKEN = Fault(
    code="PDF_BROKEN",
    disposition=Disposition.PERMANENT,
    en="The PDF is damaged and cannot be sealed.",
    vi="Tệp PDF bị hỏng, không thể đóng dấu.",
    next_en="Export the PDF again from the program that made it and submit again.",
    next_vi="Xuất lại tệp PDF từ chương trình đã tạo ra nó rồi gửi lại.",
)
PDF_ENCRYPTED = Fault(
    code="PDF_ENCRYPTED",
    disposition=Disposition.PERMANENT,
    en="The PDF is protected by a password and cannot be sealed.",
    vi="Tệp PDF được bảo vệ bằng mật khẩu, không thể đóng dấu.",
    next_en="Save the PDF without a password and submit again.",
    next_vi="Lưu tệp PDF không đặt mật khẩu rồi gửi lại.",
)
SIGNATURE_TOO_LARGE = Fault(
    code="SIGNATURE_TOO_LARGE",
    disposition=Disposition.OPERATOR,
    en="The signature needs {size} octets, but {room} were reserved in the PDF.",
    vi="Chữ ký cần {size} byte nhưng PDF chỉ dành {room} byte.",
    next_en="Put fewer intermediate certificates into the seal and submit again.",
    next_vi="Giảm số chứng thư số trung gian kèm con dấu rồi gửi lại.",
)
