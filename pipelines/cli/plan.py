"""`plan`: the graph, its order and what would run, without an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.complete import steps
from pipelines.cli.options import Settings, common, settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.cli.terminal import Terminal
    from pipelines.flow.plan import Plan, PlannedStep
    from pipelines.flow.request import RunRequest
    from pipelines.flow.unchanged.prediction import Prediction
    from pipelines.model import Project

SCHEMA = 1
_COLORS = {"cached": "green", "runs": "yellow", "unsure": "cyan"}


@click.command(
    "plan",
    short_help="Show what would run.",
    help="""Show the steps that `run` with the same selectors would run, wave by wave: steps of one wave do not need each other.

Nothing is built, no engine is started, nothing is written.""",
)
@click.argument("selectors", metavar="[SELECTOR]...", nargs=-1, shell_complete=steps)
@click.option("--json", "as_json", is_flag=True, help="Print the plan as a JSON document (schema 1).")
@click.option("--publish/--no-publish", "publish", default=None, help="As with run.")
@click.option(
    "--explain", is_flag=True, help="Say which steps the embedded engine would take from its cache, and why the others would run."
)
@common
def command(selectors: tuple[str, ...], *, as_json: bool, publish: bool | None, explain: bool) -> int:
    """Show what would run."""
    from pipelines.flow.request import RunRequest

    here = settings()
    project = here.load().project
    return show(project, RunRequest(selectors=selectors, publish=publish, environ=here.environ), here, as_json=as_json, explain=explain)


def show(project: Project, request: RunRequest, here: Settings, *, as_json: bool, explain: bool = False) -> int:
    """Print the plan of a request."""
    from pipelines.flow.run import explain_project, plan_project

    plan, predictions = explain_project(project, request) if explain else (plan_project(project, request), ())
    out, clean = here.stdout(), here.cleaner(project)
    if as_json:
        import json

        out.document(clean(json.dumps(document(plan, predictions), indent=2, ensure_ascii=False)))
        return 0
    for line in explained(predictions, out) if explain else _lines(plan, out):
        out.line(clean(line))
    if here.verbosity >= 0:
        for note in plan.notes:
            here.stderr().line(f"{here.stderr().paint('note:', fg='yellow')} {note}")
    return 0


def explained(predictions: Sequence[Prediction], out: Terminal) -> Iterator[str]:
    """What would happen to each step, and why."""
    width = max((len(one.id) for one in predictions), default=0)
    for one in predictions:
        why = tuple(f"{step} runs" for step in one.because) or one.reasons
        verdict = out.paint(f"{one.verdict:<6}", fg=_COLORS[one.verdict])
        yield f"{out.paint(f'{one.id:<{width}}', fg='cyan')}  {verdict}  {why[0] if why else ''}".rstrip()
        yield from (f"{'':<{width + 10}}{reason}" for reason in why[1:])


def document(plan: Plan, predictions: Sequence[Prediction] = ()) -> dict[str, Any]:
    """The plan as plain JSON values; keys are only ever added. `explain` is there for the steps that have a prediction."""
    numbers = waves(plan.steps)
    known = {one.id: {"verdict": one.verdict.value, "reasons": list(one.reasons), "because": list(one.because)} for one in predictions}
    return {
        "schema": SCHEMA,
        "project": plan.project,
        "steps": [
            {
                "id": step.id,
                "kind": step.kind,
                "name": step.name,
                "needs": list(step.needs),
                "wave": numbers.get(step.id),
                "skip": step.skip,
                "describe": step.describe,
                "timeout_s": step.timeout_s,
                **({"explain": known[step.id]} if step.id in known else {}),
            }
            for step in plan.steps
        ],
        "notes": list(plan.notes),
    }


def waves(steps: Sequence[PlannedStep]) -> dict[str, int]:
    """The wave (from 1) every step that would run belongs to: one more than the latest of its needs. Steps come after their needs."""
    found: dict[str, int] = {}
    for step in steps:
        if step.skip is None:
            found[step.id] = 1 + max((found.get(need, 0) for need in step.needs), default=0)
    return found


def _lines(plan: Plan, out: Terminal) -> Iterator[str]:
    numbers = waves(plan.steps)
    width = max((len(step.id) for step in plan.steps), default=0)
    yield f"{out.paint(plan.project, bold=True)}: {len(numbers)} of {len(plan.steps)} steps would run"
    by_wave: dict[int, list[PlannedStep]] = {}
    for step in plan.working:
        by_wave.setdefault(numbers[step.id], []).append(step)
    for wave in sorted(by_wave):
        yield out.paint(f"wave {wave}", dim=True)
        yield from (_working(step, width, out) for step in by_wave[wave])
    skipped = [step for step in plan.steps if step.skip is not None]
    if skipped:
        yield out.paint("not now", dim=True)
        yield from (f"  {step.id:<{width}}  {step.skip}" for step in skipped)


def _working(step: PlannedStep, width: int, out: Terminal) -> str:
    needs = out.paint(f"  after {', '.join(step.needs)}", dim=True) if step.needs else ""
    return f"  {out.paint(f'{step.id:<{width}}', fg='cyan')}  {step.describe}{needs}".rstrip()
