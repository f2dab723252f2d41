from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.engine.embedded.dockerfile import order, translate
from pipelines.engine.embedded.dockerfile.errors import DockerfileError, Fault
from pipelines.engine.embedded.dockerfile.parse import parse
from pipelines.engine.embedded.dockerfile.stages import lookup

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.engine.embedded.dockerfile.plan import Plan, Stage
    from pipelines.engine.embedded.dockerfile.steps import Step


def steps(plan: Plan, stage: Stage, expressions: Iterable[str]) -> tuple[Step, ...]:
    """The steps of ONBUILD triggers, placed at the stage's FROM line."""
    return tuple(_step(plan, stage, expression) for expression in expressions)


def _step(plan: Plan, stage: Stage, expression: str) -> Step:
    nodes = parse(expression, plan.file).nodes
    names = {other.name: other.index for other in plan.stages if other.name}
    try:
        if len(nodes) != 1:
            raise Fault("onbuild trigger should be a single expression")
        step = translate.step(replace(nodes[0], line=stage.line), lambda name: lookup(names, len(plan.stages), name))
    except Fault as fault:
        raise DockerfileError(f"ONBUILD {expression}: {fault}", line=stage.line, file=plan.file) from None
    order.check(stage, step, plan.stages, plan.file)
    return step
