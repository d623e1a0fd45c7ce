"""What all tests share: the fixtures of the real parts, and one way for hypothesis to run."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = ["fixtures_dss", "fixtures_rabbitmq", "fixtures_token"]

# Speed is judged in benchmarks/, never by a test: on a busy machine a deadline only flakes.
settings.register_profile("edoc", deadline=None)
settings.load_profile("edoc")
