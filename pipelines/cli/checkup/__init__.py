"""The questions of `doctor`, one topic a file."""

from __future__ import annotations

from pipelines.cli.checkup.examine import examine
from pipelines.steps.interface import CheckResult, CheckState

__all__ = ["CheckResult", "CheckState", "examine"]
