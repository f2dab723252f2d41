"""The test step: a command in a stage of an image, with services beside it; JUnit in, cases and findings out."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.foundation.clock import unix_time
from pipelines.steps.common.command import Command, execute, is_wrapped, stop_at
from pipelines.steps.common.dagger_errors import explained_errors, is_service, translate
from pipelines.steps.common.replay import Attempt, settle
from pipelines.steps.common.secrets import with_secrets
from pipelines.steps.common.services import bind, services, stage, within_deadlines
from pipelines.steps.test import junit
from pipelines.steps.test.judge import judge_test
from pipelines.steps.test.reports import is_pattern, read_reports

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import dagger

    from pipelines.model import Check
    from pipelines.steps.common.command import Outcome
    from pipelines.steps.common.services import Bound
    from pipelines.steps.common.step_inputs import StepInputs
    from pipelines.steps.test.spec import TestSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Everything of a test but its attempt."""

    spec: TestSpec
    container: dagger.Container
    bound: tuple[Bound, ...]
    report: str | None
    began: float


async def step(spec: TestSpec, step_inputs: StepInputs) -> Check:
    """Run the tests; a command that fails still gives its reports.

    Raises:
        StepFailed: the stage does not build, or a service never becomes healthy.
        CredentialsError: a secret cannot be read.
        Unavailable: engine or registry do not answer.
    """
    prepared = await _prepare(spec, step_inputs)
    outcome = await settle(step_inputs.context, lambda token: _attempt(prepared, step_inputs, token))
    return outcome.check


async def _prepare(spec: TestSpec, step_inputs: StepInputs) -> Prepared:
    began = unix_time()
    container = stage(step_inputs.images[spec.image.name], spec.image.target)
    for name, value in spec.env.items():
        container = container.with_env_variable(name, value)
    container = await with_secrets(step_inputs, container, spec.secrets)
    bound = services(step_inputs, spec.services)
    report = spec.junit or junit.named_in(spec.command)
    if report is not None and not is_pattern(report):
        container = container.without_file(report)  # one that came with the image would speak for tests that never ran
    return Prepared(spec=spec, container=bind(container, bound), bound=bound, report=report, began=began)


async def _attempt(prepared: Prepared, step_inputs: StepInputs, token: str | None) -> Attempt:
    spec = prepared.spec
    command = Command(
        arguments=spec.command,
        health=[service.health for service in prepared.bound if service.health is not None],
        until=stop_at(prepared.began, spec.limits.timeout_s),
    )
    with explained_errors(f"test {spec.name}"), _stage_errors(spec):
        outcome = await within_deadlines(prepared.bound, execute(step_inputs, prepared.container, command, token))
        reports = await read_reports(outcome, prepared.report)
    return Attempt(_judge(prepared, step_inputs, outcome, reports), outcome.stamp)


@contextmanager
def _stage_errors(spec: TestSpec) -> Iterator[None]:
    """Tell a stage that does not build from a test that does not run: the stage is built when the command first needs it."""
    import dagger

    try:
        yield
    except dagger.ExecError as error:
        if is_wrapped(error) or is_service(error):
            raise
        raise translate(error, f"build stage {spec.image.target} of image {spec.image.name}") or error from error


def _judge(prepared: Prepared, step_inputs: StepInputs, outcome: Outcome, reports: Sequence[bytes]) -> Check:
    files = []
    for number, text in enumerate(reports):
        file = step_inputs.context.folder / ("junit.xml" if number == 0 else f"junit-{number}.xml")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text)
        files.append(str(file.resolve()))
    return judge_test(
        exit_code=outcome.exit_code,
        marks=outcome.marks,
        last_line=outcome.last_line,
        report=prepared.report,
        texts=reports,
        artifacts=tuple(files),
        limit_s=prepared.spec.limits.timeout_s,
    )
