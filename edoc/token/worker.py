"""The worker: the process that loads a PKCS#11 module.  ``python -m edoc.token.worker``.

PyKCS11 holds the interpreter's lock through every call, and vendors' libraries crash and hang.  So this process has
one thread, does one thing at a time, decides nothing, and may be killed at any instant.

Rules: orders come on standard input and replies go to standard output, but on copies of both: the originals point
elsewhere, so that what a vendor's library prints cannot corrupt a frame.  No core is dumped, for a PIN would be in
it.  End of input ends the process.

Does not restart, retry, count or log: the supervisor does.  Nothing else in the house imports PyKCS11.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import PyKCS11
from PyKCS11 import LowLevel

from edoc.envelopes.frames import Decoder
from edoc.errors import EdocError
from edoc.errors.token import KEY_AMBIGUOUS, KEY_NOT_FOUND, MODULE_NOT_ALLOWED, TOKEN_ABSENT, TOKEN_ALGORITHM
from edoc.model.trust import SignatureAlgorithm
from edoc.token import worker_frames as wire
from edoc.token.ckr import CKR_OK, CKR_USER_ALREADY_LOGGED_IN
from edoc.token.key_uri import KeyUri, parse_key_uri

_PR_SET_PDEATHSIG = 1
_EC_SIGNATURE_BYTES = 144  # r‖s of the largest curve in use, P-521, is 132
_SIGN_FLAG = 0x00000800  # CKF_SIGN
# RFC 8017, section 9.2, note 1: DigestInfo of SHA-256.
_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
_PROOF = hashlib.sha256(b"edoc: which certificate is this key's?").digest()
_MECHANISMS = {
    PyKCS11.CKK_RSA: {
        SignatureAlgorithm.RSA_PKCS1_SHA256: PyKCS11.CKM_RSA_PKCS,
        SignatureAlgorithm.RSA_PSS_SHA256: PyKCS11.CKM_RSA_PKCS_PSS,
    },
    PyKCS11.CKK_EC: {SignatureAlgorithm.ECDSA_SHA256: PyKCS11.CKM_ECDSA},
}


class CkrError(Exception):
    """A PKCS#11 function did not answer CKR_OK."""

    def __init__(self, code: int, function: str) -> None:
        super().__init__(code, function)
        self.code = code
        self.function = function


class Module:
    """One loaded module, at most one session, at most one key."""

    def __init__(self) -> None:
        self._lib: Any = None  # PyKCS11 is untyped
        self._low: Any = None
        self._slot = 0
        self._serial = ""
        self._uri = KeyUri()
        self._session: Any = None
        self._pin = ""
        self._key: Any = None
        self._mechanisms: dict[SignatureAlgorithm, Any] = {}
        self._signature_bytes = 0
        self._context_login = False

    def load(self, order: wire.Load) -> wire.Reply:
        """Load and initialise the module; EdocError MODULE_NOT_ALLOWED when it is not on the list."""
        module = Path(order.module).resolve()
        if module not in {Path(path).resolve() for path in order.allowed} or not module.is_file():
            raise EdocError(MODULE_NOT_ALLOWED, module=order.module)
        self._lib = PyKCS11.PyKCS11Lib()
        self._low = self._lib.lib
        try:
            self._lib.load(str(module))
        except PyKCS11.PyKCS11Error as error:
            raise CkrError(int(error.value), "C_Initialize") from error
        return wire.Done()

    def attach(self, order: wire.Attach) -> wire.Reply:
        """Open a session on the one token that the URI names, with no handle left from before."""
        self._drop()
        self._uri = parse_key_uri(order.key_uri)
        found = [(slot, token) for slot, token in self._tokens() if _is_named(token, self._uri)]
        if not found:
            raise EdocError(TOKEN_ABSENT)
        if len(found) > 1:
            raise EdocError(KEY_AMBIGUOUS, what="tokens", count=len(found), uri=str(self._uri))
        self._slot, token = found[0]
        self._serial = _padded(token.serialNumber)
        self._session = self._open(self._slot)
        return wire.Attached(label=_padded(token.label), serial=self._serial, flags=int(token.flags))

    def login(self, order: wire.Login) -> wire.Reply:
        """Log in with this PIN and no other."""
        pin = PyKCS11.ckbytelist(order.pin)
        code = self._low.C_Login(self._session, PyKCS11.CKU_USER, pin)
        if code == CKR_USER_ALREADY_LOGGED_IN:
            # Whoever logged in did it with another PIN, perhaps: this one has to prove itself.
            _check(self._low.C_Logout(self._session), "C_Logout")
            code = self._low.C_Login(self._session, PyKCS11.CKU_USER, pin)
        _check(code, "C_Login")
        self._pin = order.pin
        return wire.Done()

    def bind(self, order: wire.Bind) -> wire.Reply:
        """Find the key, its certificate and its mechanisms."""
        key, key_id = self._find_key()
        key_type = self._number(key, PyKCS11.CKA_KEY_TYPE)
        modulus = self._octets(key, PyKCS11.CKA_MODULUS) if key_type == PyKCS11.CKK_RSA else b""
        self._mechanisms = self._probe(key_type)
        self._signature_bytes = len(modulus) if key_type == PyKCS11.CKK_RSA else _EC_SIGNATURE_BYTES
        self._context_login = self._octets(key, PyKCS11.CKA_ALWAYS_AUTHENTICATE) == b"\x01"
        self._key = key
        chosen = self._certificate(key_id, modulus, order.certificate_sha256)
        return wire.Bound(certificate=chosen, algorithms=tuple(self._mechanisms))

    def make(self, order: wire.Make) -> wire.Reply:
        """Sign a digest."""
        return wire.Made(self._sign(order.algorithm, order.digest))

    def _sign(self, algorithm: SignatureAlgorithm, digest: bytes) -> bytes:
        """Return the signature of one C_SignInit and one C_Sign into a buffer of the right size."""
        mechanism = self._mechanisms.get(algorithm)
        if mechanism is None:
            raise EdocError(TOKEN_ALGORITHM, algorithm=algorithm, offered=", ".join(self._mechanisms))
        data = digest
        if algorithm is SignatureAlgorithm.RSA_PKCS1_SHA256:
            data = _DIGEST_INFO + data
        _check(self._low.C_SignInit(self._session, mechanism.to_native(), self._key), "C_SignInit")
        if self._context_login:
            # CKA_ALWAYS_AUTHENTICATE: the key asks again for every operation, between C_SignInit and C_Sign.
            pin = PyKCS11.ckbytelist(self._pin)
            _check(self._low.C_Login(self._session, PyKCS11.CKU_CONTEXT_SPECIFIC, pin), "C_Login")
        # Session.sign() of PyKCS11 would call C_Sign twice, once for the size: half a second more on a real token.
        signature = LowLevel.ckbytelist(self._signature_bytes)
        _check(self._low.C_Sign(self._session, LowLevel.ckbytelist(data), signature), "C_Sign")
        return bytes(signature)

    def look(self, _order: wire.Look) -> wire.Reply:
        """Say whether the token that a session is open on is still in its slot."""
        if self._slot not in self._slots():
            return wire.Present(present=False)
        return wire.Present(present=_padded(self._token_info(self._slot).serialNumber) == self._serial)

    def survey(self, _order: wire.Survey) -> wire.Reply:
        """List tokens and their public certificates."""
        self._drop()
        return wire.Seen(tokens=tuple(self._seen(slot, token) for slot, token in self._tokens()))

    def _seen(self, slot: int, token: Any) -> wire.SeenToken:
        self._session = self._open(slot)
        certificates = tuple(
            wire.SeenCertificate(
                id=self._octets(certificate, PyKCS11.CKA_ID),
                label=self._octets(certificate, PyKCS11.CKA_LABEL).decode("utf-8", "replace"),
                der=self._octets(certificate, PyKCS11.CKA_VALUE),
            )
            for certificate in self._objects(PyKCS11.CKO_CERTIFICATE)
        )
        _check(self._low.C_CloseSession(self._session), "C_CloseSession")
        self._session = None
        return wire.SeenToken(
            label=_padded(token.label),
            serial=_padded(token.serialNumber),
            manufacturer=_padded(token.manufacturerID),
            model=_padded(token.model),
            flags=int(token.flags),
            certificates=certificates,
        )

    def _drop(self) -> None:
        """Forget every handle; closing the sessions also logs out."""
        if self._session is not None:
            # Whatever it answers: the sessions may be gone already, and so may be the token.
            self._low.C_CloseAllSessions(self._slot)
        self._session = self._key = None
        self._mechanisms = {}
        self._pin = ""

    def _slots(self) -> list[int]:
        slots = LowLevel.ckulonglist()
        _check(self._low.C_GetSlotList(PyKCS11.CK_TRUE, slots), "C_GetSlotList")
        return [int(slot) for slot in slots]

    def _token_info(self, slot: int) -> Any:
        try:
            return self._lib.getTokenInfo(slot)
        except PyKCS11.PyKCS11Error as error:
            raise CkrError(int(error.value), "C_GetTokenInfo") from error

    def _tokens(self) -> list[tuple[int, Any]]:
        tokens = [(slot, self._token_info(slot)) for slot in self._slots()]
        return [(slot, token) for slot, token in tokens if token.flags & PyKCS11.CKF_TOKEN_INITIALIZED]

    def _open(self, slot: int) -> Any:
        session = LowLevel.CK_SESSION_HANDLE()
        _check(self._low.C_OpenSession(slot, PyKCS11.CKF_SERIAL_SESSION, session), "C_OpenSession")
        return session

    def _find_key(self) -> tuple[Any, bytes]:
        # All private keys are compared here: some modules do not match templates by label or id as they should.
        keys = [(key, self._octets(key, PyKCS11.CKA_ID)) for key in self._objects(PyKCS11.CKO_PRIVATE_KEY)]
        uri = self._uri
        if uri.id is not None:
            keys = [(key, key_id) for key, key_id in keys if key_id == uri.id]
        if uri.object is not None:
            label = uri.object.encode()
            keys = [(key, key_id) for key, key_id in keys if self._octets(key, PyKCS11.CKA_LABEL) == label]
        if not keys:
            raise EdocError(KEY_NOT_FOUND, what="private key", uri=str(uri))
        if len(keys) > 1:
            raise EdocError(KEY_AMBIGUOUS, what="private keys", count=len(keys), uri=str(uri))
        return keys[0]

    def _certificate(self, key_id: bytes, modulus: bytes, pinned: str | None) -> bytes:
        # Here, not above: a worker that waits for its token or PIN should be small and quick to start.
        from edoc.token.matching import PublicHalf, belongs, choose_certificate, verifies  # noqa: PLC0415 -- 0.1 s

        candidates = [
            self._octets(certificate, PyKCS11.CKA_VALUE)
            for certificate in self._objects(PyKCS11.CKO_CERTIFICATE)
            if self._octets(certificate, PyKCS11.CKA_ID) == key_id
        ]
        half = PublicHalf(modulus=modulus, ec_point=b"" if modulus else self._ec_point(key_id))
        if half.modulus or half.ec_point:
            owned = [der for der in candidates if belongs(der, half)]
        else:
            # An EC key whose public half was deleted from the token: it has to show whose it is.
            signature = self._sign(SignatureAlgorithm.ECDSA_SHA256, _PROOF)
            owned = [der for der in candidates if verifies(der, _PROOF, signature)]
        return choose_certificate(candidates, owned, pinned, str(self._uri))

    def _ec_point(self, key_id: bytes) -> bytes:
        """Return CKA_EC_POINT of the public key beside the private one: private EC keys do not carry it."""
        for key in self._objects(PyKCS11.CKO_PUBLIC_KEY):
            if self._octets(key, PyKCS11.CKA_ID) == key_id:
                return self._octets(key, PyKCS11.CKA_EC_POINT)
        return b""

    def _probe(self, key_type: int) -> dict[SignatureAlgorithm, Any]:
        offered = LowLevel.ckulonglist()
        _check(self._low.C_GetMechanismList(self._slot, offered), "C_GetMechanismList")
        numbers = {int(number) for number in offered}
        usable = {
            algorithm: _mechanism(number)
            for algorithm, number in _MECHANISMS.get(key_type, {}).items()
            if number in numbers and self._can_sign(number)
        }
        if not usable:
            # A token with combined mechanisms only (CKM_SHA256_RSA_PKCS) hashes itself: it would need the document.
            names = ", ".join(sorted(str(PyKCS11.CKM.get(number, hex(number))) for number in numbers))
            raise EdocError(TOKEN_ALGORITHM, algorithm="over a SHA-256 digest", offered=names)
        return usable

    def _can_sign(self, mechanism: int) -> bool:
        info = LowLevel.CK_MECHANISM_INFO()
        _check(self._low.C_GetMechanismInfo(self._slot, mechanism, info), "C_GetMechanismInfo")
        return bool(info.flags & _SIGN_FLAG)

    def _objects(self, kind: int) -> list[Any]:
        template = LowLevel.ckattrlist(1)
        template[0].SetNum(PyKCS11.CKA_CLASS, kind)
        _check(self._low.C_FindObjectsInit(self._session, template), "C_FindObjectsInit")
        handles: list[int] = []
        while True:
            found = LowLevel.ckulonglist(16)
            _check(self._low.C_FindObjects(self._session, found), "C_FindObjects")
            if not len(found):
                break
            handles.extend(int(handle) for handle in found)
        _check(self._low.C_FindObjectsFinal(self._session), "C_FindObjectsFinal")
        return [_handle(number) for number in handles]

    def _attribute(self, handle: Any, attribute: int) -> Any:
        """Return the attribute, None when the object does not have it or does not show it."""
        template = LowLevel.ckattrlist(1)
        template[0].SetType(attribute)
        for _ in ("size", "value"):
            code = self._low.C_GetAttributeValue(self._session, handle, template)
            if code in {PyKCS11.CKR_ATTRIBUTE_TYPE_INVALID, PyKCS11.CKR_ATTRIBUTE_SENSITIVE}:
                return None
            _check(code, "C_GetAttributeValue")
        return template[0]

    def _octets(self, handle: Any, attribute: int) -> bytes:
        value = self._attribute(handle, attribute)
        return b"" if value is None else bytes(value.GetBin())

    def _number(self, handle: Any, attribute: int) -> int:
        value = self._attribute(handle, attribute)
        return -1 if value is None else int(value.GetNum())


def _check(code: int, function: str) -> None:
    if code != CKR_OK:
        raise CkrError(code, function)


def _handle(number: int) -> Any:
    handle = LowLevel.CK_OBJECT_HANDLE()
    handle.assign(number)
    return handle


def _mechanism(number: int) -> Any:
    if number == PyKCS11.CKM_RSA_PKCS_PSS:
        # Salt as long as the digest (RFC 8017, section 9.1; the profile verifiers expect).
        return PyKCS11.RSA_PSS_Mechanism(number, PyKCS11.CKM_SHA256, PyKCS11.CKG_MGF1_SHA256, 32)
    return PyKCS11.Mechanism(number, None)


def _padded(text: str) -> str:
    """Return a fixed-length text without its padding: blanks by the standard, NULs from some vendors."""
    return text.rstrip(" \0")


def _is_named(token: Any, uri: KeyUri) -> bool:
    pairs = (
        (uri.token, token.label),
        (uri.serial, token.serialNumber),
        (uri.manufacturer, token.manufacturerID),
        (uri.model, token.model),
    )
    return all(wanted is None or wanted == _padded(value) for wanted, value in pairs)


def _answer(module: Module, order: wire.Order) -> wire.Reply:
    handlers: dict[type[Any], Callable[[Any], wire.Reply]] = {
        wire.Load: module.load,
        wire.Attach: module.attach,
        wire.Login: module.login,
        wire.Bind: module.bind,
        wire.Make: module.make,
        wire.Look: module.look,
        wire.Survey: module.survey,
    }
    try:
        return handlers[type(order)](order)
    except CkrError as error:
        return wire.Refused(code=error.code, function=error.function)
    except EdocError as error:
        return wire.Fault(code=error.code, facts=dict(error.facts), cause=error.cause)


def main() -> NoReturn:
    """Answer orders until the input ends."""
    orders, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A worker that hangs in a driver does not see the end of its input; it must not outlive its supervisor.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    module, decoder = Module(), Decoder()
    while data := os.read(orders, 65536):
        for payload in decoder.feed(data):
            rest = memoryview(wire.frame(_answer(module, wire.order_of(payload))))
            while rest:
                rest = rest[os.write(replies, rest) :]
    # C_Finalize of a driver may hang or crash: the process ends without it.
    os._exit(0)


if __name__ == "__main__":
    main()
