"""The output rules."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from edoc.cli.main import main
from edoc.cli.render import Output, clean, language
from edoc.cli.texts import HEAD_CODE, HEAD_STATE
from edoc.errors import EdocError
from edoc.errors.configuration import FILE_UNREADABLE


@pytest.mark.parametrize(
    ("asked", "environment", "spoken"),
    [
        (None, {}, "en"),
        (None, {"LANG": "vi_VN.UTF-8"}, "vi"),
        (None, {"LC_MESSAGES": "vi_VN", "LANG": "en_US.UTF-8"}, "vi"),
        (None, {"LC_ALL": "C", "LC_MESSAGES": "vi_VN", "LANG": "vi_VN"}, "en"),
        (None, {"LC_ALL": "", "LANG": "vi_VN"}, "vi"),
        ("en", {"LC_ALL": "vi_VN"}, "en"),
        ("vi", {}, "vi"),
    ],
)
def test_the_language_is_asked_for_else_the_locales(
    asked: str | None, environment: dict[str, str], spoken: str
) -> None:
    assert language(asked, environment) == spoken


def test_what_could_steer_a_terminal_is_shown_as_a_replacement() -> None:
    assert clean("Tân\x1b[31m Lập\u202e\u200b\n") == "Tân\ufffd[31m Lập\ufffd\ufffd\ufffd"
    assert clean("Quyết định số 7816/QĐ-UBND") == "Quyết định số 7816/QĐ-UBND"


def test_an_error_is_told_in_three_lines_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    Output(lang="vi").error(EdocError(FILE_UNREADABLE, path="a\x1b.pdf", detail="không có", cause="ENOENT"))
    said = capsys.readouterr()
    assert said.out == ""
    assert [line.split(":")[0].strip() for line in said.err.splitlines()] == [
        "FILE_UNREADABLE",
        "nguyên nhân",
        "việc cần làm",
    ]
    assert "\x1b" not in said.err


def test_an_error_is_one_object_with_json(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).error(EdocError(FILE_UNREADABLE, path="a\x1b.pdf", detail="x"))
    said = capsys.readouterr()
    assert said.out == ""
    told = json.loads(said.err)
    assert set(told) == {"error", "text", "cause", "next_step"}


def test_columns_line_up_whatever_normal_form_a_name_has(capsys: pytest.CaptureFixture[str]) -> None:
    Output().table((HEAD_CODE, HEAD_STATE), [("Tân Lập", "SENT"), ("Ta\u0302n La\u0323\u0302p", "SENT"), ("x", "SENT")])
    lines = capsys.readouterr().out.splitlines()
    assert {line.replace("\u0302", "").replace("\u0323", "").index("S") for line in lines} == {9}


def test_a_fault_of_ours_is_exit_70_and_never_an_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(text: str) -> None:
        raise RuntimeError(f"a fault of ours at {text}")

    monkeypatch.setattr("edoc.cli.verify.instant", broken)
    assert main(["verify", "--trust", "x", "y"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_help_does_not_wait_for_parsers_broker_journal_and_tables() -> None:
    program = (
        "import sys, edoc.cli.main as m; code = m.main(['verify', '--help']);"
        "heavy = {'lxml', 'pyhanko', 'aio_pika', 'asn1crypto', 'cryptography', 'sqlite3', 'rich.table', 'structlog'};"
        "print(code, sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_every_command_has_a_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (
        ["daemon"],
        ["signer"],
        ["check"],
        ["submit"],
        ["status"],
        ["verify"],
        *(["queue", name] for name in ("list", "show", "hold", "release", "retry")),
        ["broker", "setup"],
        ["broker", "check"],
        ["token", "state"],
        ["token", "unlock"],
        ["config", "describe"],
    ):
        assert main([*command, "--help"]) == 0
        assert "--lang" in capsys.readouterr().out
