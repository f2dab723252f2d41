"""Options every command takes, and what they amount to."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipelines.cli.name import SCRIPT, command_line, here, shadows, shown
from pipelines.cli.terminal import Progress, Terminal, When, inspect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipelines.config import Loaded
    from pipelines.model import Project

Function = TypeVar("Function", bound="Callable[..., Any]")


@dataclass(slots=True, kw_only=True)
class Settings:
    """Where to look for the project, and how to speak. `directory` is where a command works; relative paths on the line are below it."""

    directory: Path = field(default_factory=here)
    config: Path | None = None
    overrides: dict[str, object] = field(default_factory=dict)
    verbosity: int = 0
    color: When = When.AUTO
    program: str = SCRIPT
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)

    def stderr(self, progress: Progress = Progress.AUTO) -> Terminal:
        """Standard error as a terminal: for everything that is not data."""
        return inspect(sys.stderr, self.environ, color=self.color, progress=progress)

    def stdout(self) -> Terminal:
        """Standard output as a terminal: for data."""
        return inspect(sys.stdout, self.environ, color=self.color, data=True)

    def cleaner(self, project: Project) -> Callable[[str], str]:
        """A function that masks the secrets of a project, as far as they can be read now."""
        from pipelines.flow.secret_values import secret_values

        values = tuple(secret_values(project, self.environ))
        if not values:
            return lambda text: text
        from pipelines.foundation.redaction import Redactor

        return Redactor(values).text

    def load(self, overrides: Mapping[str, object] | None = None) -> Loaded:
        """Read the project's configuration; its notes go to standard error.

        Raises:
            ConfigError: there is none, or it is wrong.
        """
        from pipelines.steps.catalog import load

        file = None if self.config is None else self.directory / self.config
        loaded = load(self.directory, environ=self.environ, overrides={**self.overrides, **(overrides or {})}, file=file)
        if shadows(loaded.project.root):
            self.program = SCRIPT
        if self.verbosity >= 0:
            err = self.stderr()
            for note in loaded.notes:
                err.line(f"{err.paint('note:', fg='yellow')} {note}")
            if self.verbosity > 0:
                err.line(err.paint(f"configuration: {loaded.project.config_file}", dim=True))
        return loaded

    def again(self, *arguments: str) -> str:
        """The command line that runs these arguments on the same project."""
        where = [] if self.directory == here() else ["-C", shown(self.directory)]
        config = [] if self.config is None else ["--config", str(self.config)]
        return command_line(self.program, [*arguments[:1], *where, *config, *arguments[1:]])


def settings() -> Settings:
    """The settings of the command at work."""
    return click.get_current_context().ensure_object(Settings)


def _into(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def remember(context: click.Context, _parameter: click.Parameter, value: Any) -> None:
        if value is not None:
            setattr(context.ensure_object(Settings), name, value)

    return remember


def _directory(context: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    if value is not None:
        context.ensure_object(Settings).directory = here() / value


def _verbosity(context: click.Context, parameter: click.Parameter, value: int) -> None:
    context.ensure_object(Settings).verbosity += value if parameter.name == "verbose" else -value


def _override(context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> None:
    for text in values:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{text!r} is not KEY=VALUE, such as scan.fail_on=critical")
        context.ensure_object(Settings).overrides[key] = value


_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(path_type=Path)

_SPEAKING = (
    click.option(
        "-C", "--directory", type=_FOLDER, expose_value=False, callback=_directory, help="Work on the project found from this folder."
    ),
    click.option("-v", "--verbose", count=True, expose_value=False, callback=_verbosity, help="Print more, also the output of steps."),
    click.option("-q", "--quiet", count=True, expose_value=False, callback=_verbosity, help="Print less."),
    click.option(
        "--color",
        type=click.Choice([when.value for when in When]),
        expose_value=False,
        callback=lambda context, parameter, value: _into("color")(context, parameter, None if value is None else When(value)),
        help="Colour: auto (default), always, never.",
    ),
)

_CONFIGURING = (
    click.option("--config", type=_FILE, expose_value=False, callback=_into("config"), help="Read this configuration file."),
    click.option(
        "--set", "overrides", metavar="KEY=VALUE", multiple=True, expose_value=False, callback=_override, help="Override a setting."
    ),
)


def renamed_option(new: str) -> Callable[[click.Context, click.Parameter, str | None], None]:
    """A callback for a hidden option that has the name `new` now: whoever still uses the old name is told."""

    def refuse(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
        if value is not None:
            raise click.UsageError(f"the option {parameter.opts[0]} is now called {new}", context)

    return refuse


def common(function: Function) -> Function:
    """Give a command the options of every command that reads the configuration."""
    return _with(function, *_CONFIGURING, *_SPEAKING)


def speaking(function: Function) -> Function:
    """Give a command the options of every command."""
    return _with(function, *_SPEAKING)


def _with(function: Function, *options: Callable[[Function], Function]) -> Function:
    for option in reversed(options):
        function = option(function)
    return function


TAKE_A_VALUE = frozenset(
    {"-C", "--directory", "--color", "--config", "--set", "-o", "--output", "--engine", "-j", "--jobs", "--width", "--progress"},
)
"""Options of `run` that are followed by a value of their own (`-C DIR`, not `--config=FILE`): they may stand before a command."""
