"""The record of a run, run.json (schema 1): what is kept of a run and can be read again. Keys are only ever added."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.foundation.json_values import from_json, schema_of, to_json
from pipelines.foundation.text import encodable
from pipelines.model import EngineInfo, Finding, RunEnd, Status, Verdict
from pipelines.report.select import images

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.model import Case, Result, Run
    from pipelines.report.select import ReportedImage

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What is said of a run as a whole. `started` is RFC 3339 in UTC, `duration_s` in seconds. `exit_code` is that of the process,
    `end` says how the run came to its end, and `error` what went wrong with itself, beside its steps. `folder` holds its logs.
    """

    id: str
    project: str
    revision: str | None
    version: str
    started: str
    duration_s: float
    engine: EngineInfo | None
    provider: str
    folder: str | None
    exit_code: int
    end: RunEnd = RunEnd.COMPLETED
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCounts:
    """How many test cases ended how."""

    total: int
    passed: int
    failed: int
    error: int
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """How a step ended. Times are in seconds, `started_s` from the start of the run. `error_kind` is `unavailable` or `internal` when the
    status is error. `artifacts` and `log` are paths of files. `unchanged_since` is the run whose result was taken over.
    """

    id: str
    kind: str
    name: str
    status: Status
    verdict: Verdict | None
    duration_s: float
    cached: bool
    reason: str | None
    needs: tuple[str, ...]
    findings: tuple[Finding, ...]
    artifacts: tuple[str, ...]
    log: str | None
    error_kind: str | None = None
    next_step: str | None = None
    warning: str | None = None
    attempts: int = 1
    started_s: float = 0.0
    unchanged_since: str | None = None
    facts: Mapping[str, str | int | float | bool]
    tests: CaseCounts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord:
    """An image that a run built or published. `ref` and `digest` name it in its registry, where it is published; `base` is the reference of
    its base image, `origin` says where that came from.
    """

    name: str
    ref: str | None
    digest: str | None
    published: bool
    version: str | None = None
    platforms: tuple[str, ...] = ()
    base: str | None = None
    origin: str | None = None
    repository: str | None = None
    tags: tuple[str, ...] = ()
    labels: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """Everything that run.json says; `schema` is the version of its form, and a reader refuses any other."""

    schema: int = SCHEMA
    run: RunFacts
    steps: tuple[StepRecord, ...]
    images: tuple[ImageRecord, ...]

    def to_json(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        values: dict[str, Any] = to_json(self)
        return values

    @classmethod
    def from_json(cls, data: object) -> RunRecord:
        """The record that `to_json` made these values of; keys of a later version are passed over.

        Raises:
            ValueError: it is not the record of a run, or has another schema.
        """
        record = from_json(cls, data)
        if record.schema != SCHEMA:
            raise ValueError(f"the record of a run has schema {record.schema}, not {SCHEMA}")
        return record


def record_of(run: Run) -> RunRecord:
    """What is kept of a run: no values of steps but their images, of test cases their number, times in milliseconds."""
    facts = RunFacts(
        id=run.id,
        project=run.project,
        revision=run.revision,
        version=run.version,
        started=run.started,
        duration_s=_seconds(run.duration_s),
        engine=run.engine,
        provider=run.provider,
        folder=run.folder,
        exit_code=int(run.exit_code),
        end=run.end,
        error=run.error,
    )
    return RunRecord(run=facts, steps=tuple(map(_step, run.results)), images=tuple(map(_image, images(run.results))))


def record_schema() -> dict[str, Any]:
    """What `lockgate schema run` prints: a JSON Schema (draft 2020-12) that every run.json fits."""
    schema = schema_of(RunRecord)
    schema["properties"]["schema"] = {"const": SCHEMA}
    return {**schema, "title": "run.json"}


def document(run: Run) -> dict[str, Any]:
    """The record of a run as plain JSON values."""
    return record_of(run).to_json()


def render(run: Run) -> str:
    """The record of a run as indented JSON text. Lone surrogates are escaped, as JSON allows."""
    import json

    return encodable(json.dumps(document(run), indent=2, ensure_ascii=False) + "\n")


def _step(result: Result) -> StepRecord:
    return StepRecord(
        id=result.id,
        kind=result.kind,
        name=result.name,
        status=result.status,
        verdict=result.verdict,
        duration_s=_seconds(result.duration_s),
        cached=result.cached,
        reason=result.reason,
        needs=result.needs,
        findings=result.findings,
        artifacts=result.artifacts,
        log=result.log,
        error_kind=result.error_kind,
        next_step=result.next_step,
        warning=result.warning,
        attempts=result.attempts,
        started_s=_seconds(result.started_s),
        unchanged_since=result.unchanged_since,
        facts={name: _finite(value) for name, value in (result.facts or {}).items()},
        tests=_counts(result.cases),
    )


def _counts(cases: tuple[Case, ...]) -> CaseCounts | None:
    if not cases:
        return None
    ends = [case.status for case in cases]
    return CaseCounts(
        total=len(ends),
        passed=ends.count("passed"),
        failed=ends.count("failed"),
        error=ends.count("error"),
        skipped=ends.count("skipped"),
    )


def _image(image: ReportedImage) -> ImageRecord:
    published = image.published
    return ImageRecord(
        name=image.name,
        ref=published.ref if published else None,
        digest=published.digest if published else None,
        published=published is not None,
        version=image.version,
        platforms=image.platforms,
        base=image.base,
        origin=image.origin,
        repository=published.repository if published else None,
        tags=published.tags if published else (),
        labels=dict(published.labels) if published else None,
    )


def _finite(value: str | float | bool) -> str | int | float | bool:
    """A number that JSON has no sign for (infinite, none at all) as text."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _seconds(value: float) -> float:
    return round(value, 3)
