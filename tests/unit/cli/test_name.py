from __future__ import annotations

from pathlib import Path

import pytest

import pipelines
from pipelines.cli.name import command_line, program_name, renamed, shadows, shown

OURS = Path(str(pipelines.__file__)).resolve().parents[1]


def test_the_name_is_how_it_was_started(tmp_path: Path) -> None:
    assert program_name("/usr/bin/lockgate", tmp_path) == "lockgate"
    assert program_name(str(OURS / "pipelines" / "__main__.py"), tmp_path) == "python -m pipelines"


def test_a_folder_with_pipelines_of_its_own_is_told_the_other_name(tmp_path: Path) -> None:
    (tmp_path / "pipelines").mkdir()
    assert shadows(tmp_path)
    assert program_name("/x/pipelines/__main__.py", tmp_path) == "lockgate"


def test_a_module_hides_ours_too(tmp_path: Path) -> None:
    (tmp_path / "pipelines.py").touch()
    assert shadows(tmp_path)


def test_our_own_checkout_hides_nothing() -> None:
    assert not shadows(OURS)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("`lockgate plan` shows every step", "`python -m pipelines plan` shows every step"),
        ("lockgate run test.unit", "python -m pipelines run test.unit"),
        ("edit lockgate.toml", "edit lockgate.toml"),
        ("a lockgate plane", "a lockgate plane"),
        ("/opt/lockgate run", "/opt/lockgate run"),
    ],
)
def test_commands_in_text_get_the_name(text: str, told: str) -> None:
    assert renamed(text, "python -m pipelines") == told
    assert renamed(text, "lockgate") == text


def test_a_command_line_can_be_copied() -> None:
    assert command_line("lockgate", ["run", "a b", "c"]) == "lockgate run 'a b' c"
    assert command_line("lockgate", []) == "lockgate"


def test_a_path_is_shown_relative_where_it_is_below(tmp_path: Path) -> None:
    assert shown(tmp_path / "a" / "b", tmp_path) == "a/b"
    assert shown("/etc/hosts", tmp_path) == "/etc/hosts"
