"""The values all rooms share; this room imports nothing of ours."""

from __future__ import annotations

from pipelines.model.check import Case, Check
from pipelines.model.finding import Finding, Location, Severity, Waiver
from pipelines.model.image import BuiltImage, ImageContainers, PublishedImage, Source
from pipelines.model.project import (
    EngineKind,
    EngineSpec,
    ImageSpec,
    ImageTarget,
    Insecure,
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
from pipelines.model.run import EngineInfo, Result, Run, RunEnd
from pipelines.model.secret import SecretRef
from pipelines.model.verdict import EndOfSupport, OnInconclusive, Status, Verdict
from pipelines.model.walk import values_of

__all__ = [
    "BuiltImage",
    "Case",
    "Check",
    "EndOfSupport",
    "EngineInfo",
    "EngineKind",
    "EngineSpec",
    "Finding",
    "ImageContainers",
    "ImageSpec",
    "ImageTarget",
    "Insecure",
    "Location",
    "LockedImage",
    "OnInconclusive",
    "PerfSpec",
    "Project",
    "PublishSpec",
    "PublishWhen",
    "PublishedImage",
    "Registry",
    "Result",
    "Run",
    "RunEnd",
    "ScanSpec",
    "SecretRef",
    "ServiceSpec",
    "Severity",
    "Source",
    "Status",
    "StepLimits",
    "TestSpec",
    "Thresholds",
    "Verdict",
    "Waiver",
    "values_of",
]
