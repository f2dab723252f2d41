"""Users that containers of built-in steps run as."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pipelines.steps
from pipelines.steps.common import tool

FILES = sorted(Path(next(iter(pipelines.steps.__path__))).rglob("*.py"))


def test_tools_run_as_a_user_and_a_group_by_number() -> None:
    """An image without /etc/passwd has no names, and a Dagger engine looks up the group of a user that comes without one."""
    user, _, group = tool.ROOT_USER.partition(":")
    assert user.isdigit()
    assert group.isdigit()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_step_names_another_user(file: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    users = [call.args[0] for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "with_user"]
    assert [ast.unparse(user) for user in users if ast.unparse(user) != "ROOT_USER"] == []
