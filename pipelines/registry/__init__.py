"""What registries hold, asked directly: no engine and no other program is needed (OCI distribution specification 1.1)."""

from __future__ import annotations

from pipelines.registry.client import Found, find
from pipelines.registry.reference import Reference, parse

__all__ = ["Found", "Reference", "find", "parse"]
