"""What a CI is told after a run: annotations at the places of findings, and the run's summary."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pipelines.foundation.text import one_line
from pipelines.providers import Annotation, detect
from pipelines.report.select import bad, open_findings
from pipelines.report.text import finding_line, outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.cli.options import Settings
    from pipelines.model import Finding, Project, Result, Run

MOST_ANNOTATIONS = 10
"""GitHub shows ten of each level a step and drops the others."""


def tell_provider(run: Run, project: Project, here: Settings) -> None:
    """Annotate what failed, and hand over the summary, where the provider has commands for it."""
    provider = detect(here.environ)
    terminal = here.stderr()
    shown = dict.fromkeys(("error", "warning"), 0)
    lines: list[str] = []
    for annotation in remarks(run, str(project.root), here.environ.get("GITHUB_WORKSPACE")):
        line = provider.annotate(annotation)
        if line is not None and shown[annotation.level] < MOST_ANNOTATIONS:
            shown[annotation.level] += 1
            lines.append(line)
    if lines:
        terminal.command(provider.spoken("\n".join(lines)))
    if provider.summary_file is not None:
        from pipelines.report.markdown import render

        try:
            provider.summarise(render(run))
        except OSError as error:
            terminal.line(f"warning: the step summary cannot be written: {error.strerror}")


@contextlib.contextmanager
def guarded(here: Settings) -> Iterator[None]:
    """Where a CI takes printed lines for commands, it takes only ours as long as this lasts."""
    guard = detect(here.environ).guard()
    if guard is None:
        yield
        return
    terminal = here.stderr()
    terminal.command(guard.before)
    try:
        yield
    finally:
        terminal.command(guard.after)


def remarks(run: Run, root: str = "", workspace: str | None = None) -> Iterator[Annotation]:
    """A remark for every open finding of a step that failed, or for the step itself; and one for every warning.

    Paths are relative to the project; a provider wants them relative to the checkout (`workspace`), of which the project may be a folder.
    """
    for result in bad(run):
        found = open_findings(result)
        for finding in found:
            yield _of_finding(result, finding, root, workspace)
        if not found:
            yield Annotation(level="error", title=result.id, message=one_line(result.reason or outcome(result)))
    for result in run.results:
        if result.warning:
            yield Annotation(level="warning", title=result.id, message=one_line(result.warning))


def _of_finding(result: Result, finding: Finding, root: str, workspace: str | None) -> Annotation:
    return Annotation(
        level="error",
        title=f"{result.id}: {finding.rule}",
        message=one_line(finding_line(finding)),
        path=_in_checkout(finding.location.path, root, workspace),
        line=finding.location.line,
    )


def _in_checkout(path: str | None, root: str, workspace: str | None) -> str | None:
    import os
    from pathlib import PurePath

    if path is None or not workspace:
        return path
    full = PurePath(root, path)
    return os.path.relpath(full, workspace) if full.is_relative_to(workspace) else path
