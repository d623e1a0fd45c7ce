"""Tokens for the lab: SoftHSM in a folder of its own, and a shim in front of it that misbehaves on command.

Rules: nothing of the host's SoftHSM is touched; the folder holds the configuration and the tokens.  PKCS#11 is never
loaded into this process: a child of its own puts keys and certificates on a token.  Keys of the lab are made on the
host, which no real seal should be.

Does not start a token process.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lab.pki import Issued, PrivateKey

_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
_SHIM_SOURCE = Path(__file__).parent / "shim" / "shim.c"
_PUT = Path(__file__).parent / "put_on_token.py"


def find_module() -> Path | None:
    """Return SoftHSM's PKCS#11 module, None when it is not installed."""
    return next((Path(path) for path in _MODULES if Path(path).is_file()), None)


@dataclass(frozen=True)
class Token:
    """A token: label, serial as it says itself, PIN."""

    label: str
    serial: str
    pin: str


class SoftHsm:
    """SoftHSM with its tokens in `folder`."""

    def __init__(self, folder: Path) -> None:
        module = find_module()
        if module is None:
            raise FileNotFoundError("SoftHSM is not installed (Debian: apt install softhsm2)")
        self.module = module
        self.folder = folder
        self.tokens: dict[str, Token] = {}
        store = folder / "tokens"
        store.mkdir(parents=True, exist_ok=True)
        self._configuration = folder / "softhsm2.conf"
        self._configuration.write_text(
            f"directories.tokendir = {store}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n"
        )

    @property
    def environment(self) -> dict[str, str]:
        """Return what the module needs in its environment."""
        return {"SOFTHSM2_CONF": str(self._configuration)}

    def create_token(self, label: str, pin: str = "12345678", so_pin: str = "87654321") -> Token:
        """Make a token and return it."""
        self._util("--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", so_pin)
        known = {token.serial for token in self.tokens.values()}
        serials = [
            line.partition(":")[2].strip()
            for line in self._util("--show-slots").splitlines()
            if line.strip().startswith("Serial number:")
        ]
        serial = next(serial for serial in serials if serial and serial not in known)
        # By serial, not by label: two tokens may carry one label.
        self.tokens[serial] = token = Token(label, serial, pin)
        return token

    def import_seal(
        self,
        label: str,
        issued: Issued,
        key_id: bytes = b"\x01",
        *,
        name: str = "seal",
        always_authenticate: bool = False,
        public_key: bool = True,
        private_key: bool = True,
    ) -> None:
        """Put a key and its certificate on the token with `label` (or serial), named `name`, CKA_ID `key_id`.

        `always_authenticate` makes the key ask for the PIN at every signature.  `public_key` and `private_key` say
        whether those objects go on the token; the certificate always does.
        """
        token = self.token(label)
        order = {
            "module": str(self.module),
            "serial": token.serial,
            "pin": token.pin,
            "name": name,
            "id": key_id.hex(),
            "certificate": issued.der.hex(),
            "subject": issued.certificate.subject.public_bytes().hex(),
            "always_authenticate": always_authenticate,
            "public_key": public_key,
            "private_key": private_key,
            "key": _key_numbers(issued.key),
        }
        subprocess.run(
            [sys.executable, str(_PUT)],
            input=json.dumps(order).encode(),
            env={**os.environ, **self.environment},
            check=True,
            capture_output=True,
        )

    def token(self, label: str) -> Token:
        """Return the token with this label or serial."""
        return next(token for token in self.tokens.values() if label in {token.label, token.serial})

    def key_uri(self, label: str, key_id: bytes = b"\x01") -> str:
        """Return the URI of a key on the token with this label or serial."""
        token = self.token(label)
        octets = "".join(f"%{octet:02X}" for octet in key_id)
        return f"pkcs11:token={quote(token.label, safe='')};serial={token.serial};id={octets};type=private"

    def _util(self, *arguments: str) -> str:
        environment = {**os.environ, **self.environment}
        done = subprocess.run(
            ["softhsm2-util", *arguments], env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout


def _key_numbers(key: PrivateKey) -> dict[str, str]:
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        public = numbers.public_numbers
        values = {
            "modulus": public.n,
            "public_exponent": public.e,
            "private_exponent": numbers.d,
            "prime_1": numbers.p,
            "prime_2": numbers.q,
            "exponent_1": numbers.dmp1,
            "exponent_2": numbers.dmq1,
            "coefficient": numbers.iqmp,
        }
        return {"kind": "rsa", **{name: _hex(value) for name, value in values.items()}}
    curves = {"secp256r1": "06082a8648ce3d030107", "secp384r1": "06052b81040022", "secp521r1": "06052b81040023"}
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    length = bytes([len(point)]) if len(point) < 0x80 else b"\x81" + bytes([len(point)])
    return {
        "kind": "ec",
        "parameters": curves[key.curve.name],
        "point": (b"\x04" + length + point).hex(),
        "private_value": _hex(_scalar(key)),
    }


def _scalar(key: ec.EllipticCurvePrivateKey) -> int:
    return key.private_numbers().private_value


def _hex(number: int) -> str:
    return number.to_bytes((number.bit_length() + 7) // 8, "big").hex()


# --- the shim --------------------------------------------------------------------------------------------------------


def build_shim(folder: Path) -> Path:
    """Compile the shim into `folder` and return the module; FileNotFoundError when there is no gcc."""
    compiler = shutil.which("gcc")
    if compiler is None:
        raise FileNotFoundError("gcc is not installed")
    module = folder / "libshim.so"
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *flags, "-o", str(module), str(_SHIM_SOURCE), "-ldl"], check=True)
    return module


class Shim:
    """A module in front of SoftHSM's, and the control file that makes it misbehave.

    Every method takes effect at the module's next call, in whatever process that is.
    """

    def __init__(self, module: Path, hsm: SoftHsm, folder: Path) -> None:
        self.module = module
        self._hsm = hsm
        self._control = folder / "shim.control"
        self._log = folder / "shim.control.log"
        self._epoch = 0
        self._absent = False
        self._flags = 0
        self._mechanisms: tuple[int, ...] = ()
        self._rules: list[str] = []
        self._last_rule = 0
        self._write()

    @property
    def environment(self) -> dict[str, str]:
        """Return what the module needs in its environment."""
        shim = {"LAB_SHIM_MODULE": str(self._hsm.module), "LAB_SHIM_CONTROL": str(self._control)}
        return {**self._hsm.environment, **shim}

    def pull(self) -> None:
        """Pull the token out."""
        self._absent = True
        self._epoch += 1
        self._write()

    def insert(self) -> None:
        """Put the token back in."""
        self._absent = False
        self._write()

    def flags(self, bits: int) -> None:
        """Add bits to the flags that every token shows (0 for none)."""
        self._flags = bits
        self._write()

    def offer(self, *mechanisms: int) -> None:
        """Offer these mechanisms only (none: what the module offers)."""
        self._mechanisms = mechanisms
        self._write()

    def fail(self, function: str, code: int, times: int = 1) -> None:
        """Let `function` (C_Sign, …) return `code`, `times` times (0: always)."""
        self._rule("fail", function, f"{code:x}", times)

    def slow(self, function: str, milliseconds: int, times: int = 0) -> None:
        """Let `function` take longer."""
        self._rule("slow", function, str(milliseconds), times)

    def hang(self, function: str, times: int = 1) -> None:
        """Let `function` never return."""
        self._rule("hang", function, "-", times)

    def crash(self, function: str, times: int = 1) -> None:
        """Let `function` abort its process."""
        self._rule("crash", function, "-", times)

    def print(self, function: str, times: int = 0) -> None:
        """Let `function` print to standard output."""
        self._rule("print", function, "-", times)

    def calm(self) -> None:
        """Forget every rule (not the pulling, flags and mechanisms)."""
        self._rules.clear()
        self._write()

    def calls(self, function: str) -> int:
        """Return how often `function` was called, in all processes."""
        if not self._log.exists():
            return 0
        return self._log.read_text().splitlines().count(f"call {function}")

    def _rule(self, action: str, function: str, value: str, times: int) -> None:
        self._last_rule += 1
        self._rules.append(f"{self._last_rule} {action} {function} {value} {times}")
        self._write()

    def _write(self) -> None:
        lines = [f"epoch {self._epoch}", f"flags {self._flags:x}"]
        lines += [f"mechanism {number:x}" for number in self._mechanisms]
        lines += ["absent"] if self._absent else []
        temporary = self._control.with_suffix(".new")
        temporary.write_text("\n".join([*lines, *self._rules]) + "\n")
        temporary.rename(self._control)  # the shim sees the old file or the new one, never half
