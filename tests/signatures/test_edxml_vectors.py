"""Signatures as today's edXML carries them: each file of tests/vectors/edxml-signatures/ says how it is judged.

``NAME.edxml`` and ``NAME.expect.json`` are one case; to add one, add the two files.  A check that is expected must be
among those made, with its result and the words of its detail.
"""

from __future__ import annotations

import io
import os
from base64 import b64decode
from pathlib import Path

import msgspec
import pytest
import xmlsec
from fakes.sealed import World
from lxml import etree

from edoc.cli.main import main
from edoc.envelopes.xml import DS
from edoc.model.verdict import CheckResult, Indication, SubIndication
from edoc.signatures.validation import validate_file

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "edxml-signatures"
SAMPLES = os.environ.get("EDOC_SAMPLES", "")
NAMES = sorted(path.stem for path in FOLDER.glob("*.edxml"))


class CheckExpected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    result: CheckResult
    detail: str = ""


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    about: str
    indication: Indication | None
    sub_indication: SubIndication | None = None
    checks: tuple[CheckExpected, ...] = ()


def expected_of(name: str) -> Expected:
    return msgspec.json.decode((FOLDER / f"{name}.expect.json").read_bytes(), type=Expected)


def test_every_vector_has_its_expectation_and_the_other_way_round() -> None:
    assert NAMES
    assert sorted(path.name.removesuffix(".expect.json") for path in FOLDER.glob("*.expect.json")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_what_stands_in_the_place_of_a_signature_is_named(name: str, world: World) -> None:
    expected = expected_of(name)
    verdict = validate_file(io.BytesIO((FOLDER / f"{name}.edxml").read_bytes()), world.material)
    assert (verdict.indication, verdict.sub_indication) == (expected.indication, expected.sub_indication)
    made = [check for report in verdict.signatures for check in report.checks]
    for wanted in expected.checks:
        assert any(
            (one.id, one.result) == (wanted.id, wanted.result) and wanted.detail in one.detail for one in made
        ), made


def test_no_placeholder_is_called_tampered_and_none_passes(world: World) -> None:
    for name in NAMES:
        verdict = validate_file(io.BytesIO((FOLDER / f"{name}.edxml").read_bytes()), world.material)
        assert not verdict.passed
        if name.startswith(("placeholder", "empty", "wrong-namespace", "no-namespace", "sha1", "md5")):
            assert verdict.indication is Indication.INDETERMINATE, name


def test_whatever_an_edxml_file_is_it_gets_a_verdict_and_none_passes(world: World) -> None:
    for path in sorted(FOLDER.with_name("edxml").glob("*.edxml")):
        verdict = validate_file(io.BytesIO(path.read_bytes()), world.material)
        assert not verdict.passed, path.name
        broken = path.name.startswith(("malformed", "forbidden"))
        assert broken or verdict.indication in {None, Indication.INDETERMINATE}, path.name


def test_the_sha1_signature_is_a_genuine_one() -> None:
    """Another verifier finds that it holds: it is refused for its algorithm and for nothing else."""
    root = etree.parse(FOLDER / "sha1.edxml").getroot()
    (signature,) = root.iter(f"{{{DS}}}Signature")
    (certificate,) = signature.iter(f"{{{DS}}}X509Certificate")
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(b64decode(certificate.text or ""), xmlsec.constants.KeyDataFormatCertDer)
    context.verify(signature)


@pytest.fixture
def anchor(world: World, tmp_path: Path) -> str:
    path = tmp_path / "root.der"
    path.write_bytes(world.material.anchors[0])
    return str(path)


EXIT = {Indication.TOTAL_FAILED: 1, Indication.INDETERMINATE: 2, None: 3}


@pytest.mark.parametrize(
    "name", ["absent", "absent-status", "placeholder", "empty", "wrong-namespace", "sha1", "malformed"]
)
def test_the_command_names_it_and_answers_by_its_exit_code(
    name: str, anchor: str, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = expected_of(name)
    assert main(["verify", "--trust", anchor, str(FOLDER / f"{name}.edxml")]) == EXIT[expected.indication]
    said = capsys.readouterr().out
    for check in expected.checks:
        assert check.id in said
    assert "Traceback" not in said


@pytest.mark.skipif(not SAMPLES, reason="EDOC_SAMPLES names no folder with messages of real systems")
def test_every_sample_of_a_real_system_is_verified_without_a_traceback(
    anchor: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in sorted(Path(SAMPLES).glob("*.edxml")):
        signed = path.name.startswith("document-")
        assert main(["verify", "--trust", anchor, str(path)]) == (2 if signed else 3)
        said = capsys.readouterr()
        assert ("format.placeholder" in said.out) is signed
        assert "Traceback" not in said.out + said.err
