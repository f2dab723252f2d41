"""`init`: a first lockgate.toml, from what can be seen of the project."""

from __future__ import annotations

import click

from pipelines.cli.options import settings, speaking


@click.command(
    "init",
    short_help="Write a first lockgate.toml.",
    help="""Look at the project (Dockerfile stages, tests, k6 scripts, ports) and write a lockgate.toml that works.""",
)
@click.option("--force", is_flag=True, help="Write over an existing lockgate.toml.")
@click.option("--print", "only_print", is_flag=True, help="Print it instead of writing it.")
@speaking
def command(*, force: bool, only_print: bool) -> int:
    """Write a first lockgate.toml."""
    from pipelines.cli.name import shown
    from pipelines.config.init import propose, write

    here = settings()
    if only_print:
        here.stdout().line(propose(here.directory).rstrip("\n"))
        return 0
    path = write(here.directory, force=force)
    here.stderr().line(f"wrote {shown(path)}; next: {here.again('plan')}")
    return 0
