"""One attachment before the package is made: its person's signature is checked, and a PDF gets the agency's seal.

Rules: the person's signature comes first; the agency's key is not used before it was verified.  A signed PDF is never
rewritten, and one with the agency's seal is left as it is.  How the seal looks is the decree's (Decree 30/2020,
Annex I): the image on the document itself, a line of text on separate attachments and on copies.

Does not draw and does not verify: the sandbox does both.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta, timezone

from edoc.envelopes import sniff
from edoc.errors import EdocError
from edoc.errors.sealing import PERSON_SIGNATURE_MISSING
from edoc.exchange.office import Office
from edoc.exchange.persons import check_persons, wanted
from edoc.exchange.sealing import Seal
from edoc.exchange.trust import Trust
from edoc.model.appearance import Appearance
from edoc.model.document import AttachmentRole, DeclaredFile, Document
from edoc.model.identifiers import FileRef
from edoc.model.reading import PreparedPdf
from edoc.model.record import JobFile, Record, StoredFile
from edoc.model.signers import PersonSignature, SignerRules
from edoc.model.signing import Purpose
from edoc.ports import Clock, Sandbox, Store
from edoc.signatures import cades, pades
from edoc.signatures.creation import SealCertificate

_VIETNAM = timezone(timedelta(hours=7))
_COPIES = {"SY": "Sao y", "SL": "Sao lục", "TrS": "Trích sao"}


class Attachments:
    """Checks and seals the attachments of one office's documents."""

    def __init__(
        self, *, office: Office, clock: Clock, store: Store, sandbox: Sandbox, trust: Trust, seal: Seal
    ) -> None:
        self._office = office
        self._clock = clock
        self._store = store
        self._sandbox = sandbox
        self._trust = trust
        self._seal = seal

    async def seal(
        self,
        record: Record,
        document: Document,
        number: int,
        declared: DeclaredFile,
        file: JobFile,
        certificate: SealCertificate,
    ) -> tuple[StoredFile, str, tuple[str, ...]]:
        """Return the file as it is to travel, its media type, and notes.

        Raises EdocError PERSON_SIGNATURE_MISSING, _INVALID, _UNDECIDED, and those of the sandbox and the token.
        """
        media_type = sniff.content_type(file.name, await self._store.read(file.stored.ref, 0, 1024))
        need = wanted(declared, self._office.policy)
        if media_type != sniff.PDF:
            if need is PersonSignature.REQUIRED:  # only a PDF can carry one
                raise EdocError(PERSON_SIGNATURE_MISSING, file=declared.file)
            return file.stored, media_type, ()
        now, rules = self._clock.now(), self._rules()
        if not self._office.seal_pdf:
            return file.stored, media_type, await self._check_persons(declared, file, need, rules, now)
        target = self._store.scratch(record.document_id, f"sealed-{number}.pdf")
        prepared = await self._sandbox.prepare_pdf(
            file.stored.ref,
            target,
            (certificate.der, *certificate.path),
            self._office.seal_reason,
            now,
            self._appearance(document, declared, now),
            rules,
        )
        notes = prepared.notes
        if prepared.signatures or need is PersonSignature.REQUIRED:
            notes += await self._check_persons(declared, file, need, rules, now)
        if prepared.already_sealed or prepared.forbidden:
            return file.stored, media_type, notes
        await self._sign(record, prepared, target, certificate)
        return await self._store.keep(target), media_type, notes

    async def _sign(self, record: Record, prepared: PreparedPdf, target: FileRef, certificate: SealCertificate) -> None:
        # PAdES: the time is the PDF's own M entry; a CMS signing-time beside it is forbidden (EN 319 142-1, 6.3).
        to_sign = pades.prepare(prepared.digest, certificate, certificate.algorithm, intermediates=certificate.path)
        signature = await self._seal.sign(
            certificate, Purpose.ATTACHMENT, record.document_id, record.lane, to_sign.digest
        )
        contents = pades.contents(cades.finish(to_sign, signature), prepared.contents_digits)
        await self._store.patch(target, prepared.contents_offset, contents)

    def _rules(self) -> SignerRules:
        policy = self._office.policy
        return SignerRules.of(
            self._trust.pins(self._office.code),
            person_policies=policy.person_policies,
            agency_policies=policy.agency_policies,
        )

    async def _check_persons(
        self, declared: DeclaredFile, file: JobFile, need: PersonSignature | None, rules: SignerRules, now: datetime
    ) -> tuple[str, ...]:
        if need is None:
            return ()
        material = await self._trust.material(self._office.code, now)
        verdict = await self._sandbox.verify_file(file.stored.ref, material)
        return check_persons(verdict, rules, need, self._office.policy.undecided, declared.file)

    def _appearance(self, document: Document, declared: DeclaredFile, now: datetime) -> Appearance:
        agency = self._trust.party(self._office.code, now).name
        return appearance_of(document, declared.role, self._office, agency, now)


def appearance_of(document: Document, role: AttachmentRole, office: Office, agency: str, at: datetime) -> Appearance:
    """Return how the seal looks on a file with `role` of `document`, sealed by `agency` at `at` (Decree 30, I)."""
    moment = at.astimezone(_VIETNAM).isoformat(timespec="seconds")
    if role is not AttachmentRole.MAIN:
        return Appearance(text=f"{document.code}; {moment}")
    copy = copy_kind(document)
    if copy:
        return Appearance(text=f"{copy}; {agency}; {moment}")
    return Appearance(image=office.seal_image, image_width_mm=office.seal_width_mm, place=office.seal_place)


def copy_kind(document: Document) -> str:
    """Return “Sao y”, “Sao lục”, “Trích sao”, or nothing for what is no copy.

    It shows in the name of its type, in the vendor's code of it, or in a notation: SY, SL, TrS (Decree 30, III).
    """
    name = " ".join(unicodedata.normalize("NFC", document.type_name).casefold().split()).removeprefix("bản ")
    marks = {document.type_code, document.typer_notation, document.code.notation.split("-", maxsplit=1)[0]}
    return next((words for mark, words in _COPIES.items() if name == words.casefold() or mark in marks), "")
