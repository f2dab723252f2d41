from __future__ import annotations

from typing import TYPE_CHECKING

from click.shell_completion import BashComplete

from pipelines.cli.app import app
from pipelines.cli.options import Settings

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def offered(*words: str, start: str = "") -> list[str]:
    completion = BashComplete(app, {"obj": Settings()}, "lockgate", "_LOCKGATE_COMPLETE")
    return [item.value for item in completion.get_completions(list(words), start)]


def test_steps_of_the_project_at_hand(project: Path) -> None:
    assert offered("run", start="step.") == ["step.good", "step.bad", "step.after"]
    assert offered("plan", start="step") == ["step.good", "step", "step.bad", "step.after"]
    assert offered("logs", start="step.g") == ["step.good"]


def test_another_project_by_its_folder(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.parent)
    assert offered("run", "-C", str(project), start="step.g") == ["step.good"]


def test_commands_first(project: Path) -> None:
    assert offered() == ["run", "plan", "logs", "init", "config", "images", "schema", "doctor", "engine"]


def test_where_there_is_no_project_nothing_is_offered_and_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert offered("run", start="s") == []
