"""Key URIs, RFC 7512."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edoc.errors import EdocError
from edoc.token.key_uri import KeyUri, parse_key_uri

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
OPTIONAL = st.none() | TEXTS


@given(
    token=TEXTS, manufacturer=OPTIONAL, serial=OPTIONAL, model=OPTIONAL, label=OPTIONAL, key_id=st.binary(min_size=1)
)
def test_what_is_written_reads_back_the_same(
    token: str, manufacturer: str | None, serial: str | None, model: str | None, label: str | None, key_id: bytes
) -> None:
    uri = KeyUri(token=token, manufacturer=manufacturer, serial=serial, model=model, object=label, id=key_id)
    assert parse_key_uri(str(uri)) == uri
    assert str(uri).isascii()


@given(st.text() | st.text(alphabet="pkcs11:token=;id%0123456789abcdef&?type").map("pkcs11:".__add__))
def test_any_text_is_a_uri_or_a_named_error(text: str) -> None:
    try:
        parse_key_uri(text)
    except EdocError as error:
        assert error.code == "KEY_URI_INVALID"  # noqa: PT017 -- both outcomes are right, other exceptions are not


def test_the_attributes_come_in_any_order_and_percent_encoded() -> None:
    uri = parse_key_uri(
        "pkcs11:type=private;id=%01%AB;serial=00%3b1;object=con%20d%E1%BA%A5u;token=UBND%20ph%C6%B0%E1%BB%9Dng"
    )
    assert uri == KeyUri(token="UBND phường", serial="00;1", object="con dấu", id=b"\x01\xab")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pkcs11:",
        "PKCS11:token=a;id=%01",
        "file:/token",
        "pkcs11:token=a",  # no key
        "pkcs11:id=%01",  # no token
        "pkcs11:token=;id=%01",
        "pkcs11:token=a;id=",
        "pkcs11:token=a;token=b;id=%01",
        "pkcs11:token=a;id=%1",
        "pkcs11:token=a;id=%zz",
        "pkcs11:token=a b;id=%01",
        "pkcs11:token=%ff;id=%01",
        "pkcs11:token=a;id=%01;type=public",
        "pkcs11:token=a;id=%01;",
        "pkcs11:slot-id=3;id=%01",
        "pkcs11:token=a;slot-id=3;id=%01",
        "pkcs11:token=a;id=%01;x-vendor=1",
        "pkcs11:token=a;id=%01?pin-value=1234",
        "pkcs11:token=a;id=%01?pin-source=file:/etc/pin",
        "pkcs11:token=a;id=%01?module-path=/tmp/evil.so",
    ],
)
def test_what_is_malformed_or_leaves_the_key_open_or_holds_a_pin_is_refused(text: str) -> None:
    with pytest.raises(EdocError) as caught:
        parse_key_uri(text)
    assert caught.value.code == "KEY_URI_INVALID"
    assert "1234" not in str(caught.value)
