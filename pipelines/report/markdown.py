"""Markdown for people: a GitHub step summary, a GitLab merge request note, a file to read."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from pipelines.foundation.durations import rounded_duration
from pipelines.foundation.text import encodable, one_line, plain
from pipelines.report.select import bad, images, open_findings
from pipelines.report.text import counts, finding_line, has_worked, outcome, remark

if TYPE_CHECKING:
    from pipelines.model import Result, Run
    from pipelines.report.select import ReportedImage

_MARKS = {"passed": "✅", "failed": "❌", "error": "❌", "blocked": "⛔", "skipped": "⏭️", "cancelled": "🚫"}
_MOST_FINDINGS = 20
_ESCAPE = re.compile(r"([\\`*_\[\]|<>#~])")


def render(run: Run) -> str:
    """The run as one page: verdict, steps, images, then what failed with the last lines of its output."""
    sections = [_head(run), _table(run), _images(run), *(_failure(result) for result in bad(run)), _warnings(run)]
    return encodable("\n\n".join(section for section in sections if section) + "\n")


def _head(run: Run) -> str:
    verdict = {0: "passed", 130: "interrupted", 143: "terminated"}.get(int(run.exit_code), "failed")
    facts = [
        f"`{run.revision[:12]}`" if run.revision else "",
        f"version {_text(run.version)}",
        f"{_text(run.engine.kind)} engine ({_text(run.engine.reason)})" if run.engine else "",
        f"run `{run.id}`",
    ]
    line = " · ".join(fact for fact in facts if fact)
    return f"## {_text(run.project)}: {verdict} in {rounded_duration(run.duration_s)}\n\n{counts(run.results)}\n\n{line}"


def _table(run: Run) -> str:
    if not run.results:
        return ""
    rows = [f"| {_MARKS[r.status.value]} | `{r.id}` | {outcome(r)} | {_time(r)} | {_text(remark(r))} |" for r in run.results]
    return "\n".join(["| | step | status | time | |", "|---|---|---|---:|---|", *rows])


def _time(result: Result) -> str:
    return rounded_duration(result.duration_s) if has_worked(result) else ""


def _images(run: Run) -> str:
    rows = [f"| {_text(image.name)} | {_reference(image)} | {_text(_base(image))} |" for image in images(run.results)]
    return "\n".join(["| image | reference | base |", "|---|---|---|", *rows]) if rows else ""


def _reference(image: ReportedImage) -> str:
    return f"`{image.published.ref}`" if image.published else "not published"


def _base(image: ReportedImage) -> str:
    return f"{image.base} ({image.origin})" if image.base and image.origin else image.base or ""


def _failure(result: Result) -> str:
    parts = [f"### ❌ {_text(result.id)}: {outcome(result)}"]
    if result.reason:
        parts.append(_text(result.reason))
    if result.next_step:
        parts.append(f"Next: {_text(result.next_step)}")
    found = open_findings(result)
    if found:
        lines = [f"- {_text(finding_line(finding))}" for finding in found[:_MOST_FINDINGS]]
        more = len(found) - len(lines)
        parts.append("\n".join([*lines, f"- and {more} more"] if more else lines))
    if result.tail:
        parts.append(_details("Last lines of its output", "\n".join(result.tail)))
    return "\n\n".join(parts)


def _warnings(run: Run) -> str:
    lines = [f"- ⚠️ `{result.id}`: {_text(result.warning)}" for result in run.results if result.warning]
    return "\n".join(["### Warnings", "", *lines]) if lines else ""


def _details(title: str, body: str) -> str:
    return f"<details open><summary>{title}</summary>\n\n<pre>{html.escape(plain(body), quote=False)}</pre>\n\n</details>"


def _text(text: str) -> str:
    """Text with everything escaped that Markdown or HTML would take for its own."""
    return _ESCAPE.sub(r"\\\1", one_line(text))
