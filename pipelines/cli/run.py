"""`run`: the steps of a project, in the order their needs give, as many at once as may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.complete import steps
from pipelines.cli.options import Settings, common, renamed_option, settings
from pipelines.cli.terminal import Progress
from pipelines.errors import UsageError
from pipelines.model.project import EngineKind

if TYPE_CHECKING:
    from pipelines.flow.request import RunRequest
    from pipelines.model import Project, Run


@click.command(
    "run",
    short_help="Run steps (the default command).",
    help="""Run the given steps, and what they need; without a selector, all of them.

SELECTOR is the id of a step (test.unit) or a kind (test). Every run leaves its results in .lockgate/reports and its logs in .lockgate/runs.

On a terminal a board shows what happens; elsewhere, in CI and under `dagger run` there are plain lines. Data goes to standard output: the
published references, or with --json the document of the run.""",
)
@click.argument("selectors", metavar="[SELECTOR]...", nargs=-1, shell_complete=steps)
@click.option("--json", "as_json", is_flag=True, help="Print the run as a JSON document (schema 1).")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, allow_dash=True), help="Write the JSON document to a file; - is standard output."
)
@click.option("--engine", type=click.Choice([kind.value for kind in EngineKind]), help="Which engine runs the containers.")
@click.option("--publish/--no-publish", "publish", default=None, help="Publish, or do not publish, whatever `when` in [publish] says.")
@click.option(
    "--keep-going/--fail-fast",
    "keep_going",
    default=None,
    help="After a failure, continue with steps that do not need the failed one, or stop.",
)
@click.option("-j", "--jobs", type=click.IntRange(min=1), help="How many steps may run at the same time.")
@click.option("--width", hidden=True, help="The old name of --jobs.", expose_value=False, is_eager=True, callback=renamed_option("--jobs"))
@click.option("--fresh", is_flag=True, help="Take nothing over from earlier runs, and run tests, scans and measurements again.")
@click.option("--allow-empty", is_flag=True, help="Do not fail when there is no step to run.")
@click.option("--dry-run", is_flag=True, help="Show what would run, as `plan` does.")
@click.option("--progress", type=click.Choice([kind.value for kind in Progress]), default="auto", help="Live board or plain lines.")
@common
def command(selectors: tuple[str, ...], **options: Any) -> int:
    """Run the given steps, and what they need."""
    from pipelines.cli.ci import guarded
    from pipelines.cli.watch import watch

    here = settings()
    project = here.load({"engine.kind": options["engine"]}).project
    request = _request(selectors, options, here)
    if options["dry_run"]:
        from pipelines.cli.plan import show

        return show(project, request, here, as_json=options["as_json"])
    _check_output(options["output"], here)
    with guarded(here):
        run = watch(project, request, here, Progress(options["progress"]))
        try:
            _report(run, project, here, as_json=options["as_json"], output=options["output"])
        except OSError as error:
            run = _not_printed(run, project, here, error)
    return int(run.exit_code)


def _not_printed(run: Run, project: Project, here: Settings, error: OSError) -> Run:
    """The run whose data standard output did not take: that is a problem of the run, as it is with --output."""
    from pipelines.flow.folder import ProjectHome
    from pipelines.flow.run_record import record_problem

    problem = f"standard output cannot be written: {error.strerror or error}"
    here.stderr().line(f"{here.stderr().paint('error:', fg='red', bold=True)} {problem}")
    return record_problem(ProjectHome.of(project.root), run, problem)


def _check_output(output: str | None, here: Settings) -> None:
    """Refuse before the run what could not be written after it.

    Raises:
        UsageError: the folder of the file is not there.
    """
    if output is not None and output != "-" and not (here.directory / output).parent.is_dir():
        raise UsageError(f"--output {output}: there is no folder {(here.directory / output).parent}", next_step="create the folder first")


def _request(selectors: tuple[str, ...], options: dict[str, Any], here: Settings) -> RunRequest:
    from pipelines.flow.request import RunRequest

    return RunRequest(
        selectors=selectors,
        publish=options["publish"],
        jobs=options["jobs"],
        keep_going=options["keep_going"],
        allow_empty=options["allow_empty"],
        output=here.directory / options["output"] if options["output"] not in {None, "-"} else None,
        fresh=options["fresh"],
        environ=here.environ,
    )


def _report(run: Run, project: Project, here: Settings, *, as_json: bool, output: str | None) -> None:
    from pipelines.cli.ci import tell_provider
    from pipelines.cli.summary import summarise
    from pipelines.flow.folder import ProjectHome

    reports = ProjectHome.of(project.root).reports
    summarise(run, here, here.stderr(), reports=str(reports) if reports.is_dir() else None)
    tell_provider(run, project, here)
    if output == "-" or (as_json and output is None):
        _print_document(run, here)
    if not as_json and output != "-":
        _print_published(run, here)


def _print_document(run: Run, here: Settings) -> None:
    from pipelines.report.record import render

    here.stdout().document(render(run).removesuffix("\n"))


def _print_published(run: Run, here: Settings) -> None:
    from pipelines.report.select import images

    for image in images(run.results):
        if image.published is not None:
            here.stdout().line(image.published.ref)
