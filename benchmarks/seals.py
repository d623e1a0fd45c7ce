"""Seals a second, against what the token gives raw: C_Sign in a loop, then XAdES and PAdES through the token process.

Everything is measured in one run, on SoftHSM with an RSA-2048 and with a P-256 key; the ratios are what counts.
Prints one JSON object per key.  Usage: ``.venv/bin/python benchmarks/seals.py``.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from lab.documents import Letter
from lab.measure import pdf_of
from lab.offices import write_private
from lab.pki import KeyKind, Pki
from lab.seal_image import make_seal_image
from lab.softhsm import SoftHsm

from edoc.adapters.sandbox_calls import SandboxLimits
from edoc.adapters.sandbox_fork import ForkSandbox
from edoc.adapters.store_fs import FsStore
from edoc.adapters.token_client import TokenClient
from edoc.envelopes import asic, pdf
from edoc.model.appearance import NOTHING, Appearance, Place
from edoc.model.identifiers import DocumentId, OrganId, sha256_of
from edoc.model.signing import Purpose, SigningPriority, SignRequest
from edoc.signatures import cades, pades, xades
from edoc.signatures.creation import SealCertificate, verify_own

OFFICE = OrganId("H53.31.20")
SECONDS = 3.0
AT_ONCE = 16
VISIBLE = Appearance(image=make_seal_image(), place=Place(x_mm=90, y_mm=210))
TEXT = Appearance(text="123/UBND-VP; 2026-11-22T09:00:00+07:00")

# The raw rate is taken in a process of its own: the vendor's module is never loaded beside the product.
RAW = """
import sys, time
import PyKCS11
from PyKCS11 import LowLevel
lib = PyKCS11.PyKCS11Lib(); lib.load(sys.argv[1])
session = lib.openSession(lib.getSlotList(tokenPresent=True)[0])
session.login(sys.stdin.readline().strip())
key = session.findObjects([(PyKCS11.CKA_CLASS, PyKCS11.CKO_PRIVATE_KEY)])[0]
ec = session.getAttributeValue(key, [PyKCS11.CKA_KEY_TYPE])[0] == PyKCS11.CKK_EC
mechanism = PyKCS11.Mechanism(PyKCS11.CKM_ECDSA if ec else PyKCS11.CKM_RSA_PKCS, None)
data = LowLevel.ckbytelist(bytes(32) if ec else bytes(51))
count, started = 0, time.monotonic()
while time.monotonic() < started + float(sys.argv[2]):
    assert lib.lib.C_SignInit(session.session, mechanism.to_native(), key) == 0
    assert lib.lib.C_Sign(session.session, data, LowLevel.ckbytelist(64 if ec else 256)) == 0
    count += 1
print(count / (time.monotonic() - started))
"""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What the measurements share."""

    client: TokenClient
    certificate: SealCertificate
    sandbox: ForkSandbox
    store: FsStore
    content: bytes


def main() -> None:
    """Measure both kinds of key."""
    for kind in ("rsa", "ec"):
        with tempfile.TemporaryDirectory() as folder:
            _measure(kind, Path(folder))


def _measure(kind: KeyKind, folder: Path) -> None:
    pki = Pki.create(datetime.now(UTC))
    seal = pki.seal(OFFICE, "Ủy ban nhân dân xã Tân Lập", kind=kind)
    hsm = SoftHsm(folder / "token")
    token = hsm.create_token("seal")
    hsm.import_seal("seal", seal)
    write_private(folder / "pin", token.pin.encode())
    raw = _raw(hsm, token.pin)
    config = folder / "signer.json"
    config.write_text(
        json.dumps(
            {
                "socket": str(folder / "s"),
                "module": str(hsm.module),
                "uri": hsm.key_uri("seal"),
                "pin": str(folder / "pin"),
                "state": str(folder / "state"),
                "environment": hsm.environment,
            }
        )
    )
    signer = subprocess.Popen(
        [sys.executable, "-c", _SIGNER, str(config)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        if signer.stdout is None or not signer.stdout.readline():
            raise RuntimeError("the token process did not start")
        rates = asyncio.run(_rates(folder, seal.der))
    finally:
        signer.terminate()
        signer.wait()
    figures = {name: {"per_second": round(rate), "of_raw": round(rate / raw, 2)} for name, rate in rates.items()}
    print(json.dumps({"what": f"seals, {kind}", "raw_c_sign_per_second": round(raw), **figures}), flush=True)


_SIGNER = """
import asyncio, json, os, sys
from datetime import timedelta
from pathlib import Path
from edoc.model.identifiers import OrganId
from edoc.token.server import SignerSettings, serve
facts = json.load(open(sys.argv[1]))
settings = SignerSettings(office=OrganId("H53.31.20"), socket=Path(facts["socket"]), module=Path(facts["module"]),
    allowed_modules=(Path(facts["module"]),), key_uri=facts["uri"], state=Path(facts["state"]),
    allowed_uids=frozenset({os.getuid()}), pin_file=Path(facts["pin"]), environment=facts["environment"],
    request_timeout=timedelta(seconds=20))
asyncio.run(serve(settings, lambda line: print(line, flush=True)))
"""


def _raw(hsm: SoftHsm, pin: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", RAW, str(hsm.module), str(SECONDS)],
        input=pin,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=dict(hsm.environment),
    )
    return float(done.stdout)


async def _rates(folder: Path, certificate: bytes) -> dict[str, float]:
    letter = Letter(
        agency="UBND xã",
        number="1",
        notation="BC-UBND",
        place="Tân Lập",
        day=datetime.now(UTC).date(),
        subject="Báo cáo",
        to=("UBND huyện",),
        signer="Nguyễn Văn Bình",
        position="Chủ tịch",
    )
    client = TokenClient(str(folder / "s"), OFFICE, timedelta(seconds=20))
    sandbox = ForkSandbox(SandboxLimits(children=2))
    store = FsStore(folder / "files")
    (folder / "files").mkdir()
    store.prepare()
    bench = Bench(
        client=client,
        certificate=SealCertificate.read(certificate),
        sandbox=sandbox,
        store=store,
        content=pdf_of(letter, 100 * 1024),
    )
    await sandbox.start()
    try:
        return {
            "signature_through_the_token_process": await _rate(bench, _signature),
            "xades": await _rate(bench, _xades),
            "pades_prepared_in_this_process": await _rate(bench, _pades_here),
            "pades_with_a_visible_seal_in_this_process": await _rate(bench, partial(_pades_here, appearance=VISIBLE)),
            "pades_prepared_in_a_bounded_child": await _rate(bench, _pades),
            "pades_with_a_visible_seal": await _rate(bench, partial(_pades, appearance=VISIBLE)),
            "pades_with_a_text_block": await _rate(bench, partial(_pades, appearance=TEXT)),
        }
    finally:
        await sandbox.close()
        await client.close()


async def _rate(bench: Bench, work: Callable[[Bench], Awaitable[None]]) -> float:
    await work(bench)
    done = 0
    started = time.monotonic()

    async def worker() -> None:
        nonlocal done
        while time.monotonic() - started < SECONDS:
            await work(bench)
            done += 1

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return done / (time.monotonic() - started)


async def _sign(bench: Bench, purpose: Purpose, digest: bytes) -> bytes:
    algorithm = bench.certificate.algorithm
    signature = await bench.client.sign(
        SignRequest(
            office=OFFICE,
            purpose=purpose,
            document_id=DocumentId(str(uuid4())),
            priority=SigningPriority.NORMAL,
            algorithm=algorithm,
            digest=digest,
        )
    )
    verify_own(bench.certificate, algorithm, digest, signature)
    return signature


async def _signature(bench: Bench) -> None:
    await _sign(bench, Purpose.CHECK, hashlib.sha256(b"edoc").digest())


async def _xades(bench: Bench) -> None:
    entries = [
        xades.SignedEntry(name=asic.ENVELOPE, media_type="application/xml", sha256=sha256_of(b"1")),
        xades.SignedEntry(name="attachments/1.pdf", media_type="application/pdf", sha256=sha256_of(b"2")),
    ]
    certificate = bench.certificate
    to_sign = xades.prepare_detached(entries, certificate, certificate.algorithm, datetime.now(UTC))
    xades.finish_detached(to_sign, await _sign(bench, Purpose.DOCUMENT, to_sign.digest))


async def _pades_here(bench: Bench, appearance: Appearance = NOTHING) -> None:
    target = io.BytesIO()
    revision = pdf.prepare_revision(
        io.BytesIO(bench.content),
        target,
        certificates=(bench.certificate.der,),
        name="UBND xã",
        reason="",
        at=datetime.now(UTC),
        appearance=appearance,
    )
    to_sign = pades.prepare(revision.digest, bench.certificate, bench.certificate.algorithm)
    signature = await _sign(bench, Purpose.ATTACHMENT, to_sign.digest)
    target.seek(revision.contents_offset)
    target.write(pades.contents(cades.finish(to_sign, signature), revision.contents_digits))


async def _pades(bench: Bench, appearance: Appearance = NOTHING) -> None:
    document_id = DocumentId(str(uuid4()))
    source = await bench.store.put(document_id, "source.pdf", bench.content)
    target = bench.store.scratch(document_id, "sealed.pdf")
    certificates = (bench.certificate.der,)
    prepared = await bench.sandbox.prepare_pdf(source.ref, target, certificates, "", datetime.now(UTC), appearance)
    to_sign = pades.prepare(prepared.digest, bench.certificate, bench.certificate.algorithm)
    signature = await _sign(bench, Purpose.ATTACHMENT, to_sign.digest)
    contents = pades.contents(cades.finish(to_sign, signature), prepared.contents_digits)
    await bench.store.patch(target, prepared.contents_offset, contents)
    await bench.store.keep(target)


if __name__ == "__main__":
    main()
