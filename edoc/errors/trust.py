"""Faults of the directory, anchors and revocation data.

Each entry: code, disposition, texts, next steps.  Does not raise anything itself.
"""

from edoc.errors.fault import Disposition, Fault

DIRECTORY_MISSING = Fault(
    code="DIRECTORY_MISSING",
    disposition=Disposition.OPERATOR,
    en="There is no directory of organisations at {path}.",
    vi="Không có danh bạ cơ quan tại {path}.",
    next_en="Put directory.json and directory.json.p7s from the directory's publisher there, then run “edoc check”.",
    next_vi="Đặt directory.json và directory.json.p7s của đơn vị phát hành danh bạ vào đó, rồi chạy “edoc check”.",
)

DIRECTORY_INVALID = Fault(
    code="DIRECTORY_INVALID",
    disposition=Disposition.OPERATOR,
    en="The directory of organisations is not valid: {detail}.",
    vi="Danh bạ cơ quan không hợp lệ: {detail}.",
    next_en="Tell the directory's publisher; the last good directory stays in force. Its form: directory.schema.json.",
    next_vi="Báo đơn vị phát hành danh bạ; danh bạ hợp lệ gần nhất vẫn có hiệu lực. Định dạng: directory.schema.json.",
)

DIRECTORY_SIGNATURE = Fault(
    code="DIRECTORY_SIGNATURE",
    disposition=Disposition.OPERATOR,
    en="The signature of the directory {path} does not hold: {detail}.",
    vi="Chữ ký của danh bạ {path} không hợp lệ: {detail}.",
    next_en="Fetch directory.json and directory.json.p7s again, both of one version; check trust.directory_signer.",
    next_vi="Tải lại directory.json và directory.json.p7s cùng một phiên bản; kiểm tra trust.directory_signer.",
)

DIRECTORY_ROLLBACK = Fault(
    code="DIRECTORY_ROLLBACK",
    disposition=Disposition.OPERATOR,
    en="The directory {path} is version {version}, but version {seen} is already in force here: it is not taken.",
    vi="Danh bạ {path} là phiên bản {version}, nhưng phiên bản {seen} đã có hiệu lực tại đây: không nhận.",
    next_en="Fetch the newest directory. If it really has this version, tell its publisher: a version is never reused.",
    next_vi="Tải danh bạ mới nhất. Nếu đúng là phiên bản này, báo đơn vị phát hành: số phiên bản không được dùng lại.",
)

DIRECTORY_EXPIRED = Fault(
    code="DIRECTORY_EXPIRED",
    disposition=Disposition.OPERATOR,
    en="The directory (version {version}) expired on {expires_at}: nothing new is learnt from it.",
    vi="Danh bạ (phiên bản {version}) đã hết hạn ngày {expires_at}: không nhận thông tin mới từ danh bạ này.",
    next_en="Fetch the current directory.json and directory.json.p7s to {path}. What is known goes on working.",
    next_vi="Tải directory.json và directory.json.p7s hiện hành về {path}. Những gì đã biết vẫn hoạt động.",
)

DIRECTORY_STALE = Fault(
    code="DIRECTORY_STALE",
    disposition=Disposition.OPERATOR,
    en="The directory (version {version}) expires on {expires_at} and there is no newer one yet.",
    vi="Danh bạ (phiên bản {version}) sẽ hết hạn ngày {expires_at} và chưa có phiên bản mới hơn.",
    next_en="Fetch the current directory.json and directory.json.p7s to {path} before that day.",
    next_vi="Tải directory.json và directory.json.p7s hiện hành về {path} trước ngày đó.",
)

ANCHOR_MISMATCH = Fault(
    code="ANCHOR_MISMATCH",
    disposition=Disposition.OPERATOR,
    en="The certificate in {path} has the fingerprint {found}, not {expected}: it is not trusted.",
    vi="Chứng thư trong {path} có dấu vân tay {found}, không phải {expected}: không được tin cậy.",
    next_en="Compare with the fingerprint given on paper or by telephone; change the file, never the fingerprint.",
    next_vi="Đối chiếu với dấu vân tay nhận qua giấy hoặc điện thoại; thay tệp, không sửa dấu vân tay.",
)

CERTIFICATE_UNREADABLE = Fault(
    code="CERTIFICATE_UNREADABLE",
    disposition=Disposition.OPERATOR,
    en="There is no certificate to be read in {path}: {detail}.",
    vi="Không đọc được chứng thư trong {path}: {detail}.",
    next_en="Give a certificate as PEM or DER. Try “openssl x509 -in {path} -noout -subject -fingerprint -sha256”",
    next_vi="Dùng chứng thư dạng PEM hoặc DER. Thử “openssl x509 -in {path} -noout -subject -fingerprint -sha256”",
)

CRL_UNREADABLE = Fault(
    code="CRL_UNREADABLE",
    disposition=Disposition.OPERATOR,
    en="There is no revocation list to be read in {path}: {detail}.",
    vi="Không đọc được danh sách thu hồi trong {path}: {detail}.",
    next_en="Fetch the list again from its authority. Try “openssl crl -in {path} -noout -issuer -nextupdate”",
    next_vi="Tải lại danh sách từ cơ quan chứng thực. Thử “openssl crl -in {path} -noout -issuer -nextupdate”",
)

NOT_IN_DIRECTORY = Fault(
    code="NOT_IN_DIRECTORY",
    disposition=Disposition.OPERATOR,
    en="The directory of organisations does not have {code}, or it does not exist today.",
    vi="Danh bạ cơ quan không có {code}, hoặc cơ quan này hôm nay không tồn tại.",
    next_en="Check office.code in edoc.toml; if it is right, ask the directory's publisher to add it.",
    next_vi="Kiểm tra office.code trong edoc.toml; nếu đúng, đề nghị đơn vị phát hành danh bạ bổ sung.",
)
