"""Results out: every format is a pure function of a `Run`, and `write_all` puts them all into a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.report.interface import ReportFormat

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipelines.model import Run

__all__ = ["FORMATS", "RECORD", "ReportFormat", "document", "write_all", "write_record"]


def _json() -> Callable[[Run], str]:
    from pipelines.report.record import render

    return render


def _junit() -> Callable[[Run], str]:
    from pipelines.report.junit import render

    return render


def _markdown() -> Callable[[Run], str]:
    from pipelines.report.markdown import render

    return render


RECORD = ReportFormat(name="json", filename="run.json", load=_json)
FORMATS: tuple[ReportFormat, ...] = (
    ReportFormat(name="junit", filename="junit.xml", load=_junit),
    ReportFormat(name="markdown", filename="summary.md", load=_markdown),
    RECORD,  # the last to be written: it says how the run ended, with its reports
)


def document(run: Run) -> dict[str, object]:
    """The run as the versioned JSON document (`run --json`)."""
    from pipelines.report.record import document as build

    return build(run)


def write_all(run: Run, folder: Path) -> tuple[Path, ...]:
    """Write every format into `folder` (made when missing), each whole or not at all; the files' paths in the order of `FORMATS`."""
    from pipelines.foundation.files import replace_text

    folder.mkdir(parents=True, exist_ok=True)
    return tuple(replace_text(folder / report.filename, report.render(run)) for report in FORMATS)


def write_record(run: Run, folder: Path) -> Path:
    """Write the record of a run (run.json) alone into `folder`, whole or not at all; its path.

    Raises:
        OSError: it cannot be written.
    """
    from pipelines.foundation.files import replace_text

    return replace_text(folder / RECORD.filename, RECORD.render(run))
