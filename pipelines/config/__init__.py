"""lockgate.toml to a frozen `Project`: layers, provenance, schema. Does not know the kinds of steps: their sections come from above."""

from __future__ import annotations

from pipelines.config.loading import Loaded, load
from pipelines.config.origin import Layer, Origin
from pipelines.config.section import Section

__all__ = ["Layer", "Loaded", "Origin", "Section", "load"]
