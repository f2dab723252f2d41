"""`doctor`: can this machine run this project. Reads and tries, changes nothing."""

from __future__ import annotations

import click

from pipelines.cli.options import common, settings
from pipelines.errors import ExitCode


@click.command(
    "doctor",
    short_help="Check whether this machine can run the project.",
    help="""Check Python, configuration, engine (namespaces, overlay, runc, skopeo, network), registry, whether every image is available,
the age of the vulnerability database, disk, clock, tools and local files. Every problem comes with a line that says how to
solve it. Exits with 4 if something that is needed is missing.""",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document (schema 1).")
@common
def command(*, as_json: bool) -> int:
    """Check whether this machine can run the project."""
    from pipelines.cli.checkup import CheckState, examine

    here = settings()
    answers = examine(here)
    out = here.stdout()
    if as_json:
        import dataclasses
        import json

        out.document(json.dumps({"schema": 1, "checks": [dataclasses.asdict(answer) for answer in answers]}, indent=2))
    else:
        marks = {CheckState.OK: ("ok", "green"), CheckState.WARNING: ("warning", "yellow"), CheckState.FAILED: ("failed", "red")}
        width = max(len(answer.name) for answer in answers)
        for answer in answers:
            word, color = marks[answer.state]
            out.line(f"{out.paint(f'{word:<7}', fg=color)}  {answer.name:<{width}}  {answer.detail}")
            if answer.fix is not None:
                out.line(f"{'':<7}  {'':<{width}}  {out.paint('fix:', dim=True)} {answer.fix}")
    return ExitCode.UNAVAILABLE if any(answer.state is CheckState.FAILED for answer in answers) else ExitCode.OK
