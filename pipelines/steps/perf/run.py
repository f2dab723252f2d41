"""The perf step: a k6 script in a container of its own against the candidate as a service.

The script's folder is mounted, so that it can import its neighbours. `BASE_URL` in its environment says where the candidate is. A
cached outcome is one of the same candidate, script and settings; it is shown with the time it was measured at.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pipelines.errors import StepFailed
from pipelines.steps.common.dagger_errors import explained_errors, output_of
from pipelines.steps.common.references import resolve
from pipelines.steps.common.replay import Attempt, settle, with_attempt
from pipelines.steps.common.services import Bound, bind, services, within_deadlines
from pipelines.steps.common.tool import OUTPUT, ROOT_USER, ReportOption, run_tool
from pipelines.steps.perf import k6
from pipelines.steps.perf.judge import dated, judge_perf

if TYPE_CHECKING:
    import dagger

    from pipelines.model import Check
    from pipelines.steps.common.step_inputs import StepInputs
    from pipelines.steps.common.tool import ToolOutput
    from pipelines.steps.perf.spec import PerfSpec

SCRIPTS = "/lockgate/scripts"
HEALTH = "/lockgate/health.js"
REPORT_OPTION = ReportOption(variable="K6_SUMMARY_EXPORT", flag="--summary-export")
SETTINGS = {"K6_NO_USAGE_REPORT": "true", "K6_AUTO_EXTENSION_RESOLUTION": "false"}
_ABORTED = 108

HEALTH_SCRIPT = """
import http from 'k6/http';
import exec from 'k6/execution';
import { sleep } from 'k6';
const wait = %s;
const once = { executor: 'shared-iterations', vus: 1, iterations: 1, maxDuration: `${wait.seconds + 30}s` };
export const options = { scenarios: { once } };
export default function () {
  const until = Date.now() + wait.seconds * 1000;
  let said = 'no answer';
  while (Date.now() < until) {
    const answer = http.get(wait.url, { timeout: '2s', redirects: 0 });
    if (answer.status >= 200 && answer.status < 400) { return; }
    said = answer.status ? `status ${answer.status}` : answer.error;
    sleep(0.1);
  }
  exec.test.abort(`not healthy: ${said}`);
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A measurement but its attempt."""

    spec: PerfSpec
    container: dagger.Container = field(repr=False)
    bound: Bound
    command: tuple[str, ...]


async def step(spec: PerfSpec, step_inputs: StepInputs) -> Check:
    """Measure the candidate.

    Raises:
        StepFailed: there is no script, or the service never becomes healthy.
        Unavailable: k6's image is unknown or cannot be pulled.
    """
    measurement = _prepare(spec, step_inputs)
    with explained_errors(f"perf {spec.name}"):
        settled = await settle(step_inputs.context, lambda token: _attempt(measurement, step_inputs, token))
    return dated(settled.check) if step_inputs.context.cached else settled.check


def _prepare(spec: PerfSpec, step_inputs: StepInputs) -> Measurement:
    script = Path(step_inputs.project.root) / spec.script
    if not script.is_file():
        raise StepFailed(
            f"perf {spec.name}: there is no k6 script at {script}", next_step=f"write it, or correct `script` in [perf.{spec.name}]"
        )
    (bound,) = services(step_inputs, {spec.alias: spec.service})
    locked = resolve(step_inputs.project, spec.image, wanted_by=f"perf {spec.name}")
    container = step_inputs.client.container().from_(locked.reference).with_user(ROOT_USER).with_workdir(OUTPUT)
    for name, value in {**SETTINGS, "BASE_URL": bound.url, **spec.env}.items():
        container = container.with_env_variable(name, value)
    container = container.with_mounted_directory(SCRIPTS, step_inputs.client.host().directory(str(script.parent)))
    command = (
        "k6",
        "run",
        "--quiet",
        "--no-color",
        "--summary-trend-stats",
        k6.TREND_STATS,
        f"{SCRIPTS}/{PurePosixPath(spec.script).name}",
    )
    return Measurement(spec=spec, container=bind(container, [bound]), bound=bound, command=command)


async def _attempt(measurement: Measurement, step_inputs: StepInputs, token: str | None) -> Attempt:
    keyed = with_attempt(measurement.container, token)
    step_inputs.context.log(f"$ {shlex.join(measurement.command)}\n")
    try:
        result = await within_deadlines(
            [measurement.bound], run_tool(step_inputs, _when_healthy(measurement, keyed), measurement.command, REPORT_OPTION, any_exit=True)
        )
    except Exception as error:
        plain = _unhealthy(measurement, error)
        if plain is None:
            raise
        raise plain from error
    step_inputs.context.log(result.output)
    return Attempt(_judge(measurement.spec, step_inputs, result), result.stamp)


def _when_healthy(measurement: Measurement, container: dagger.Container) -> dagger.Container:
    """The container after the candidate answered, where a path to ask is configured: k6 itself asks, no other tool need be there."""
    health = measurement.bound.health
    if health is None:
        return container
    script = HEALTH_SCRIPT % json.dumps({"url": health.url, "seconds": health.deadline_s})
    return container.with_new_file(HEALTH, script).with_exec(["k6", "run", "--quiet", "--no-summary", HEALTH])


def _unhealthy(measurement: Measurement, error: Exception) -> StepFailed | None:
    """The error of the asking script in plain words."""
    if getattr(error, "exit_code", None) != _ABORTED or HEALTH not in getattr(error, "command", ()):
        return None
    said = next(
        (text.partition("not healthy: ")[2].partition(" at default")[0] for text in k6.errors(output_of(error)) if "not healthy: " in text),
        "no answer",
    )
    health = measurement.bound.health
    where = f" at {health.url}" if health else ""
    return StepFailed(
        f"service {measurement.bound.alias} was not healthy{where} within {measurement.bound.spec.deadline_s:g} s", cause=said
    )


def _judge(spec: PerfSpec, step_inputs: StepInputs, result: ToolOutput) -> Check:
    try:
        summary = k6.parse(result.text) if result.text else None
    except k6.NotSummary:
        summary = None
    artifacts: tuple[str, ...] = ()
    if result.text:
        file = step_inputs.context.folder / "k6-summary.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(result.text, encoding="utf-8")
        artifacts = (str(file.resolve()),)
    measured_at = result.stamp.at if result.stamp is not None else None
    log = result.output.replace(f"file://{SCRIPTS}/", f"{PurePosixPath(spec.script).parent}/")
    return judge_perf(spec, exit_code=result.exit_code, summary=summary, log=log, measured_at=measured_at, artifacts=artifacts)
