"""Organisations as the directory records them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Placeholder until the directory package lands."""
