"""`schema`: the JSON schemas of what Lockgate writes."""

from __future__ import annotations

import click

from pipelines.cli.options import settings, speaking


@click.group("schema", short_help="Print JSON schemas of what Lockgate writes.", help="Print JSON schemas of what Lockgate writes.")
def command() -> None:
    """Hold one command a document."""


@command.command("run", short_help="Print the JSON schema of run.json.")
@speaking
def run() -> int:
    """Print the JSON schema of run.json, the record of a run; `run --json` prints the same document."""
    import json

    from pipelines.report.record import record_schema

    settings().stdout().line(json.dumps(record_schema(), indent=2))
    return 0
