"""Report files out of a container: one path, a folder, or a pattern."""

from __future__ import annotations

import posixpath
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.codes import Code
from pipelines.steps.common.error_messages import code_of

if TYPE_CHECKING:
    import dagger

    from pipelines.steps.common.command import Outcome


async def read_reports(outcome: Outcome, report: str | None) -> list[bytes]:
    """The JUnit files the command left; empty when there are none."""
    if report is None or "unhealthy" in outcome.marks:
        return []
    if not is_pattern(report):
        text = await _contents(outcome.container.file(report))
        return [] if text is None else [text]
    folder, pattern = split_pattern(report)
    try:
        names = await outcome.container.directory(folder).glob(pattern)
    except Exception as error:
        if _absent(error):
            return []
        raise
    texts = [await _contents(outcome.container.directory(folder).file(name)) for name in sorted(names)]
    return [text for text in texts if text is not None]


async def _contents(file: dagger.File) -> bytes | None:
    """The file's bytes. The API gives text, with U+FFFD for what is not UTF-8: then the file itself is fetched."""
    try:
        text = await file.contents()
        return await _bytes(file) if "\N{REPLACEMENT CHARACTER}" in text else text.encode()
    except Exception as error:
        if _absent(error):
            return None
        raise


async def _bytes(file: dagger.File) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report"
        await file.export(str(path))
        return path.read_bytes()


def _absent(error: Exception) -> bool:
    """Whether an engine says that there is no such file or folder."""
    import dagger

    return isinstance(error, dagger.QueryError) and code_of(error) is Code.NOT_FOUND


def is_pattern(report: str) -> bool:
    """Whether it names several files: a folder (with a slash at its end), or a pattern with `*`."""
    return report.endswith("/") or "*" in report


def split_pattern(report: str) -> tuple[str, str]:
    """Folder and pattern below it: `target/surefire-reports/*.xml`, or a folder with all its XML files."""
    if report.endswith("/"):
        return report, "**/*.xml"
    fixed = report[: report.index("*")]
    folder = posixpath.dirname(fixed) or "."
    return folder, report[len(posixpath.dirname(fixed)) :].lstrip("/")
