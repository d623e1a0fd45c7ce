"""Offices of the lab, without their processes."""

from __future__ import annotations

import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lab.offices import Network, Office
from lab.pki import Issued, Pki
from lab.trust import Authority, sign_detached
from lab.units import COMMUNE, UNITS

from edoc import config
from edoc.adapters.trust_files import read_anchors, read_intermediates
from edoc.directory.codec import decode_directory
from edoc.directory.organisation import Level

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki.create(NOW)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """A network whose broker never runs: only its files are made."""
    network = Network(tmp_path_factory.mktemp("lab"), (COMMUNE,))
    office = network.office(COMMUNE)
    office.put_seal(network.authority.seals[office.code])
    office.put_trust(network.trust)
    office.configure(network.node, network.trust, administers=True)
    return network


def test_an_office_s_configuration_is_one_that_edoc_accepts(network: Network) -> None:
    office = network.office(COMMUNE)
    read = config.load(office.config)
    assert read.organ_id == COMMUNE.code
    assert read.folders.outbox == office.outbox
    assert read.token.module == office.hsm.module


def test_trust_material_agrees_with_the_fingerprints_in_the_configuration(network: Network) -> None:
    read = config.load(network.office(COMMUNE).config)
    anchors = read_anchors((one.file, one.fingerprint) for one in read.trust.anchors)
    assert anchors == network.pki.anchors
    assert read_intermediates(read.trust.intermediates) == network.pki.intermediates
    assert len(list(read.trust.crls.glob("*.crl"))) == 2


def test_secrets_are_for_the_owner_alone(network: Network) -> None:
    folder = network.office(COMMUNE).folder
    for secret in ("secrets/pin", "secrets/management-password", "tls/client.key"):
        assert stat.S_IMODE((folder / secret).stat().st_mode) == 0o600


def test_a_long_folder_gets_its_socket_elsewhere(tmp_path: Path, network: Network) -> None:
    office = Office(tmp_path / ("x" * 90), "H53", Level.PROVINCE, "Tây Ninh")
    office.put_seal(network.authority.seals[COMMUNE.code])
    office.configure(network.node, network.trust)
    socket = config.load(office.config).token.socket
    assert len(str(socket)) < 100
    office.stop()
    assert not socket.parent.exists()


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_openssl_accepts_a_detached_signature(tmp_path: Path, pki: Pki, kind: str) -> None:
    seal: Issued = pki.seal("H53", "Tây Ninh", kind="ec" if kind == "ec" else "rsa")
    for name, content in {
        "content": "danh bạ".encode(),
        "signature": sign_detached("danh bạ".encode(), seal, NOW),
        "ca.pem": pki.ca_pem,
    }.items():
        (tmp_path / name).write_bytes(content)
    command = "openssl cms -verify -binary -inform DER -in signature -content content -purpose any"
    result = subprocess.run(
        [*command.split(), "-CAfile", "ca.pem", "-out", "/dev/null"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=20,
    )
    assert result.returncode == 0, result.stderr


def test_every_edition_of_the_directory_is_newer_and_pins_every_seal(pki: Pki) -> None:
    authority = Authority(pki, UNITS)
    first, second = (decode_directory(authority.trust(UNITS, NOW).files["directory.json"]) for _ in range(2))
    assert second.version == first.version + 1
    pinned = {pin.certificate_sha256 for pin in second.all_pins()}
    assert {seal.sha256 for seal in authority.seals.values()} <= pinned
