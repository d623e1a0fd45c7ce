"""Containers: the seal over the entries, the envelope's own manifest, and the signatures inside the PDFs.

Rules: the signed set is the set of entries outside META-INF but ``mimetype``, exactly.  What the envelope says of its
attachments must be what lies there.  Entries are hashed as streams; nothing large is held in memory.

Does not decide on admission: who brought a container is no part of the verdict.
"""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass, field
from typing import BinaryIO, Final, cast

from edoc.envelopes.asic import (
    ENVELOPE,
    MANIFEST,
    META_INF,
    MIMETYPE,
    SIGNATURES,
    Container,
    attachment_entry,
    check_manifest,
)
from edoc.envelopes.edxml import MAX_ENVELOPE, read_envelope
from edoc.envelopes.xml import parse
from edoc.errors import EdocError
from edoc.model.document import Document
from edoc.model.identifiers import Sha256
from edoc.model.trust import TrustMaterial
from edoc.model.verdict import SignatureReport, SubIndication, Verdict
from edoc.signatures.facts import FORMAT_CLAUSE, SignatureFacts, unreadable
from edoc.signatures.findings import Findings
from edoc.signatures.judgement import ANY_SEAL, Expectation, combine, judge
from edoc.signatures.validate_pades import pdf_reports
from edoc.signatures.validate_xades import detached_facts
from edoc.signatures.window import Window
from edoc.signatures.xades import signature_digests
from edoc.signatures.xml_structure import CONTAINER_ROOT, signatures_of

MAX_SIGNATURES_XML: Final = 4 * 1024 * 1024
MAX_SIGNATURES: Final = 16
MAX_DEFLATED_PDF: Final = 64 * 1024 * 1024  # only other people's containers deflate; a window needs stored octets
_SIGNATURE_FILE: Final = re.compile(r"META-INF/[^/]*signatures[^/]*\.xml", re.IGNORECASE)
_MANIFEST_FILES: Final = frozenset({"META-INF/manifest.xml", "META-INF/container.xml"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFacts:
    """A container as verified; `entries` holds the entry of attachment n at index n-1."""

    document: Document
    envelope: bytes = field(repr=False)
    entries: tuple[str, ...]
    verdict: Verdict
    signature_digests: tuple[Sha256, ...]


class _Digests:
    """Digests and sizes of entries, each entry read once per algorithm."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._known: dict[tuple[str, str], bytes] = {}
        self.present = frozenset(name for name in container.names if name != MIMETYPE and not name.startswith(META_INF))

    def __call__(self, name: str, algorithm: str) -> bytes | None:
        if name not in self.present:
            return None
        if (name, algorithm) not in self._known:
            hasher = hashlib.new(algorithm)
            try:
                for piece in self._container.stream(name):
                    hasher.update(piece)
                self._known[name, algorithm] = hasher.digest()
            except EdocError:  # damaged by its own checksum: no digest can match
                self._known[name, algorithm] = b""
        return self._known[name, algorithm]


def validate_package(file: BinaryIO, material: TrustMaterial) -> PackageFacts:
    """Validate the container in the seekable `file` (EN 319 102-1, 5.3; EN 319 162-1, 4.4).

    Raises EdocError when there is nothing to report on: BAD_CONTAINER, or the faults of ``read_envelope``.
    Everything about signatures is in the verdict; a container without a seal is TOTAL-FAILED, FORMAT_FAILURE.
    """
    container = Container.open(file)
    envelope = container.read(ENVELOPE, MAX_ENVELOPE)
    document = read_envelope(envelope)
    digests = _Digests(container)
    problems = Findings()
    _check_structure(container, problems, needs_manifest=True)
    _check_attachments(document, container, digests, problems)
    expected = Expectation(organisation=document.sender.organ_id)
    reports = _seals(container, digests, problems, expected, material)
    entries = tuple(attachment_entry(one.number, one.name) for one in document.attachments)
    return PackageFacts(
        document=document,
        envelope=envelope,
        entries=entries,
        verdict=combine(reports + _inner(container, file, digests.present, material)),
        signature_digests=_value_digests(container),
    )


def validate_container(file: BinaryIO, material: TrustMaterial) -> Verdict:
    """Validate any ASiC-E container; one that is ours as :func:`validate_package` does.  Raises the same errors."""
    container = Container.open(file)
    if ENVELOPE in container.names:
        return validate_package(file, material).verdict
    digests, problems = _Digests(container), Findings()
    _check_structure(container, problems, needs_manifest=MANIFEST in container.names)
    reports = _seals(container, digests, problems, ANY_SEAL, material)
    return combine(reports + _inner(container, file, digests.present, material))


def _check_structure(container: Container, problems: Findings, *, needs_manifest: bool) -> None:
    """Check META-INF: manifest and signatures, nothing else."""
    for name in container.names:
        known = name in _MANIFEST_FILES or _SIGNATURE_FILE.fullmatch(name) or not name.startswith(META_INF)
        if not known:
            detail = f"{name} is not covered by the seal"
            problems.failed("entries", FORMAT_CLAUSE, SubIndication.FORMAT_FAILURE, detail)
    if not needs_manifest:  # optional in ASiC (EN 319 162-1, 4.4.3); our own containers always have it
        return
    try:
        check_manifest(container)
    except EdocError as error:
        problems.failed("manifest", FORMAT_CLAUSE, SubIndication.FORMAT_FAILURE, str(error))
    else:
        problems.passed("manifest", "EN 319 162-1, 4.4.3", "META-INF/manifest.xml lists the entries")


def _check_attachments(document: Document, container: Container, digests: _Digests, problems: Findings) -> None:
    """Check the envelope's manifest: name, size and SHA-256 of every attachment, and no entry besides."""
    named = {ENVELOPE}
    for attachment in document.attachments:
        name = attachment_entry(attachment.number, attachment.name)
        named.add(name)
        digest = digests(name, "sha256")
        if digest is None:
            sub = SubIndication.SIGNED_DATA_NOT_FOUND
            problems.unknown("attachment", FORMAT_CLAUSE, sub, f"{name} is in the envelope but missing")
        elif digest.hex() != attachment.sha256 or container.size(name) != attachment.size:
            detail = f"{name} is not the file that the envelope describes"
            problems.failed("attachment", FORMAT_CLAUSE, SubIndication.HASH_FAILURE, detail)
        else:
            problems.passed("attachment", FORMAT_CLAUSE, f"{name} is as the envelope describes it")
    for name in sorted(digests.present - named):
        detail = f"{name} is not in the envelope"
        problems.failed("attachment", FORMAT_CLAUSE, SubIndication.FORMAT_FAILURE, detail)


def _seals(
    container: Container, digests: _Digests, problems: Findings, expected: Expectation, material: TrustMaterial
) -> tuple[SignatureReport, ...]:
    """Return the reports on the container's own signatures; each must hold and cover everything."""
    reports = []
    for name in (name for name in container.names if _SIGNATURE_FILE.fullmatch(name)):
        for facts in _signature_facts(container, name, digests):
            facts.findings.add(problems)
            reports.append(judge(facts, name, expected, material))
    if not reports:
        reports.append(judge(unreadable("XAdES", "the container carries no signature"), SIGNATURES, expected, material))
    return tuple(reports)


def _signature_facts(container: Container, name: str, digests: _Digests) -> list[SignatureFacts]:
    try:
        root = parse(container.read(name, MAX_SIGNATURES_XML), limit=MAX_SIGNATURES_XML)
    except EdocError as error:
        return [unreadable("XAdES", str(error))]
    found = signatures_of(root)
    if root.tag != CONTAINER_ROOT or not found or len(found) != len(root) or len(found) > MAX_SIGNATURES:
        return [unreadable("XAdES", f"{name} must be asic:XAdESSignatures with 1 to {MAX_SIGNATURES} ds:Signature")]
    return [detached_facts(signature, digests, digests.present) for signature in found]


def _value_digests(container: Container) -> tuple[Sha256, ...]:
    """Return what a receipt binds; nothing when the signatures cannot be read (the verdict has failed then)."""
    found: list[Sha256] = []
    for name in (name for name in container.names if _SIGNATURE_FILE.fullmatch(name)):
        try:
            found.extend(signature_digests(container.read(name, MAX_SIGNATURES_XML)))
        except EdocError:
            return ()
    return tuple(found)


def _inner(
    container: Container, file: BinaryIO, present: frozenset[str], material: TrustMaterial
) -> tuple[SignatureReport, ...]:
    """Return the reports on signatures inside the PDFs; their path is the entry's name."""
    reports: list[SignatureReport] = []
    for name in (name for name in container.names if name in present):
        place = container.slice(name)
        if place is not None:
            inner: BinaryIO = cast("BinaryIO", io.BufferedReader(Window(file, *place), 64 * 1024))
        elif container.size(name) <= MAX_DEFLATED_PDF:
            inner = io.BytesIO(container.read(name, MAX_DEFLATED_PDF))
        else:
            continue
        if b"%PDF-" in inner.read(1024):
            reports.extend(pdf_reports(inner, name, material))
    return tuple(reports)
