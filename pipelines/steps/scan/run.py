"""The scan step: Trivy in a container of its own, over an image or over the sources.

The database is mounted from an image, so its content is part of the scan's key, and every scan has its own writable view of it: any
number may run at once (Trivy's own cache folder takes one process at a time).
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.errors import StepFailed
from pipelines.foundation.clock import utc_now
from pipelines.foundation.files import OWN_FOLDER
from pipelines.model import Check, OnInconclusive, Verdict
from pipelines.steps.common.dagger_errors import explained_errors
from pipelines.steps.common.references import resolve
from pipelines.steps.common.replay import Attempt, settle, with_attempt
from pipelines.steps.common.tool import OUTPUT, ROOT_USER, ReportOption, run_tool
from pipelines.steps.image.build_context import caches_below
from pipelines.steps.scan import database, trivy
from pipelines.steps.scan.judge import NO_DATABASE, judge_scan

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dagger

    from pipelines.model import BuiltImage
    from pipelines.steps.common.replay import Stamp
    from pipelines.steps.common.step_inputs import StepInputs
    from pipelines.steps.scan.database import Database
    from pipelines.steps.scan.spec import ScanSpec

ROOT = "/lockgate"
CACHE = f"{ROOT}/cache"
ALWAYS = ("--skip-db-update", "--skip-java-db-update", "--skip-check-update", "--offline-scan", "--no-progress", "--format", "json")
REPORT_OPTION = ReportOption(variable="TRIVY_OUTPUT", flag="--output")
NOT_SOURCES = (".git", f"**/{OWN_FOLDER}", "**/lockgate.local.toml", "**/.venv", "**/node_modules")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One call of Trivy: its container with the thing to scan in place, and its arguments."""

    container: dagger.Container = field(repr=False)
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedScan:
    """A scan but its attempt; `image` is None for the sources."""

    spec: ScanSpec
    image: str | None
    database: Database
    targets: Sequence[Target]


async def step(spec: ScanSpec, image: str | None, step_inputs: StepInputs) -> Check:
    """Scan an image of the project (every platform of it), or the sources when `image` is None.

    Raises:
        StepFailed: Trivy itself fails.
        Unavailable: an image Trivy needs is unknown or cannot be pulled.
    """
    with explained_errors(f"scan {image or 'sources'}"):
        found = await database.load(step_inputs, spec)
        if found is None:
            return _without_database(spec)
        targets = (
            (_source_target(step_inputs, spec, found),)
            if image is None
            else _image_targets(step_inputs, spec, found, step_inputs.images[image])
        )
        prepared = PreparedScan(spec=spec, image=image, database=found, targets=targets)
        settled = await settle(step_inputs.context, lambda token: _attempt(step_inputs, prepared, token))
    return settled.check


def _without_database(spec: ScanSpec) -> Check:
    return Check(verdict=Verdict.NO_DATA, reason=NO_DATABASE, facts={"database": "none"}, warn=spec.on_inconclusive is OnInconclusive.WARN)


async def _attempt(step_inputs: StepInputs, prepared: PreparedScan, token: str | None) -> Attempt:
    texts: list[str] = []
    stamps: list[Stamp | None] = []
    for target in prepared.targets:
        command = ["trivy", *target.arguments]
        step_inputs.context.log(f"$ {shlex.join(command)}\n")
        result = await run_tool(step_inputs, with_attempt(target.container, token), command, REPORT_OPTION)
        step_inputs.context.log(result.output)
        texts.append(result.text)
        stamps.append(result.stamp)
    reports, now = [_read(text, prepared.image) for text in texts], utc_now()
    check = judge_scan(
        reports, prepared.spec, prepared.database, now, image=prepared.image is not None, artifacts=_keep(step_inputs, texts)
    )
    return Attempt(check, _newest(stamps, step_inputs.context.run_id))


def _newest(stamps: Sequence[Stamp | None], run_id: str) -> Stamp | None:
    """The stamp that speaks for all: a scan counts as replayed only when every part of it was."""
    return next((stamp for stamp in stamps if stamp is None or stamp.run_id == run_id), stamps[0])


def _read(text: str, image: str | None) -> trivy.TrivyReport:
    try:
        return trivy.parse(text, image=image)
    except trivy.NotTrivy as problem:
        raise StepFailed(
            f"Trivy's report cannot be read: {problem}", cause="the image named by scan.image holds another program or version"
        ) from None


def _keep(step_inputs: StepInputs, texts: Sequence[str]) -> tuple[str, ...]:
    files = []
    for number, text in enumerate(texts):
        file = step_inputs.context.folder / ("trivy.json" if number == 0 else f"trivy-{number}.json")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        files.append(str(file.resolve()))
    return tuple(files)


def _trivy(step_inputs: StepInputs, spec: ScanSpec, found: Database) -> dagger.Container:
    """Trivy's container: no updates, no calls home; the settings newer versions know are variables, which older ones ignore."""
    locked = resolve(step_inputs.project, spec.image, wanted_by="scan")
    container = step_inputs.client.container().from_(locked.reference).with_user(ROOT_USER).with_workdir(OUTPUT)
    for name, value in {"TRIVY_CACHE_DIR": CACHE, "TRIVY_SKIP_VERSION_CHECK": "true", "TRIVY_DISABLE_TELEMETRY": "true"}.items():
        container = container.with_env_variable(name, value)
    assert found.folder is not None  # noqa: S101 - load() always sets it
    return container.with_mounted_directory(f"{CACHE}/db", found.folder)


def _image_targets(step_inputs: StepInputs, spec: ScanSpec, found: Database, image: BuiltImage) -> tuple[Target, ...]:
    """Trivy on the tarball of each platform's image as it will be pushed: layers, and secrets in its environment and history."""
    base, path = _trivy(step_inputs, spec, found), f"{ROOT}/{image.name}.tar"
    arguments = ("image", *ALWAYS, "--scanners", "vuln,secret", "--image-config-scanners", "secret", "--input", path)
    return tuple(
        Target(container=base.with_mounted_file(path, variant.as_tarball()), arguments=arguments)
        for variant in image.variants or (image.container,)
    )


def _source_target(step_inputs: StepInputs, spec: ScanSpec, found: Database) -> Target:
    apart = [*NOT_SOURCES, *caches_below(step_inputs.project.root, os.environ)]
    sources = step_inputs.client.host().directory(str(step_inputs.project.root), exclude=apart, gitignore=True)
    container = _trivy(step_inputs, spec, found).with_mounted_directory(f"{ROOT}/sources", sources)
    return Target(container=container, arguments=("fs", *ALWAYS, "--scanners", "vuln,misconfig,secret", f"{ROOT}/sources"))
