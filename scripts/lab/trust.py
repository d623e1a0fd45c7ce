"""What the offices trust: root, issuing CA, revocation lists, and the signed directory with everybody's pins.

Rules: everything is made of one :class:`lab.pki.Pki`; every edition of the directory has a higher version.
Does not write files.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

from edoc.directory.codec import encode_directory
from edoc.directory.organisation import KeyPin, LevelSpan, Name, Organisation, Snapshot
from edoc.model.identifiers import OrganId, Sha256
from edoc.model.trust import PinPurpose
from edoc.signatures import cades
from edoc.signatures.creation import SealCertificate
from lab.pki import Issued, Pki
from lab.units import Unit


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Files every office gets a copy of, by name."""

    files: dict[str, bytes]
    root_sha256: str
    directory_signer_sha256: str


class Authority:
    """Who issues: seals and personal certificates of the units, the directory, revocation lists."""

    def __init__(self, pki: Pki, units: tuple[Unit, ...]) -> None:
        self.pki = pki
        self.directory_signer = pki.seal("000.00.00.G09", "Danh bạ cơ quan (phòng thử nghiệm)", kind="ec")
        self.seals = {unit.code: pki.seal(unit.code, unit.name, kind=unit.key) for unit in units}
        self.persons = {unit.code: pki.person(unit.signer, unit.code) for unit in units}
        self.version = 0

    def trust(self, units: tuple[Unit, ...], now: datetime) -> Trust:
        """Return trust material as of `now`: the next edition of the directory, new revocation lists."""
        self.version += 1
        directory = encode_directory(self._snapshot(units, now.replace(microsecond=0)))
        return Trust(
            files={
                "root.pem": self.pki.root.pem,
                "issuing.pem": self.pki.issuing.pem,
                "directory-signer.pem": self.directory_signer.pem,
                "directory.json.p7s": sign_detached(directory, self.directory_signer, now),
                "directory.json": directory,
                "crls/issuing.crl": self.pki.crl(now),
                "crls/root.crl": self.pki.root_crl(now),
            },
            root_sha256=self.pki.root.sha256,
            directory_signer_sha256=self.directory_signer.sha256,
        )

    def _snapshot(self, units: tuple[Unit, ...], now: datetime) -> Snapshot:
        return Snapshot(
            version=self.version,
            issued_at=now,
            expires_at=now + timedelta(days=30),
            organisations=tuple(
                self._entry(unit, now - timedelta(days=1), {one.code for one in units}) for unit in units
            ),
        )

    def _entry(self, unit: Unit, since: datetime, known: set[str]) -> Organisation:
        seal, person = self.seals[unit.code], self.persons[unit.code]
        return Organisation(
            code=OrganId(unit.code),
            names=(Name(name=unit.name),),
            levels=(LevelSpan(level=unit.level),),
            valid_from=date(2004, 1, 1),
            parent=OrganId(unit.parent) if unit.parent in known else None,
            key_pins=(
                KeyPin(sha256=Sha256(seal.sha256), not_before=since),
                KeyPin(sha256=Sha256(person.sha256), not_before=since, purpose=PinPurpose.PERSON),
            ),
        )


def sign_detached(content: bytes, issued: Issued, at: datetime) -> bytes:
    """Return a detached CMS signature (DER, CAdES B-B) by `issued` over `content`."""
    certificate = SealCertificate.read(issued.der)
    prepared = cades.prepare(hashlib.sha256(content).digest(), certificate, certificate.algorithm, at)
    return cades.finish(prepared, sign_digest(issued, prepared.digest))


def sign_digest(issued: Issued, digest: bytes) -> bytes:
    """Return the signature over a SHA-256 digest, as a token returns it: RSA octets (PKCS#1 v1.5) or r‖s."""
    algorithm = Prehashed(hashes.SHA256())
    if isinstance(issued.key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(issued.key.sign(digest, ec.ECDSA(algorithm)))
        size = (issued.key.curve.key_size + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    return issued.key.sign(digest, padding.PKCS1v15(), algorithm)
