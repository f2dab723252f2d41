"""What a shell may offer for a step's id: ids and kinds of the project at hand; nothing where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.cli.options import Settings
from pipelines.errors import LockgateError

if TYPE_CHECKING:
    import click


def steps(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Ids and kinds that begin with the incomplete selector."""
    from pipelines.flow.request import RunRequest
    from pipelines.flow.run import plan_project
    from pipelines.steps.catalog import load

    here = context.ensure_object(Settings)
    file = None if here.config is None else here.directory / here.config
    try:
        project = load(here.directory, environ=here.environ, file=file).project
        plan = plan_project(project, RunRequest(environ=here.environ))
    except (LockgateError, OSError):
        return []
    selectors = dict.fromkeys(selector for step in plan.steps for selector in (step.id, step.kind))
    return [selector for selector in selectors if selector.startswith(incomplete)]
