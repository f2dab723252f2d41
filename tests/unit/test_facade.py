"""The public face: what it names, and that it costs nothing until used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import pipelines

HEAVY = ("dagger", "pydantic", "rich", "click", "anyio", "asyncio", "graphql")


def loaded_after(code: str) -> set[str]:
    """Top-level modules a fresh Python has after some code."""
    script = f"{code}\nimport sys, json\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    output = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    return set(json.loads(output))


def test_all_is_sorted_and_every_name_is_there() -> None:
    assert list(pipelines.__all__) == sorted(pipelines.__all__)
    missing = [name for name in pipelines.__all__ if getattr(pipelines, name, None) is None]
    assert missing == []
    assert set(pipelines.__all__) <= set(dir(pipelines))


def test_every_error_is_public() -> None:
    from pipelines import errors

    classes = {name for name, value in vars(errors).items() if isinstance(value, type) and value.__module__ == errors.__name__}
    assert classes <= set(pipelines.__all__)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Pipeline'"):
        _ = pipelines.Pipeline


def test_importing_the_face_imports_nothing_heavy() -> None:
    assert not loaded_after("import pipelines") & set(HEAVY)


def test_a_user_file_imports_nothing_heavy() -> None:
    assert not loaded_after("from pipelines import Check, BuiltImage, Verdict, StepContext, pipeline") & set(HEAVY)


def test_a_plan_imports_neither_dagger_nor_rich_nor_a_loop() -> None:
    code = "from pipelines import load, plan_project, RunRequest, run_project"
    assert not loaded_after(code) & set(HEAVY)


def test_planning_the_example_imports_neither_dagger_nor_rich_nor_a_loop() -> None:
    shop = Path(__file__).parents[2] / "examples" / "shop"
    code = (
        "from pathlib import Path\nfrom pipelines import load, plan_project, RunRequest\n"
        f"project = load(Path({str(shop)!r}), environ={{}}).project\nassert plan_project(project, RunRequest()).steps"
    )
    assert not loaded_after(code) & (set(HEAVY) - {"pydantic"})
