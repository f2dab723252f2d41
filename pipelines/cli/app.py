"""The command line as a whole."""

from __future__ import annotations

import click

from pipelines.cli.group import Commands

COMMANDS = {
    "run": "pipelines.cli.run",
    "plan": "pipelines.cli.plan",
    "logs": "pipelines.cli.logs",
    "init": "pipelines.cli.init",
    "config": "pipelines.cli.config",
    "images": "pipelines.cli.images",
    "schema": "pipelines.cli.schema",
    "doctor": "pipelines.cli.doctor",
    "engine": "pipelines.cli.engine",
}

EXAMPLES = {
    "": "run every step",
    "run test.unit": "run one step and what it needs",
    "plan": "show what would run",
    "logs test.unit": "show what a step printed",
    "doctor": "check whether this machine can run it",
}

_HELP = """Build, test, scan, measure and publish a project: the same on a laptop and in any CI.

Without a command, `run` is meant. Exit codes: 0 ok, 1 a step failed, 2 usage or configuration, 3 nothing selected, 4 engine, registry or
credentials unavailable (try again), 70 an error in Lockgate itself, 130 and 143 stopped by a signal."""


def _version(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"lockgate {version('lockgate')}")
        context.exit(0)


app = Commands(
    "lockgate",
    modules=COMMANDS,
    examples=EXAMPLES,
    help=_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    params=[
        click.Option(["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version and exit.")
    ],
    epilog="Every command explains itself with --help.",
)
