"""Which certificate belongs to a key."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lab.pki import Issued, Pki

from edoc.errors import EdocError
from edoc.token.matching import PublicHalf, belongs, choose_certificate

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki.create(NOW)


def _half(issued: Issued) -> PublicHalf:
    key = issued.key.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return PublicHalf(modulus=key.public_numbers().n.to_bytes(256, "big"))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return PublicHalf(ec_point=key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def test_a_certificate_belongs_to_the_key_whose_public_half_it_carries(pki: Pki) -> None:
    one, other, curve = (pki.seal("H53", "A"), pki.seal("H53", "A"), pki.seal("H53", "A", kind="ec"))
    assert belongs(one.der, _half(one))
    assert belongs(curve.der, _half(curve))
    assert not belongs(other.der, _half(one))
    assert not belongs(curve.der, _half(one))
    assert not belongs(one.der, PublicHalf())
    assert not belongs(b"\x30\x03\x02\x01\x01", _half(one))


def test_an_ec_point_is_known_bare_and_wrapped(pki: Pki) -> None:
    curve = pki.seal("H53", "A", kind="ec")
    point = _half(curve).ec_point
    assert belongs(curve.der, PublicHalf(ec_point=b"\x04" + bytes([len(point)]) + point))


def test_the_one_certificate_is_chosen_and_the_pinned_one_among_several() -> None:
    assert choose_certificate([b"a", b"b"], [b"a"], None, "uri") == b"a"
    pinned = "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"  # SHA-256 of "b"
    assert choose_certificate([b"a", b"b"], [b"a", b"b"], pinned, "uri") == b"b"


@pytest.mark.parametrize(
    ("owned", "pinned", "code"),
    [([], None, "KEY_NOT_FOUND"), ([b"a"], "0" * 64, "KEY_NOT_FOUND"), ([b"a", b"b"], None, "KEY_AMBIGUOUS")],
)
def test_none_is_chosen_by_chance(owned: list[bytes], pinned: str | None, code: str) -> None:
    with pytest.raises(EdocError) as caught:
        choose_certificate([b"a", b"b"], owned, pinned, "uri")
    assert caught.value.code == code
