"""The command group: commands imported when they are asked for, and `run` where none is named."""

from __future__ import annotations

import contextlib
import importlib
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import TAKE_A_VALUE, Settings
from pipelines.foundation.similar import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEFAULT = "run"
_GROUP_OPTIONS = frozenset({"-h", "--help", "--version"})


class Commands(click.Group):
    """A group whose commands are names of modules (`run` in `pipelines.cli.run`, as `command`) until one is used.

    Attributes:
        reader_left: the reader of the output closed it before everything was written.
    """

    def __init__(self, name: str, *, modules: Mapping[str, str], examples: Mapping[str, str], **attributes: object) -> None:
        super().__init__(name, **attributes)  # type: ignore[arg-type]
        self._modules = modules
        self._examples = examples
        self.reader_left = False

    def make_context(self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any) -> click.Context:
        """As click's, except that a closed output (`| head`) ends the command without a message of click's."""
        with self._to_the_end():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """As click's; see `make_context`."""
        with self._to_the_end():
            return super().invoke(ctx)

    @contextlib.contextmanager
    def _to_the_end(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            self.reader_left = True
            raise click.exceptions.Exit(0) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order people meet them."""
        _ = ctx
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        _ = ctx
        module = self._modules.get(cmd_name)
        if module is None:
            return None
        found = importlib.import_module(module).command
        assert isinstance(found, click.Command)  # noqa: S101 - a table of ours
        return found

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What it is, then examples under the name this program was started by."""
        super().format_help_text(ctx, formatter)
        program = ctx.ensure_object(Settings).program
        with formatter.section("Examples"):
            formatter.write_dl([(f"{program} {words}".rstrip(), text) for words, text in self._examples.items()], col_max=40)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Bring the command to the front; `run` where there is none."""
        return super().parse_args(ctx, args if ctx.resilient_parsing else self.arranged(args))

    def arranged(self, args: list[str]) -> list[str]:
        """The arguments with a command first: options may stand before it, and it may be left out for `run`.

        Raises:
            UsageError: the first word is neither a command nor a step's id or kind.
        """
        position = self._first_word(args)
        if position is None:
            return [DEFAULT, *args]
        word = args[position]
        if word in _GROUP_OPTIONS:
            return [word]
        if word in self._modules:
            return [word, *args[:position], *args[position + 1 :]]
        if word in _kinds() or "." in word:
            return [DEFAULT, *args]
        raise click.UsageError(
            f"{word!r} is neither a command nor the id or kind of a step{did_you_mean(word, [*self._modules, *_kinds()])}"
        )

    def _first_word(self, args: list[str]) -> int | None:
        """Where the first word is that is not an option or an option's value; options of the group itself count as words."""
        position = 0
        while position < len(args):
            token = args[position]
            if token == "--":  # noqa: S105 - the end of options
                return None
            if token in _GROUP_OPTIONS or not token.startswith("-"):
                return position
            position += 2 if token in TAKE_A_VALUE else 1
        return None


def _kinds() -> tuple[str, ...]:
    """The names of the kinds of step."""
    from pipelines.steps.kinds import KINDS

    return tuple(kind.name for kind in KINDS)
