"""The values all rooms share; this room imports nothing of ours."""

from __future__ import annotations

from pipelines.model.check import Case, Check
from pipelines.model.finding import Finding, Location, Severity, Waiver
from pipelines.model.image import BuiltImage, ImageContainers, PublishedImage, Source
from pipelines.model.project import (
    EngineKind,
    EngineSpec,
    Insecure,
    LockedImage,
    Project,
    Registry,
    StepLimits,
)
from pipelines.model.run import EngineInfo, Result, Run, RunEnd
from pipelines.model.secret import SecretRef
from pipelines.model.verdict import OnInconclusive, Status, Verdict
from pipelines.model.walk import values_of

__all__ = [
    "BuiltImage",
    "Case",
    "Check",
    "EngineInfo",
    "EngineKind",
    "EngineSpec",
    "Finding",
    "ImageContainers",
    "Insecure",
    "Location",
    "LockedImage",
    "OnInconclusive",
    "Project",
    "PublishedImage",
    "Registry",
    "Result",
    "Run",
    "RunEnd",
    "SecretRef",
    "Severity",
    "Source",
    "Status",
    "StepLimits",
    "Verdict",
    "Waiver",
    "values_of",
]
