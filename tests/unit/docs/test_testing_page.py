"""docs/testing.md is run as it stands, against a pipeline as users write them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "testing.md"
RELEASE = """
from dagger import dag


async def release() -> str:
    built = dag.container().from_("python:3.12-slim").with_directory("/src", dag.host().directory("."))
    tested = built.with_workdir("/src").with_exec(["pytest", "-q"])
    return await tested.publish("registry.example.com/shop:1")
"""


@pytest.mark.parametrize("rule", ["as written", "no failing rule"])
def test_the_example_passes_and_depends_on_its_rule(rule: str, tmp_path: Path) -> None:
    [snippet] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    if rule == "no failing rule":
        snippet = snippet.replace(".exits(1)", "")
    (tmp_path / "release.py").write_text(RELEASE)
    (tmp_path / "test_release.py").write_text(snippet)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\npythonpath = .\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == (0 if rule == "as written" else 1), done.stdout + done.stderr


def test_every_rule_the_page_names_is_there() -> None:
    from pipelines.engine.embedded.recording import Recording

    named = set(re.findall(r"`recording\.(\w+)", PAGE.read_text()))
    assert named
    assert {name for name in named if not hasattr(Recording(), name)} == set()
