"""The values all rooms share; this room imports nothing of ours."""

from __future__ import annotations

from pipelines.model.check import Case, Check
from pipelines.model.finding import Finding, Location, Severity, Waiver
from pipelines.model.image import Image, Source
from pipelines.model.project import (
    EngineKind,
    ImageSpec,
    ImageTarget,
    LockedImage,
    PerfSpec,
    Project,
    PublishSpec,
    PublishWhen,
    Registry,
    ScanSpec,
    ServiceSpec,
    StepLimits,
    TestSpec,
    Thresholds,
)
from pipelines.model.run import EngineInfo, Result, Run
from pipelines.model.verdict import OnInconclusive, Status, Verdict

__all__ = [
    "Case",
    "Check",
    "EngineInfo",
    "EngineKind",
    "Finding",
    "Image",
    "ImageSpec",
    "ImageTarget",
    "Location",
    "LockedImage",
    "OnInconclusive",
    "PerfSpec",
    "Project",
    "PublishSpec",
    "PublishWhen",
    "Registry",
    "Result",
    "Run",
    "ScanSpec",
    "ServiceSpec",
    "Severity",
    "Source",
    "Status",
    "StepLimits",
    "TestSpec",
    "Thresholds",
    "Verdict",
    "Waiver",
]
