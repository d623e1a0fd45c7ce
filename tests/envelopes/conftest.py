"""Settings of the property tests: examples are bounded by number, never by time, for a loaded machine is no fault."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
