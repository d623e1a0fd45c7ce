"""One table says which algorithms count, and our DER is the DER of everybody."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from asn1crypto import core
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from edoc.signatures import der
from edoc.signatures.algorithms import (
    DIGEST_URIS,
    WEAK_NAMES,
    XML_URIS,
    Algorithm,
    PublicKey,
    Scheme,
    ecdsa_der,
    refusal,
    verify_message,
)
from edoc.signatures.window import Window

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def rsa_key(bits: int) -> PublicKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()


@pytest.mark.parametrize("digest", ["sha1", "md5", "sha224"])
def test_weak_digests_never_count(digest: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert refusal(Algorithm(scheme=Scheme.ECDSA, digest=digest), key, NOW)
    assert not verify_message(key, Algorithm(scheme=Scheme.ECDSA, digest=digest), b"", b"")


def test_rsa_needs_2048_bits_and_2048_bits_end() -> None:
    algorithm = Algorithm(scheme=Scheme.RSA_PKCS1, digest="sha256")
    assert refusal(algorithm, rsa_key(1024), NOW)
    key = rsa_key(2048)
    assert not refusal(algorithm, key, NOW)
    assert refusal(algorithm, key, datetime(2031, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("curve", "allowed"),
    [(ec.SECP256R1(), True), (ec.SECP384R1(), True), (ec.SECP521R1(), True), (ec.SECP256K1(), False)],
)
def test_curves_are_those_of_nist(curve: ec.EllipticCurve, allowed: bool) -> None:
    key = ec.generate_private_key(curve).public_key()
    assert bool(refusal(Algorithm(scheme=Scheme.ECDSA, digest="sha256"), key, NOW)) is not allowed


def test_a_scheme_that_does_not_fit_the_key_does_not_verify() -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    signature = private.sign(b"m")
    assert verify_message(private.public_key(), Algorithm(scheme=Scheme.ED25519, digest="sha512"), b"m", signature)
    assert not verify_message(private.public_key(), Algorithm(scheme=Scheme.ECDSA, digest="sha256"), b"m", signature)


def test_no_weak_name_is_an_allowed_one() -> None:
    assert not set(WEAK_NAMES) & (set(XML_URIS) | set(DIGEST_URIS))


def test_an_ecdsa_value_of_another_length_is_not_guessed_at() -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert ecdsa_der(key, b"\x01" * 63) == b"\x01" * 63
    assert ecdsa_der(key, b"\x01" * 64)[:1] == b"\x30"


@given(st.integers(min_value=-(2**200), max_value=2**200))
def test_integers_are_written_as_asn1crypto_writes_them(value: int) -> None:
    assert der.integer(value) == core.Integer(value).dump()


@given(st.integers(0, 1), st.integers(0, 39), st.lists(st.integers(0, 2**40), max_size=6))
def test_object_identifiers_are_written_as_asn1crypto_writes_them(first: int, second: int, rest: list[int]) -> None:
    dotted = ".".join(map(str, (first, second, *rest)))
    assert der.oid(dotted) == core.ObjectIdentifier(dotted).dump()


@given(st.binary(max_size=70_000))
def test_lengths_are_minimal(content: bytes) -> None:
    assert der.tlv(der.OCTETS, content) == core.OctetString(content).dump()


def test_times_outside_two_digit_years_are_generalized() -> None:
    assert der.signing_time(datetime(2049, 12, 31, tzinfo=UTC)) == b"\x17\x0d491231000000Z"
    assert der.signing_time(datetime(2050, 1, 1, tzinfo=UTC)) == b"\x18\x0f20500101000000Z"


@given(st.binary(max_size=50), st.binary(max_size=50), st.binary(max_size=50), st.integers(0, 60), st.integers(0, 60))
def test_a_window_reads_like_a_file_of_its_own(before: bytes, inside: bytes, after: bytes, at: int, size: int) -> None:
    window = io.BufferedReader(Window(io.BytesIO(before + inside + after), len(before), len(inside)), 8)
    alone = io.BytesIO(inside)
    assert window.seek(0, io.SEEK_END) == len(inside)
    window.seek(at)
    alone.seek(at)
    assert window.read(size) == alone.read(size)
