"""What EU DSS says of a package that an office of the demo received: its seal, its PDFs, and every signed status."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from interop.dss_runner import Dss, Trust
from interop.test_dss import assert_covers_everything, assert_passed, write

# Decree 30/2020, Annex I: the agency's seal covers about a third of the person's signature.
OVERLAP = "Elements overlap on page(s) [2]"


def assert_demo_package_passes(dss: Dss, package: Path, tmp_path: Path) -> None:
    """The office's own trust folder is used."""
    folder = next(parent / "trust" for parent in package.parents if (parent / "trust/root.pem").is_file())
    trust = Trust(
        anchors=[folder / "root.pem"],
        intermediates=[folder / "issuing.pem"],
        crls=sorted(folder.glob("crls/*.crl")),
        at=datetime.now(UTC),
    )
    with zipfile.ZipFile(io.BytesIO(package.read_bytes())) as archive:
        entries = tuple(name for name in archive.namelist() if name != "mimetype" and not name.startswith("META-INF/"))
        pdfs = {Path(name).name: archive.read(name) for name in entries if name.endswith(".pdf")}
    statuses = sorted((folder.parent / "state/packages").glob("*.edxml"))
    documents = [package, *write(tmp_path, pdfs), *statuses]
    opinions = dss.opinions(trust, documents)
    (seal,) = opinions[package.name]
    assert_passed(seal, "XAdES-BASELINE-B")
    assert_covers_everything(seal, entries)
    for document in documents[1:]:
        assert opinions[document.name], document
        for opinion in opinions[document.name]:
            level = "PAdES-BASELINE-B" if document.suffix == ".pdf" else "XAdES-BASELINE-B"
            assert_passed(opinion, level, OVERLAP)
