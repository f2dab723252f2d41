"""The JSON document of a run, schema 1. Keys are only ever added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.report.select import images

if TYPE_CHECKING:
    from pipelines.model import Case, EngineInfo, Finding, Result, Run, Waiver
    from pipelines.report.select import ReportedImage

SCHEMA = 1


def render(run: Run) -> str:
    """The document as indented JSON text."""
    import json

    return json.dumps(document(run), indent=2, ensure_ascii=False, default=str) + "\n"


def document(run: Run) -> dict[str, Any]:
    """The run as plain JSON values."""
    return {
        "schema": SCHEMA,
        "run": _run(run),
        "steps": [_step(result) for result in run.results],
        "images": [_image(image) for image in images(run.results)],
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "project": run.project,
        "revision": run.revision,
        "version": run.version,
        "started": run.started,
        "duration_s": _seconds(run.duration_s),
        "engine": _engine(run.engine),
        "provider": run.provider,
        "folder": run.folder,
        "exit_code": int(run.exit_code),
        "end": run.end.value,
        "error": run.error,
    }


def _engine(engine: EngineInfo | None) -> dict[str, Any] | None:
    if engine is None:
        return None
    return {"kind": engine.kind, "reason": engine.reason, "version": engine.version, "sdk": engine.sdk}


def _step(result: Result) -> dict[str, Any]:
    return {
        "id": result.id,
        "kind": result.kind,
        "name": result.name,
        "status": result.status.value,
        "verdict": result.verdict.value if result.verdict is not None else None,
        "duration_s": _seconds(result.duration_s),
        "cached": result.cached,
        "reason": result.reason,
        "needs": list(result.needs),
        "findings": [_finding(finding) for finding in result.findings],
        "artifacts": list(result.artifacts),
        "log": result.log,
        "error_kind": result.error_kind,
        "next_step": result.next_step,
        "warning": result.warning,
        "attempts": result.attempts,
        "started_s": _seconds(result.started_s),
        "facts": dict(result.facts or {}),
        "tests": _tests(result.cases),
    }


def _tests(cases: tuple[Case, ...]) -> dict[str, int] | None:
    if not cases:
        return None
    by_status = dict.fromkeys(("passed", "failed", "error", "skipped"), 0)
    for case in cases:
        by_status[case.status] = by_status.get(case.status, 0) + 1
    return {"total": len(cases), **by_status}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "message": finding.message,
        "location": {"path": finding.location.path, "line": finding.location.line, "target": finding.location.target},
        "remedy": finding.remedy,
        "waived": finding.waived,
        "waiver": _waiver(finding.waiver),
    }


def _waiver(waiver: Waiver | None) -> dict[str, str] | None:
    if waiver is None:
        return None
    return {"id": waiver.id, "owner": waiver.owner, "reason": waiver.reason, "expires": waiver.expires.isoformat()}


def _image(image: ReportedImage) -> dict[str, Any]:
    published = image.published
    return {
        "name": image.name,
        "ref": published.ref if published else None,
        "digest": published.digest if published else None,
        "published": published is not None,
        "version": image.version,
        "platforms": list(image.platforms),
        "base": image.base,
        "origin": image.origin,
    }


def _seconds(value: float) -> float:
    return round(value, 3)
