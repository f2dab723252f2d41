"""`init`: a first lockgate.toml, from what can be seen of the project."""

from __future__ import annotations

import click

from pipelines.cli.options import settings, speaking


@click.command(
    "init",
    short_help="Write a first lockgate.toml.",
    help="""Look at the project (Dockerfile stages, language, tests, k6 scripts, ports) and write a lockgate.toml that works.""",
)
@click.option("--force", is_flag=True, help="Write over an existing lockgate.toml.")
@click.option("--dockerfile", is_flag=True, help="First write a Dockerfile for the language of the project, which must not have one yet.")
@click.option("--print", "only_print", is_flag=True, help="Print it instead of writing it.")
@speaking
def command(*, force: bool, dockerfile: bool, only_print: bool) -> int:
    """Write a first lockgate.toml."""
    from pipelines.cli.name import shown
    from pipelines.errors import UsageError
    from pipelines.steps.first_look import dockerfiles
    from pipelines.steps.proposal import free, propose, write

    here = settings()
    if only_print and dockerfile:
        raise UsageError("--print writes nothing, and --dockerfile writes a file", next_step="use only one of them")
    if only_print:
        here.stdout().line(propose(here.directory).rstrip("\n"))
        return 0
    free(here.directory, force=force)
    written = dockerfiles.write(here.directory) if dockerfile else ()
    written = (*written, write(here.directory, force=force))
    here.stderr().line(f"wrote {', '.join(shown(path) for path in written)}; next: {here.again('plan')}")
    return 0
