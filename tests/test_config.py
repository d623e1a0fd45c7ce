"""edoc.toml."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from edoc.config import Config, fingerprint, load
from edoc.config_text import configuration_schema, describe
from edoc.directory.organisation import Level
from edoc.errors import EdocError

ROOT = Path(__file__).parents[1]

MINIMAL = f"""
[office]
code = "H53.31.20"
[broker]
host = "mq.tayninh.example.vn"
ca = "tls/ca.pem"
certificate = "tls/client.pem"
key = "/etc/edoc/client.key"
[token]
module = "/usr/lib/libbit4xpki.so"
key_uri = "pkcs11:id=%01"
[trust]
anchors = [{{file = "root.pem", sha256 = "{"AB:" * 31}AB"}}]
directory_signer = {{file = "signer.pem", sha256 = "{"cd" * 32}"}}
"""


def loaded(folder: Path, text: str) -> Config:
    path = folder / "edoc.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def test_the_example_is_made_from_the_code_and_can_be_loaded() -> None:
    example = ROOT / "config" / "edoc.example.toml"
    assert example.read_text(encoding="utf-8") == describe()
    assert load(example).office.code == "H53.31.20"


def test_every_commented_default_of_the_example_is_valid_too(tmp_path: Path) -> None:
    lines = describe().splitlines()
    text = "\n".join(
        line.removeprefix("# ") if line.startswith("# ") and " = " in line and line[2] != "[" else line
        for line in lines
    )
    tomllib.loads(text)
    config = loaded(tmp_path, text.replace("allowed_modules = []", ""))
    assert config.policy == load(ROOT / "config" / "edoc.example.toml").policy
    assert config.folders.outbox == tmp_path / "outbox"


def test_the_schema_is_made_from_the_code_and_accepts_the_example() -> None:
    schema = json.loads((ROOT / "schemas" / "configuration.schema.json").read_bytes())
    assert schema == json.loads(json.dumps(configuration_schema()))
    jsonschema.validate(tomllib.loads(describe()), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(describe().replace("host =", "hots =")), schema)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = loaded(tmp_path, MINIMAL)
    assert config.broker.ca == tmp_path / "tls/ca.pem"
    assert config.broker.key == Path("/etc/edoc/client.key")
    assert config.trust.anchors[0].file == tmp_path / "root.pem"
    assert config.trust.directory == tmp_path / "trust/directory.json"


def test_folders_are_in_root_unless_they_are_named(tmp_path: Path) -> None:
    config = loaded(tmp_path, MINIMAL + '[folders]\nroot = "spool"\ninbox = "elsewhere/den"\n')
    assert config.folders.outbox == tmp_path / "spool/outbox"
    assert config.folders.inbox == tmp_path / "elsewhere/den"
    assert config.folders.state == tmp_path / "spool/state"
    assert config.token.socket == tmp_path / "spool/state/signer.sock"


def test_a_fingerprint_may_be_written_as_openssl_prints_it(tmp_path: Path) -> None:
    config = loaded(tmp_path, MINIMAL)
    assert config.trust.anchors[0].fingerprint == "ab" * 32
    assert fingerprint("CD:" * 31 + "cd") == "cd" * 32


def test_the_signer_may_load_its_module_and_no_other_unless_told(tmp_path: Path) -> None:
    assert loaded(tmp_path, MINIMAL).token.allowed_modules == (Path("/usr/lib/libbit4xpki.so"),)


def test_by_default_every_level_may_write_to_every_level_and_rules_replace_that(tmp_path: Path) -> None:
    assert all(loaded(tmp_path, MINIMAL).policy.may_talk(one, other) for one in Level for other in Level)
    policy = loaded(tmp_path, MINIMAL + '[policy]\ntalk = [{from = "commune", to = ["province"]}]\n').policy
    assert policy.may_talk(Level.COMMUNE, Level.PROVINCE)
    assert not policy.may_talk(Level.PROVINCE, Level.COMMUNE)


def _in_broker(line: str) -> str:
    return MINIMAL.replace("[token]", f"{line}\n[token]")


def _in_token(line: str) -> str:
    return MINIMAL.replace("[trust]", f"{line}\n[trust]")


BROKEN = {
    "an unknown key": (MINIMAL.replace("host =", "hots ="), "broker", "hots"),
    "an unknown table": (MINIMAL + "[brokre]\n", "top level", "brokre"),
    "a missing key": (MINIMAL.replace('host = "mq.tayninh.example.vn"\n', ""), "broker", "host"),
    "a missing table": (MINIMAL.replace('[office]\ncode = "H53.31.20"', ""), "top level", "office"),
    "a wrong type": (MINIMAL.replace("[token]", 'port = "5671"\n[token]'), "broker.port", "int"),
    "a number out of range": (MINIMAL.replace("[token]", "port = 99999\n[token]"), "broker.port", "65535"),
    "an office that is no code": (MINIMAL.replace("H53.31.20", "xã Tân Lập"), "office.code", "H53.31.20"),
    "a language nobody wrote": (MINIMAL.replace("[broker]", 'language = "fr"\n[broker]'), "office.language", "fr"),
    "a fingerprint that is cut": (MINIMAL.replace("cd" * 32, "cd" * 31), "trust.directory_signer.sha256", "matching"),
    "no anchor": (MINIMAL.replace("anchors = [", "anchors = [] #"), "trust.anchors", "length"),
    "a key by slot": (MINIMAL.replace("pkcs11:id=%01", "slot 1"), "token.key_uri", "pkcs11"),
    "a path that is a number": (MINIMAL.replace('"tls/ca.pem"', "5"), "broker.ca", "path"),
    "an empty path": (MINIMAL.replace('"tls/ca.pem"', '""'), "broker.ca", "path"),
    "a module that is not allowed": (_in_token('allowed_modules = ["/x.so"]'), "token.module", "allowed"),
    "a wait above 3 s": (MINIMAL + "[timestamp]\nlimit_seconds = 4", "timestamp.limit_seconds", "3"),
    "a cap below the base": (MINIMAL + "[retry]\nbase_seconds = 700\n", "retry.cap_seconds", "base"),
    "a password over plain HTTP": (_in_broker('management_url = "http://mq:15672"'), "broker.management_url", "https"),
    "no TOML": ("[office", "TOML", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_mistake_is_told_with_its_key_and_what_was_expected(tmp_path: Path, case: str) -> None:
    text, key, expected = BROKEN[case]
    with pytest.raises(EdocError) as caught:
        loaded(tmp_path, text)
    assert caught.value.code == "CONFIG_INVALID"
    assert caught.value.facts["key"] == key
    assert expected in caught.value.facts["detail"]


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(EdocError) as caught:
        load(tmp_path / "none.toml")
    assert caught.value.code == "CONFIG_MISSING"
    assert "edoc config describe" in caught.value.next_step("vi")


def test_the_image_of_the_seal_has_a_path_and_a_place(tmp_path: Path) -> None:
    text = MINIMAL + '[seal]\nimage = "seal.png"\npage = 2\nx_mm = 105\ny_mm = 220.5\n'
    seal = loaded(tmp_path, text).seal
    assert (seal.image, seal.image_width_mm) == (tmp_path / "seal.png", 36)
    assert (seal.page, seal.x_mm, seal.y_mm) == (2, 105, 220.5)


@pytest.mark.parametrize(
    "keys", ["x_mm = 105", "y_mm = 220", "page = 0", 'page = "first"', "image_width_mm = 0", "x_mm = -1\ny_mm = 1"]
)
def test_a_place_that_is_none_is_refused(keys: str, tmp_path: Path) -> None:
    with pytest.raises(EdocError, match="seal"):
        loaded(tmp_path, f"{MINIMAL}[seal]\n{keys}\n")


def test_what_tells_persons_is_a_list_of_policies(tmp_path: Path) -> None:
    policy = loaded(tmp_path, MINIMAL + '[policy]\nperson_certificate_policies = ["2.16.704.1.1"]\n').policy
    assert policy.person_certificate_policies == ("2.16.704.1.1",)
    with pytest.raises(EdocError, match="person_certificate_policies"):
        loaded(tmp_path, MINIMAL + '[policy]\nperson_certificate_policies = ["Chủ tịch"]\n')
