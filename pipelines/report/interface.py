"""What a report is: a format with a file name, and a function from a run to text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.model import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFormat:
    """One format. `load` imports the module that renders it late and returns its `render(run) -> text`."""

    name: str
    filename: str
    load: Callable[[], Callable[[Run], str]]

    def render(self, run: Run) -> str:
        """The whole report as text, ending in a newline."""
        return self.load()(run)
