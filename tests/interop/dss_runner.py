"""The European Commission's DSS library as an oracle: built once per machine, run as a program.

Rules: versions are pinned in dss/pom.xml.  Nothing is written into the source tree: classes and class path stand in
pytest's cache, under a name made of the sources.  DSS gets no source on a network; what it needs is handed to it.

Does not decide what is right: the tests do.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

PROJECT: Final = Path(__file__).parent / "dss"
SOURCE: Final = PROJECT / "src/main/java/Validate.java"

_MAVEN: Final = ("mvn", "-q", "-B", "-Dstyle.color=never")
_GOALS: Final = ("compile", "dependency:build-classpath")
_JVM: Final = ("-Xmx512m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error")
_PATIENCE: Final = 500  # seconds, under the tests' own limit
_NOT_TO_BE_HAD: Final = (
    "Could not resolve",
    "could not be resolved",
    "Could not transfer",
    "Could not find artifact",
    "Unknown host",
    "No compiler is provided in this environment",
)


class DssMissingError(Exception):
    """Java, Maven or an artifact is not to be had here; the text says which."""


class Opinion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What DSS says about one signature, in its own words."""

    document: str
    indication: str
    container: str = ""
    mimetype: str = ""
    content: tuple[str, ...] = ()
    file: str = ""
    sub_indication: str = ""
    level: str = ""
    signed_by: str = ""
    signed_at: str = ""
    algorithm: str = ""
    structure_valid: bool = False
    structure_messages: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Trust:
    """What DSS is told to trust: files with certificates (DER or PEM) and revocation lists (DER), and the instant."""

    anchors: Sequence[Path]
    intermediates: Sequence[Path]
    crls: Sequence[Path]
    at: datetime

    @property
    def arguments(self) -> list[str]:
        """Return the same as arguments of Validate."""
        named = [("--anchor", self.anchors), ("--intermediate", self.intermediates), ("--crl", self.crls)]
        listed = [text for option, files in named for file in files for text in (option, str(file))]
        return ["--at", self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), *listed]


@dataclass(frozen=True)
class Dss:
    """DSS, built."""

    classpath: str

    def opinions(self, trust: Trust, documents: Sequence[Path]) -> Mapping[str, tuple[Opinion, ...]]:
        """Return what DSS says about each document, by file name, in the order of its signatures."""
        command = ["java", *_JVM, "-cp", self.classpath, "Validate", *trust.arguments, *map(str, documents)]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        lines = [msgspec.json.decode(line, type=Opinion) for line in done.stdout.splitlines()]
        return {file.name: tuple(line for line in lines if line.document == file.name) for file in documents}


def build(cache: Path) -> Dss:
    """Build the oracle below `cache` unless it is there; raise DssMissingError when this machine cannot."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise DssMissingError(f"{program} is not installed")
    target = cache / hashlib.sha256((PROJECT / "pom.xml").read_bytes() + SOURCE.read_bytes()).hexdigest()[:16]
    if not _usable(target):
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            _compile(Path(folder), cache / "maven")
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(folder, target, dirs_exist_ok=True)
    return Dss(f"{target / 'classes'}{os.pathsep}{(target / 'classpath').read_text()}")


def _usable(target: Path) -> bool:
    """Say whether a build is whole; Maven's repository may have been emptied since."""
    listing = target / "classpath"
    return listing.is_file() and all(Path(jar).is_file() for jar in listing.read_text().split(os.pathsep))


def _compile(folder: Path, repository: Path) -> None:
    # Maven's repository is ours too: a test run leaves nothing in the home of whoever starts it.
    options = (
        *_GOALS,
        f"-Dmaven.repo.local={repository.resolve()}",
        f"-Dedoc.build={folder}",
        f"-Dmdep.outputFile={folder / 'classpath'}",
    )
    environment = {**os.environ, "MAVEN_OPTS": f"-Xmx512m {os.environ.get('MAVEN_OPTS', '')}"}
    said = ""
    for online in ((*_MAVEN, "-o"), _MAVEN):  # what was fetched before needs no network
        try:
            done = subprocess.run(
                (*online, *options), cwd=PROJECT, env=environment, capture_output=True, check=False, timeout=_PATIENCE
            )
        except subprocess.TimeoutExpired as error:
            raise DssMissingError(f"Maven did not finish within {_PATIENCE} s") from error
        if done.returncode == 0:
            return
        said = (done.stdout + done.stderr).decode()
    for line in said.splitlines():
        if any(sign in line for sign in _NOT_TO_BE_HAD):
            raise DssMissingError(f"Maven: {line.rpartition('[ERROR]')[2].strip()}")
    raise AssertionError(said)
