"""Put one key and its certificate on a token.  A program of its own: its order comes as JSON on standard input.

Rules: the order is what :meth:`lab.softhsm.SoftHsm.import_seal` writes, octets as hexadecimal.

Does not make tokens or keys.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import PyKCS11 as P

_RSA = {
    P.CKA_MODULUS: "modulus",
    P.CKA_PUBLIC_EXPONENT: "public_exponent",
}
_RSA_PRIVATE = {
    P.CKA_PRIVATE_EXPONENT: "private_exponent",
    P.CKA_PRIME_1: "prime_1",
    P.CKA_PRIME_2: "prime_2",
    P.CKA_EXPONENT_1: "exponent_1",
    P.CKA_EXPONENT_2: "exponent_2",
    P.CKA_COEFFICIENT: "coefficient",
}


def main() -> None:
    """Log in to the token and create the objects."""
    order: dict[str, Any] = json.load(sys.stdin)
    module = P.PyKCS11Lib()
    module.load(order["module"])
    slots = module.getSlotList(tokenPresent=True)
    slot = next(slot for slot in slots if module.getTokenInfo(slot).serialNumber.strip() == order["serial"])
    session = module.openSession(slot, P.CKF_SERIAL_SESSION | P.CKF_RW_SESSION)
    session.login(order["pin"])
    common = [(P.CKA_TOKEN, True), (P.CKA_ID, bytes.fromhex(order["id"]))]
    label = (P.CKA_LABEL, order["name"])
    key = order["key"]
    if order["private_key"]:
        session.createObject([*common, label, *_private(key, order["always_authenticate"])])
    if order["public_key"]:
        session.createObject([*common, label, *_public(key)])
    session.createObject(
        [
            *common,
            # A label of its own: on real tokens the certificate's label differs from the key's.
            (P.CKA_LABEL, order["name"] + " certificate"),
            (P.CKA_CLASS, P.CKO_CERTIFICATE),
            (P.CKA_CERTIFICATE_TYPE, P.CKC_X_509),
            (P.CKA_PRIVATE, False),
            (P.CKA_SUBJECT, bytes.fromhex(order["subject"])),
            (P.CKA_VALUE, bytes.fromhex(order["certificate"])),
        ]
    )
    session.logout()


def _private(key: dict[str, str], always_authenticate: bool) -> list[tuple[int, Any]]:
    attributes = [
        (P.CKA_CLASS, P.CKO_PRIVATE_KEY),
        (P.CKA_PRIVATE, True),
        (P.CKA_SENSITIVE, True),
        (P.CKA_EXTRACTABLE, False),
        (P.CKA_SIGN, True),
        (P.CKA_ALWAYS_AUTHENTICATE, always_authenticate),
    ]
    if key["kind"] == "rsa":
        named = {**_RSA, **_RSA_PRIVATE}
        return [*attributes, (P.CKA_KEY_TYPE, P.CKK_RSA), *[(a, bytes.fromhex(key[n])) for a, n in named.items()]]
    return [
        *attributes,
        (P.CKA_KEY_TYPE, P.CKK_EC),
        (P.CKA_EC_PARAMS, bytes.fromhex(key["parameters"])),
        (P.CKA_VALUE, bytes.fromhex(key["private_value"])),
    ]


def _public(key: dict[str, str]) -> list[tuple[int, Any]]:
    attributes = [(P.CKA_CLASS, P.CKO_PUBLIC_KEY), (P.CKA_PRIVATE, False), (P.CKA_VERIFY, True)]
    if key["kind"] == "rsa":
        return [*attributes, (P.CKA_KEY_TYPE, P.CKK_RSA), *[(a, bytes.fromhex(key[n])) for a, n in _RSA.items()]]
    return [
        *attributes,
        (P.CKA_KEY_TYPE, P.CKK_EC),
        (P.CKA_EC_PARAMS, bytes.fromhex(key["parameters"])),
        (P.CKA_EC_POINT, bytes.fromhex(key["point"])),
    ]


if __name__ == "__main__":
    main()
