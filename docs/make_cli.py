"""Write the help of every command into docs/cli.md, between its markers; a test fails when they drift apart.

python docs/make_cli.py           write
python docs/make_cli.py --check   exit with 1 when the page is out of date
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.app import app
from pipelines.cli.options import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).with_name("cli.md")
BEGIN, END = "<!-- help: begin (docs/make_cli.py writes this) -->", "<!-- help: end -->"
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


def page(text: str) -> str:
    """The page with the help of now."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    sections = "\n".join(f"### {path}\n\n```text\n{said.rstrip()}\n```\n" for path, said in helps(app))
    return f"{head}{BEGIN}\n\n{sections}\n{END}{tail}"


def main(argv: list[str]) -> int:
    before = PAGE.read_text(encoding="utf-8")
    after = page(before)
    if "--check" not in argv:
        PAGE.write_text(after, encoding="utf-8")
    elif after != before:
        print(f"{PAGE} is out of date: python docs/make_cli.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
