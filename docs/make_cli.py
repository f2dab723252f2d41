"""Write the help of every command into docs/cli.md, between its markers; a test fails when they drift apart.

python -m docs.make_cli           write
python -m docs.make_cli --check   exit with 1 when the page is out of date
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from docs.generated import Part
from pipelines.cli.app import app
from pipelines.cli.options import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 100


def helps(command: click.Command, parent: click.Context | None = None) -> Iterator[tuple[str, str]]:
    """The path and help of a command and all below it."""
    context = click.Context(
        command, parent=parent, info_name=command.name, obj=Settings(), max_content_width=WIDTH, help_option_names=["-h", "--help"]
    )
    context.terminal_width = WIDTH
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from helps(below, context)


def sections() -> str:
    """The help of every command, each under its own heading."""
    return "\n".join(f"### {path}\n\n```text\n{said.rstrip()}\n```\n" for path, said in helps(app))


if __name__ == "__main__":
    sys.exit(Part("cli.md", "help", "make_cli", sections).main(sys.argv[1:]))
