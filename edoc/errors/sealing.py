"""Faults of sealing: the image of the seal, and the person's signature that comes before it.

Each entry: code, disposition, texts, next steps.  Does not raise anything itself.
"""

from edoc.errors.fault import Disposition, Fault

SEAL_IMAGE_UNFIT = Fault(
    code="SEAL_IMAGE_UNFIT",
    disposition=Disposition.OPERATOR,
    en="The image of the seal cannot be used: {detail}.",
    vi="Không dùng được ảnh con dấu: {detail}.",
    next_en="Put a PNG with a transparent background at [seal] image in edoc.toml and restart the daemon.",
    next_vi="Đặt ảnh PNG nền trong suốt vào [seal] image trong edoc.toml rồi khởi động lại dịch vụ.",
)
PERSON_SIGNATURE_MISSING = Fault(
    code="PERSON_SIGNATURE_MISSING",
    disposition=Disposition.PERMANENT,
    en="The file “{file}” must carry the signature of the person who answers for it, and carries none.",
    vi="Tệp “{file}” phải có chữ ký số của người có thẩm quyền nhưng chưa có.",
    next_en="Have it signed and submit again; if it is signed, have the certificate pinned as a person's in the "
    "directory, or its policy listed at [policy] person_certificate_policies.",
    next_vi="Trình ký số rồi gửi lại; nếu đã ký, đề nghị đăng ký chứng thư số cá nhân vào danh bạ hoặc ghi chính sách "
    "chứng thư vào [policy] person_certificate_policies.",
)
PERSON_SIGNATURE_INVALID = Fault(
    code="PERSON_SIGNATURE_INVALID",
    disposition=Disposition.PERMANENT,
    en="The signature of {signer} in “{file}” is not valid ({detail}); the agency does not seal it.",
    vi="Chữ ký số của {signer} trong tệp “{file}” không hợp lệ ({detail}); cơ quan không đóng dấu.",
    next_en="See “edoc verify” on the file for every check; have it signed anew and submit again.",
    next_vi="Chạy “edoc verify” với tệp để xem từng bước kiểm tra; ký lại rồi gửi lại.",
)
PERSON_SIGNATURE_UNDECIDED = Fault(
    code="PERSON_SIGNATURE_UNDECIDED",
    disposition=Disposition.TEMPORARY,
    en="Whether the certificate of {signer} in “{file}” was revoked is not known yet ({detail}).",
    vi="Chưa biết chứng thư số của {signer} trong tệp “{file}” đã bị thu hồi hay chưa ({detail}).",
    next_en="Nothing to do: it is tried again; if it lasts, renew the revocation lists in the folder [trust] crls.",
    next_vi="Không cần làm gì: sẽ thử lại; nếu kéo dài, cập nhật danh sách thu hồi trong thư mục [trust] crls.",
)
