"""The oracle EU DSS, built once for all tests; where it is not to be had, they are skipped and say why."""

from __future__ import annotations

from pathlib import Path

import pytest
from interop.dss_runner import Dss, DssMissingError, build


@pytest.fixture(scope="session")
def dss(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Dss:
    if request.config.pluginmanager.has_plugin("cacheprovider"):
        folder = Path(request.config.cache.mkdir("dss"))
    else:
        folder = tmp_path_factory.mktemp("dss")
    try:
        return build(folder)
    except DssMissingError as error:
        pytest.skip(f"no second opinion by EU DSS: {error}")
