"""The list of areas: importing this module fills the catalogue.

Does not define a fault itself.
"""

from edoc.errors import (
    broker,
    configuration,
    exchange,
    journey,
    package,
    sandbox,
    spool,
    token,
    trust,
    verification,
)

__all__ = [
    "broker",
    "configuration",
    "exchange",
    "journey",
    "package",
    "sandbox",
    "spool",
    "token",
    "trust",
    "verification",
]
