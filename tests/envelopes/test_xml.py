from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edoc.envelopes import xml
from edoc.errors import EdocError


def refused(data: bytes, limit: int = xml.MAX_BYTES) -> EdocError:
    with pytest.raises(EdocError) as caught:
        xml.parse(data, limit=limit)
    return caught.value


LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>
<lolz>&lol2;</lolz>"""


@pytest.mark.parametrize(
    "data",
    [
        LAUGHS,
        b"<!DOCTYPE a SYSTEM 'http://attacker.example/x.dtd'><a/>",
        b"\xef\xbb\xbf <!DOCTYPE a><a/>",
        b"<?xml version='1.0'?><?p ?><!-- <a> --><!DOCTYPE a><a/>",
        b"<!-- x -->\n<!ENTITY x 'y'><a/>",
    ],
)
def test_a_doctype_is_refused_before_any_entity_is_read(data: bytes) -> None:
    error = refused(data)
    assert error.code == "XML_FORBIDDEN"
    assert "DOCTYPE" in error.text("vi")


def test_the_line_of_a_doctype_is_told() -> None:
    assert refused(LAUGHS).facts["line"] == "2"


def test_the_word_doctype_inside_text_or_a_comment_is_no_doctype() -> None:
    root = xml.parse(b"<!-- <!DOCTYPE a> --><a><![CDATA[<!DOCTYPE a>]]></a>")
    assert root.text == "<!DOCTYPE a>"


@pytest.mark.parametrize(
    "data",
    [
        b"<?xml version='1.0' encoding='UTF-16'?><a/>",
        b"<?xml version='1.0' encoding=\"utf-7\"?><a/>",
        b"\xef\xbb\xbf<?xml version='1.0' encoding='windows-1258'?><a/>",
    ],
)
def test_another_encoding_than_utf8_is_refused(data: bytes) -> None:
    assert refused(data).code == "XML_FORBIDDEN"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_undeclared_utf16_is_not_guessed(encoding: str) -> None:
    assert refused("<a>b</a>".encode(encoding)).code == "MALFORMED_XML"


@pytest.mark.parametrize(
    "data",
    [b"", b" ", b"<a>", b"<a></b>", b"<a/><a/>", b"<a>&x;</a>", b"<a>\xff</a>", b"<x:a/>", b"<a>&#1;</a>", b"\0<a/>"],
)
def test_what_is_not_well_formed_is_refused(data: bytes) -> None:
    assert refused(data).code == "MALFORMED_XML"


def test_the_line_of_a_syntax_error_is_told() -> None:
    assert refused(b"<a>\n\n</b>").facts["line"] == "3"


def test_depth_is_bounded_even_when_long_text_is_allowed() -> None:
    xml.parse(b"<a>" * 100 + b"</a>" * 100)
    assert refused(b"<a>" * 101 + b"</a>" * 101).code == "XML_FORBIDDEN"
    with pytest.raises(EdocError):
        xml.parse(b"<a>" * 1500 + b"</a>" * 1500, long_text=True)


def test_very_deep_nesting_is_refused_without_a_crash() -> None:
    assert refused(b"<a>" * 100_000).code == "MALFORMED_XML"


def test_an_element_with_a_hundred_thousand_attributes_is_refused() -> None:
    attributes = b" ".join(b"a%d=''" % index for index in range(100_000))
    assert refused(b"<a " + attributes + b"/>").code == "XML_FORBIDDEN"


def test_the_number_of_elements_is_bounded() -> None:
    assert refused(b"<a>" + b"<b/>" * 250_000 + b"</a>").code == "XML_FORBIDDEN"
    assert refused(b"<a>" + b"<b/>" * 450_000 + b"</a>").code == "XML_FORBIDDEN"


def test_the_size_is_bounded() -> None:
    assert refused(b"<a>      </a>", limit=10).code == "XML_FORBIDDEN"


def test_text_of_more_than_ten_megabytes_needs_to_be_asked_for() -> None:
    data = b"<a>" + b"A" * 10_500_000 + b"</a>"
    assert refused(data).code == "MALFORMED_XML"
    assert len(xml.parse(data, long_text=True).text or "") == 10_500_000


def test_a_comment_does_not_cut_text_in_two() -> None:
    root = xml.parse(b"<a>H29<!-- x -->.12</a>")
    assert root.text == "H29.12"
    assert xml.canonical(root) == b"<a>H29.12</a>"


def test_canonical_form_is_exclusive_and_sorts_attributes() -> None:
    root = xml.parse(b"<r xmlns:u='urn:u' xmlns:v='urn:v'><v:a  b='2' a='1' /></r>")
    assert xml.canonical(root[0]) == b'<v:a xmlns:v="urn:v" a="1" b="2"></v:a>'


def test_serialised_xml_is_utf8_with_a_declaration() -> None:
    data = xml.serialise(xml.parse("<a>Nghệ An</a>".encode()))
    assert data == "<?xml version='1.0' encoding='UTF-8'?>\n<a>Nghệ An</a>\n".encode()


@given(st.binary(max_size=200) | st.text("<>/!?-[]ab='\"&; \n", max_size=200).map(str.encode))
def test_no_bytes_raise_anything_but_an_edoc_error(data: bytes) -> None:
    with contextlib.suppress(EdocError):
        xml.parse(data)
