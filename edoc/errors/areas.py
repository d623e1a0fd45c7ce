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
    sealing,
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
    "sealing",
    "spool",
    "token",
    "trust",
    "verification",
]
