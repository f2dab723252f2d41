"""Asks registries directly what they hold, without an engine or another program (OCI distribution specification 1.1)."""

from __future__ import annotations

from pipelines.registry.manifests import ManifestSummary, find_manifest, read_reference

__all__ = ["ManifestSummary", "find_manifest", "read_reference"]
