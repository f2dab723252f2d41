"""The questions of `doctor`, one topic a file."""

from __future__ import annotations

from pipelines.cli.checkup.answer import Answer, State
from pipelines.cli.checkup.examine import examine

__all__ = ["Answer", "State", "examine"]
