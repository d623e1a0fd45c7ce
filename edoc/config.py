"""The office's configuration: one edoc.toml per office.

Rules: every key and every default stands here and nowhere else, with its unit in its name; an unknown key is an
error; paths are relative to the folder of the file that names them.  Secrets are never values, only paths to files.
`edoc config describe` and the schema are made from these classes (:mod:`edoc.config_text`).

Does not open anything but the file itself: certificates, folders and sockets are for whoever uses them.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from edoc.directory.organisation import Level
from edoc.errors import EdocError
from edoc.errors.configuration import CONFIG_INVALID, CONFIG_MISSING
from edoc.model.appearance import SEAL_WIDTH_MM
from edoc.model.identifiers import OrganId, Sha256, parse_organ_id

MIB = 1024 * 1024

Fingerprint = Annotated[
    str,
    Meta(
        pattern=r"^[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}$",
        description="SHA-256 of the certificate's DER, as “openssl x509 -fingerprint -sha256” prints it, or plain.",
    ),
]
Port = Annotated[int, Meta(ge=1, le=65535)]
Count = Annotated[int, Meta(ge=1, le=10000)]
Seconds = Annotated[float, Meta(gt=0, le=86400)]
Hours = Annotated[float, Meta(gt=0, le=24 * 90)]
Bytes = Annotated[int, Meta(ge=0)]
Millimetres = Annotated[float, Meta(ge=0, le=2000)]
Oid = Annotated[str, Meta(pattern=r"^[0-2](\.(0|[1-9][0-9]*))+$")]


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all tables of the file have in common: frozen, and no key that nobody reads."""


def _at(path: str) -> Any:
    """Return the default `path`; made by a factory because a schema can show no default that is a Path."""
    return field(default_factory=lambda: Path(path))


class Office(Section, frozen=True, kw_only=True):
    """Whose office this is."""

    code: Annotated[str, Meta(description="The organisation's code in the directory.", examples=["H53.31.20"])]
    language: Annotated[Literal["vi", "en"], Meta(description="Language of files written for the clerks.")] = "vi"


class Folders(Section, frozen=True, kw_only=True):
    """Where the office's files are, all on one file system; a folder that is not named here is in root."""

    root: Annotated[Path, Meta(description="Folder that holds the ones below.")] = _at(".")
    outbox: Annotated[Path, Meta(description="The DMS writes jobs here.")] = _at("outbox")
    inbox: Annotated[Path, Meta(description="The DMS takes documents from here.")] = _at("inbox")
    sent: Annotated[Path, Meta(description="Jobs that left.")] = _at("sent")
    failed: Annotated[Path, Meta(description="Jobs that were refused, with error.json and error.txt.")] = _at("failed")
    status: Annotated[Path, Meta(description="One status file per document.")] = _at("status")
    quarantine: Annotated[Path, Meta(description="What arrived and was refused.")] = _at("quarantine")
    state: Annotated[Path, Meta(description="Journal, packages, sockets: the daemon's alone.")] = _at("state")


class Broker(Section, frozen=True, kw_only=True):
    """The message broker: TLS with the office's client certificate, no password."""

    host: Annotated[str, Meta(description="Name in the broker's certificate.", examples=["mq.tayninh.example.vn"])]
    ca: Annotated[Path, Meta(description="Authority of the broker's TLS certificate, PEM.", examples=["tls/ca.pem"])]
    certificate: Annotated[
        Path,
        Meta(description="The office's TLS client certificate, PEM; its CN is the user.", examples=["tls/client.pem"]),
    ]
    key: Annotated[
        Path, Meta(description="Its private key, PEM, readable by the daemon only.", examples=["tls/client.key"])
    ]
    port: Annotated[Port, Meta(description="AMQPS port.")] = 5671
    vhost: Annotated[str, Meta(description="Virtual host.")] = "edoc"
    prefetch: Annotated[Count, Meta(description="Messages in hand per lane.")] = 8
    publish_timeout_seconds: Annotated[
        Seconds, Meta(description="Without a confirm by then the outcome is unknown.")
    ] = 30
    management_url: Annotated[
        str,
        Meta(description="Management API, for “edoc broker” only.", examples=["https://mq.tayninh.example.vn:15671"]),
    ] = ""
    management_user: Annotated[str, Meta(description="Its user; an administrator's, never the office's.")] = ""
    management_password_file: Annotated[
        Path | None, Meta(description="File with its password, mode 0600.", examples=["secrets/management-password"])
    ] = None


class Token(Section, frozen=True, kw_only=True):
    """The seal: which PKCS#11 module and which key."""

    module: Annotated[
        Path, Meta(description="The vendor's PKCS#11 module.", examples=["/usr/lib/x86_64-linux-gnu/libbit4xpki.so"])
    ]
    key_uri: Annotated[
        str,
        Meta(
            description="The key by RFC 7512 URI, never by slot number.",
            pattern="^pkcs11:",
            examples=["pkcs11:serial=5212A3;id=%01;type=private"],
        ),
    ]
    allowed_modules: Annotated[
        tuple[Path, ...], Meta(description="Modules the signer may load; empty: `module` alone.")
    ] = ()
    socket: Annotated[
        Path,
        Meta(description="Socket between daemon and signer; absent: in folders.state.", examples=["state/signer.sock"]),
    ] = _at("signer.sock")
    pin_file: Annotated[
        Path | None,
        Meta(description="File with the PIN, mode 0600; a systemd credential is better.", examples=["secrets/pin"]),
    ] = None
    request_timeout_seconds: Annotated[
        Seconds, Meta(description="A signature that takes longer restarts the module.")
    ] = 20
    allowed_users: Annotated[
        tuple[str, ...], Meta(description="Users that may use the socket; empty: the signer's own user.")
    ] = ()
    certificate_sha256: Annotated[
        Fingerprint | None,
        Meta(description="The seal certificate to use; absent: the one the directory pins.", examples=["4f" * 32]),
    ] = None
    environment: Annotated[
        dict[str, str],
        Meta(description="Variables for the module, e.g. SOFTHSM2_CONF of a laboratory token. Never a secret."),
    ] = {}


def fingerprint(text: str) -> Sha256:
    """Return a configured fingerprint as lower-case hexadecimal without colons."""
    return Sha256(text.replace(":", "").lower())


class PinnedFile(Section, frozen=True, kw_only=True):
    """A certificate and the fingerprint that was given out of band; they must agree."""

    file: Path
    sha256: Fingerprint

    @property
    def fingerprint(self) -> Sha256:
        """Return the fingerprint as lower-case hexadecimal."""
        return fingerprint(self.sha256)


class Trust(Section, frozen=True, kw_only=True):
    """What is trusted: roots by fingerprint, the directory by its signer."""

    anchors: Annotated[
        tuple[PinnedFile, ...],
        Meta(
            description="Root certificates, each with the SHA-256 you were given on paper; PEM or DER.",
            min_length=1,
            examples=[({"file": "trust/root.pem", "sha256": "ab" * 32},)],
        ),
    ]
    directory_signer: Annotated[
        PinnedFile,
        Meta(
            description="The certificate that signs directory.json.",
            examples=[{"file": "trust/directory-signer.pem", "sha256": "cd" * 32}],
        ),
    ]
    intermediates: Annotated[
        tuple[Path, ...], Meta(description="Issuing authorities: signed PDFs often carry the leaf only.")
    ] = ()
    crls: Annotated[Path, Meta(description="Folder of revocation lists, *.crl, DER or PEM.")] = _at("trust/crls")
    directory: Annotated[
        Path, Meta(description="The directory of organisations; its signature is beside it: FILE.p7s.")
    ] = _at("trust/directory.json")


class TalkRule(Section, frozen=True, kw_only=True):
    """Offices of one level may write to offices of these levels."""

    sender: Level = field(name="from")
    to: tuple[Level, ...]


_ALL_LEVELS = tuple(Level)


class Policy(Section, frozen=True, kw_only=True):
    """What is allowed, and what happens when something cannot be known."""

    revocation_unknown: Annotated[
        Literal["hold", "deliver"],
        Meta(description="When revocation cannot be checked: keep for the clerk, or deliver, marked."),
    ] = "hold"
    max_file_bytes: Annotated[Bytes, Meta(description="Largest attachment.")] = 50 * MIB
    max_package_bytes: Annotated[Bytes, Meta(description="Largest package, sent or received.")] = 600 * MIB
    max_files: Annotated[Count, Meta(description="Most attachments in a document.")] = 100
    receipt_deadline_hours: Annotated[Hours, Meta(description="Without a receipt by then an alarm is raised.")] = 24
    person_signature: Annotated[
        Literal["if-present", "required"],
        Meta(description="A person's signature in the main PDF: valid if it is there, or there in any case."),
    ] = "if-present"
    person_certificate_policies: Annotated[
        tuple[Oid, ...],
        Meta(description="Certificate policies (OIDs) of persons; the directory's pins come first."),
    ] = ()
    agency_certificate_policies: Annotated[
        tuple[Oid, ...], Meta(description="Certificate policies (OIDs) of agencies' seals.")
    ] = ()
    talk: Annotated[
        tuple[TalkRule, ...], Meta(description="Which levels may write to which; a level not named: to none.")
    ] = tuple(TalkRule(sender=level, to=_ALL_LEVELS) for level in _ALL_LEVELS)

    def may_talk(self, sender: Level, recipient: Level) -> bool:
        """Say whether an office of level `sender` may write to one of level `recipient`."""
        return any(rule.sender is sender and recipient in rule.to for rule in self.talk)


class Inbox(Section, frozen=True, kw_only=True):
    """How documents are handed to the DMS."""

    edxml: Annotated[bool, Meta(description="Also write one plain .edxml file with the attachments inline.")] = False


class Seal(Section, frozen=True, kw_only=True):
    """How documents are sealed."""

    pdf: Annotated[bool, Meta(description="Seal PDFs that carry no seal of the office yet.")] = True
    reason: Annotated[str, Meta(description="Reason in the PDF seal.", max_length=200)] = "Phát hành văn bản điện tử"
    image: Annotated[
        Path | None,
        Meta(description="Image of the seal, red on transparent PNG; absent: it is not shown.", examples=["seal.png"]),
    ] = None
    image_width_mm: Annotated[
        Annotated[float, Meta(gt=0, le=200)], Meta(description="Its real width; a commune's seal has 36 mm.")
    ] = SEAL_WIDTH_MM
    page: Annotated[
        Literal["last"] | Count,
        Meta(description="Where no person's signature is shown: the page for the image, a number or “last”."),
    ] = "last"
    x_mm: Annotated[
        Millimetres | None,
        Meta(description="The image's left edge from the page's; absent: then it is not shown.", examples=[105]),
    ] = None
    y_mm: Annotated[
        Millimetres | None,
        Meta(description="The image's upper edge from the page's, as a reader shows it.", examples=[220]),
    ] = None


class Timestamp(Section, frozen=True, kw_only=True):
    """The time-stamping authority; it never stops traffic."""

    url: Annotated[str, Meta(description="Its address; empty: none.", examples=["http://tsa.ca.gov.vn"])] = ""
    limit_seconds: Annotated[float, Meta(gt=0, le=3, description="Longest wait for a time-stamp (never above 3).")] = 3


class Log(Section, frozen=True, kw_only=True):
    """The log on standard error."""

    format: Annotated[Literal["json", "console"], Meta(description="json for machines, console for people.")] = "json"
    level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="Least level that is written.")] = (
        "info"
    )


class Limits(Section, frozen=True, kw_only=True):
    """How much at once, and how much at most."""

    workers_normal: Annotated[Count, Meta(description="Documents in work in the normal lane.")] = 4
    workers_urgent: Annotated[Count, Meta(description="Documents in work in the urgent lane.")] = 2
    sandbox_memory_bytes: Annotated[int, Meta(ge=64 * MIB, description="Memory of a parsing child.")] = 512 * MIB
    sandbox_seconds: Annotated[Seconds, Meta(description="Processor and wall time of a parsing child.")] = 30
    min_free_bytes: Annotated[Bytes, Meta(description="With less free space nothing new is taken.")] = 1024 * MIB


class Retry(Section, frozen=True, kw_only=True):
    """When to try again: the wait doubles from base to cap."""

    base_seconds: Annotated[Seconds, Meta(description="First wait.")] = 5
    cap_seconds: Annotated[Seconds, Meta(description="Longest wait.")] = 600
    resend_after_hours: Annotated[
        Hours, Meta(description="Without a receipt by then the same package is sent again.")
    ] = 6


class Config(Section, frozen=True, kw_only=True):
    """An office's whole configuration, paths resolved."""

    office: Office
    broker: Broker
    token: Token
    trust: Trust
    folders: Folders = field(default_factory=Folders)
    policy: Policy = field(default_factory=Policy)
    inbox: Inbox = field(default_factory=Inbox)
    seal: Seal = field(default_factory=Seal)
    timestamp: Timestamp = field(default_factory=Timestamp)
    log: Log = field(default_factory=Log)
    limits: Limits = field(default_factory=Limits)
    retry: Retry = field(default_factory=Retry)

    @property
    def organ_id(self) -> OrganId:
        """Return the office's code."""
        return OrganId(self.office.code)


def load(path: Path) -> Config:
    """Return the configuration in `path`, paths made absolute; EdocError CONFIG_MISSING or CONFIG_INVALID."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EdocError(CONFIG_MISSING, path=path, cause=str(error)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EdocError(CONFIG_INVALID, path=path, key="TOML", detail=str(error)) from error
    base = path.absolute().parent

    def hook(kind: type, value: object) -> object:
        if kind is Path and isinstance(value, str) and value:
            return base / value
        raise ValueError("Expected a path")

    try:
        config = msgspec.convert(values, Config, dec_hook=hook)
    except msgspec.ValidationError as error:
        key, detail = _explained(str(error))
        raise EdocError(CONFIG_INVALID, path=path, key=key, detail=detail) from error
    _check(config, path)
    return _resolved(config, base)


def _explained(message: str) -> tuple[str, str]:
    """Return the key path and what was expected there, from a message “… - at `$.section.key`”."""
    text, _, place = message.partition(" - at `$")
    return place.rstrip("`").lstrip(".") or "top level", text[:1].lower() + text[1:]


def _check(config: Config, path: Path) -> None:
    """Check what types cannot say."""
    try:
        parse_organ_id(config.office.code)
    except EdocError as error:
        detail = "expected an organisation's code such as H53.31.20"
        raise EdocError(CONFIG_INVALID, path=path, key="office.code", detail=detail) from error
    if config.retry.cap_seconds < config.retry.base_seconds:
        raise EdocError(
            CONFIG_INVALID, path=path, key="retry.cap_seconds", detail="expected at least retry.base_seconds"
        )
    if (config.seal.x_mm is None) is not (config.seal.y_mm is None):
        raise EdocError(CONFIG_INVALID, path=path, key="seal.y_mm", detail="expected both x_mm and y_mm, or neither")
    if config.token.allowed_modules and config.token.module not in config.token.allowed_modules:
        raise EdocError(CONFIG_INVALID, path=path, key="token.module", detail="expected one of token.allowed_modules")
    if config.broker.management_url and not config.broker.management_url.startswith(("https://", "http://127.0.0.1:")):
        # A password travels there: plain HTTP is for a broker on this very host.
        raise EdocError(CONFIG_INVALID, path=path, key="broker.management_url", detail="expected an https:// address")


def _resolved(config: Config, base: Path) -> Config:
    """Complete defaults, which are still relative: folders to root, the socket to state, the rest to `base`."""
    root = base / config.folders.root
    folders = msgspec.structs.replace(
        config.folders, **{name: root / value for name, value in msgspec.structs.asdict(config.folders).items()}
    )
    token = msgspec.structs.replace(
        config.token,
        socket=folders.state / config.token.socket,
        allowed_modules=config.token.allowed_modules or (config.token.module,),
    )
    trust = msgspec.structs.replace(
        config.trust, crls=base / config.trust.crls, directory=base / config.trust.directory
    )
    return msgspec.structs.replace(config, folders=folders, token=token, trust=trust)
