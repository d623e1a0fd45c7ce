"""Worlds for the signature tests: made once per module, because keys are slow to make."""

from __future__ import annotations

import pytest
from fakes.sealed import World, make_world


@pytest.fixture(scope="module")
def world() -> World:
    return make_world("ec")


@pytest.fixture(scope="module")
def rsa_world() -> World:
    return make_world("rsa")
