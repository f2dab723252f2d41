from __future__ import annotations

import click
import pytest

from pipelines.cli.app import COMMANDS, app
from pipelines.cli.options import TAKE_A_VALUE


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ([], ["run"]),
        (["--json"], ["run", "--json"]),
        (["plan"], ["plan"]),
        (["-v", "plan", "--json"], ["plan", "-v", "--json"]),
        (["--config", "plan", "plan"], ["plan", "--config", "plan"]),
        (["-C", "run"], ["run", "-C", "run"]),
        (["--config=x", "logs", "a"], ["logs", "--config=x", "a"]),
        (["test.unit"], ["run", "test.unit"]),
        (["test", "scan"], ["run", "test", "scan"]),
        (["--json", "--engine=embedded", "image"], ["run", "--json", "--engine=embedded", "image"]),
        (["--progress", "plain"], ["run", "--progress", "plain"]),
        (["-j", "3", "test"], ["run", "-j", "3", "test"]),
        (["-h"], ["-h"]),
        (["-v", "--help"], ["--help"]),
        (["run", "--help"], ["run", "--help"]),
        (["--json", "--", "plan"], ["run", "--json", "--", "plan"]),
    ],
)
def test_the_command_comes_first_and_may_be_left_out(given: list[str], meant: list[str]) -> None:
    assert app.arranged(given) == meant


@pytest.mark.parametrize(("word", "close"), [("pln", "plan"), ("docter", "doctor"), ("imge", "image")])
def test_a_misspelt_command_is_guessed(word: str, close: str) -> None:
    with pytest.raises(click.UsageError, match=f"did you mean {close}"):
        app.arranged([word])


def test_a_word_like_nothing_is_not_guessed() -> None:
    with pytest.raises(click.UsageError, match=r"'qqq' is neither a command nor the id or kind of a step$"):
        app.arranged(["qqq"])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_exists_and_says_in_one_line_what_it_does(name: str) -> None:
    command = app.get_command(click.Context(app), name)
    assert command is not None
    assert command.name == name
    assert command.short_help
    assert len(command.short_help) < 75
    assert command.short_help.endswith(".")


def every_command(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    found: list[tuple[tuple[str, ...], click.Command]] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found.append(((*path, name), command))
        if isinstance(command, click.Group):
            found += every_command(command, (*path, name))
    return found


@pytest.mark.parametrize(("path", "command"), every_command(app), ids=lambda value: "-".join(value) if isinstance(value, tuple) else "")
def test_every_option_has_a_full_name_and_a_sentence(path: tuple[str, ...], command: click.Command) -> None:
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert any(name.startswith("--") for name in parameter.opts)
            assert parameter.help, f"{path}: {parameter.opts}"
            assert parameter.help.endswith(".")


def test_options_with_a_value_are_known_where_the_command_is_looked_for() -> None:
    run = app.get_command(click.Context(app), "run")
    assert run is not None
    options = [parameter for parameter in run.params if isinstance(parameter, click.Option)]
    assert {name for option in options if not option.is_flag and not option.count for name in option.opts} == TAKE_A_VALUE
