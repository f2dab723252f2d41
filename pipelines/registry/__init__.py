"""Asks registries directly what they hold, without an engine or another program (OCI distribution specification 1.1)."""

from __future__ import annotations

from pipelines.registry.client import Found, find
from pipelines.registry.reference import Reference, parse

__all__ = ["Found", "Reference", "find", "parse"]
