"""Which CI this is: facts of its environment in, its ways to fold, annotate and summarise out."""

from __future__ import annotations

from pipelines.providers.detect import detect
from pipelines.providers.harmless import HarmlessStream, harmless
from pipelines.providers.interface import Annotation, Fold, Provider

__all__ = ["Annotation", "Fold", "HarmlessStream", "Provider", "detect", "harmless"]
