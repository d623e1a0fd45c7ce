"""Where a stored PIN may come from, and when it is not used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edoc.errors import EdocError
from edoc.token.pin_sources import stored_pin


def _file(path: Path, content: bytes, mode: int) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o600, 0o400])
@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
def test_a_file_of_ours_with_one_line_is_a_pin(tmp_path: Path, mode: int, ending: bytes) -> None:
    assert stored_pin("H53", None, _file(tmp_path / "pin", b"1234 5678" + ending, mode)) == "1234 5678"


def test_the_credential_comes_before_the_file(tmp_path: Path) -> None:
    file = _file(tmp_path / "file", b"from-file", 0o600)
    assert stored_pin("H53", tmp_path, file) == "from-file"
    _file(tmp_path / "pin", b"from-systemd", 0o400)
    assert stored_pin("H53", tmp_path, file) == "from-systemd"


def test_no_source_and_no_file_mean_no_pin(tmp_path: Path) -> None:
    assert stored_pin("H53", None, None) is None
    assert stored_pin("H53", tmp_path, tmp_path / "none") is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o666, 0o700])
def test_a_file_open_to_others_is_not_used(tmp_path: Path, mode: int) -> None:
    _refused(_file(tmp_path / "pin", b"1234", mode))


def test_a_link_a_folder_or_a_pipe_is_not_used(tmp_path: Path) -> None:
    target = _file(tmp_path / "target", b"1234", 0o600)
    link, folder, pipe = tmp_path / "link", tmp_path / "folder", tmp_path / "pipe"
    link.symlink_to(target)
    folder.mkdir(mode=0o700)
    os.mkfifo(pipe, 0o600)
    for path in (link, folder, pipe):
        _refused(path)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_not_used(tmp_path: Path) -> None:
    file = _file(tmp_path / "pin", b"1234", 0o600)
    os.chown(file, 12345, 12345)
    _refused(file)


@pytest.mark.parametrize("content", [b"", b"\n", b"12\n34\n", b"12\x0034", b"\xff\xfe1", b"1" * 300])
def test_what_is_not_one_line_of_text_is_not_used_and_not_shown(tmp_path: Path, content: bytes) -> None:
    _refused(_file(tmp_path / "pin", content, 0o600))


def _refused(path: Path) -> None:
    with pytest.raises(EdocError) as caught:
        stored_pin("H53", None, path)
    assert caught.value.code == "PIN_FILE_UNSAFE"
    assert "1234" not in caught.value.cause + str(caught.value.__cause__)
