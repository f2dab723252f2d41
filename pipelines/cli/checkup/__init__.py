"""The questions of `doctor`, one topic a file."""

from __future__ import annotations

from pipelines.cli.checkup.check_result import CheckResult, CheckState
from pipelines.cli.checkup.examine import examine

__all__ = ["CheckResult", "CheckState", "examine"]
