"""The units, read by systemd itself without a running manager."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "systemd"
ANALYZE = shutil.which("systemd-analyze")

pytestmark = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is missing: apt-get install systemd")


def analyze(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Both units as instances of an office, with an ExecStart that exists here."""
    for name in ("edoc", "edoc-signer"):
        text = (UNITS / f"{name}@.service").read_text()
        (tmp_path / f"{name}@H53.31.20.service").write_text(text.replace("/opt/edoc/bin/edoc", "/bin/true"))
    return tmp_path


@pytest.mark.parametrize("name", ["edoc", "edoc-signer"])
def test_systemd_finds_nothing_to_say_about_a_unit(installed: Path, name: str) -> None:
    result = analyze(installed, "verify", "--man=no", f"./{name}@H53.31.20.service")
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


@pytest.mark.parametrize(("name", "bound"), [("edoc", 1.5), ("edoc-signer", 1.0)])
def test_a_unit_is_exposed_no_more_than_its_bound(installed: Path, name: str, bound: float) -> None:
    result = analyze(installed, "security", "--offline=true", f"./{name}@H53.31.20.service")
    found = re.search(r"Overall exposure level for \S+ ([\d.]+)", result.stdout)
    assert found is not None, result.stdout + result.stderr
    assert float(found[1]) <= bound


def test_the_token_process_has_no_network_and_the_daemon_no_token_socket_of_its_own() -> None:
    daemon, signer = ((UNITS / f"{name}@.service").read_text().splitlines() for name in ("edoc", "edoc-signer"))
    assert {"PrivateNetwork=yes", "RestrictAddressFamilies=AF_UNIX", "RuntimeDirectory=edoc/%i"} <= set(signer)
    assert not any(line.startswith("RuntimeDirectory=") for line in daemon)


def test_accounts_are_parsed_by_systemd(tmp_path: Path) -> None:
    sysusers = shutil.which("systemd-sysusers")
    if sysusers is None:
        pytest.skip("systemd-sysusers is missing: apt-get install systemd")
    result = subprocess.run(
        [sysusers, "--dry-run", f"--root={tmp_path}", str(UNITS / "edoc.sysusers")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    users = set(re.findall(r"Creating user '([^']+)'", result.stdout + result.stderr))
    assert users == {"edoc", "edoc-signer"}, result.stderr
    assert list(tmp_path.iterdir()) == []
