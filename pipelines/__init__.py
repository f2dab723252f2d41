"""Lockgate: CI/CD pipelines in Python on Dagger.

This module is the public face: what is listed in `__all__` is stable, everything else may move. Names are imported when they are first
used, so that `import pipelines` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.config import Loaded
    from pipelines.errors import (
        ConfigError,
        CredentialsError,
        EngineLost,
        EngineUnavailable,
        ExitCode,
        GraphError,
        InternalError,
        LockgateError,
        NothingSelected,
        RegistryUnavailable,
        StepFailed,
        StepTimeout,
        Unavailable,
        UsageError,
    )
    from pipelines.flow.api import pipeline
    from pipelines.flow.plan import Plan
    from pipelines.flow.progress import Sink
    from pipelines.flow.request import RunRequest
    from pipelines.flow.run import plan_project, run_project
    from pipelines.flow.stop import Stop
    from pipelines.model import (
        BuiltImage,
        Case,
        Check,
        EngineInfo,
        Finding,
        Location,
        Project,
        PublishedImage,
        Result,
        Run,
        RunEnd,
        Severity,
        Source,
        Status,
        Verdict,
        Waiver,
    )
    from pipelines.steps.catalog import load
    from pipelines.steps.definition import StepContext

__all__ = [
    "BuiltImage",
    "Case",
    "Check",
    "ConfigError",
    "CredentialsError",
    "EngineInfo",
    "EngineLost",
    "EngineUnavailable",
    "ExitCode",
    "Finding",
    "GraphError",
    "InternalError",
    "Loaded",
    "Location",
    "LockgateError",
    "NothingSelected",
    "Plan",
    "Project",
    "PublishedImage",
    "RegistryUnavailable",
    "Result",
    "Run",
    "RunEnd",
    "RunRequest",
    "Severity",
    "Sink",
    "Source",
    "Status",
    "StepContext",
    "StepFailed",
    "StepTimeout",
    "Stop",
    "Unavailable",
    "UsageError",
    "Verdict",
    "Waiver",
    "load",
    "pipeline",
    "plan_project",
    "run_project",
]

_HOMES = {
    "pipelines.config": ("Loaded",),
    "pipelines.flow.api": ("pipeline",),
    "pipelines.flow.plan": ("Plan",),
    "pipelines.flow.progress": ("Sink",),
    "pipelines.flow.request": ("RunRequest",),
    "pipelines.flow.run": ("plan_project", "run_project"),
    "pipelines.flow.stop": ("Stop",),
    "pipelines.model": (
        "BuiltImage",
        "Case",
        "Check",
        "EngineInfo",
        "Finding",
        "Location",
        "Project",
        "PublishedImage",
        "Result",
        "Run",
        "RunEnd",
        "Severity",
        "Source",
        "Status",
        "Verdict",
        "Waiver",
    ),
    "pipelines.steps.catalog": ("load",),
    "pipelines.steps.definition": ("StepContext",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'pipelines' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME.get(name, "pipelines.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
