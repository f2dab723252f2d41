"""lockgate.toml to a frozen `Project`: layers, provenance, schema. pydantic is met here only, and late."""

from __future__ import annotations

from pipelines.config.loading import Loaded, load
from pipelines.config.origin import Layer, Origin

__all__ = ["Layer", "Loaded", "Origin", "load"]
