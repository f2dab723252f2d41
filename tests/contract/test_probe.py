"""The questions a real engine's answers were recorded with, asked of this engine: where they lie beside the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.rootless]

SHARED = Path(os.environ.get("LOCKGATE_SHARED", Path(__file__).parents[3] / "shared")) / "dagger"
RECORDED = "observed-0.21.8.json"
IMAGE, REGISTRY = "localhost:5000/library/python:3.11-slim", "localhost:5000"  # it was asked with these


@pytest.fixture(scope="session")
def recorded(is_real: bool, image: str, registry: str) -> dict[str, Any]:
    if not (SHARED / RECORDED).is_file():
        pytest.skip(f"needs {RECORDED} and probe.py: set LOCKGATE_SHARED to the folder that has them in `dagger`")
    if is_real:
        pytest.skip("for the embedded engine: a real one of another version has other answers")
    text = (SHARED / RECORDED).read_text().replace(IMAGE, image.split("@", maxsplit=1)[0]).replace(REGISTRY, registry)
    answers: dict[str, Any] = json.loads(text)
    return answers


def differences(recorded: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    """Of errors, the class, the command and the exit code count; their wording does not."""
    for name, wanted in recorded.items():
        answer = found.get(name, "missing")
        if isinstance(wanted, dict) and "error" in wanted:
            facts = {key: wanted[key] for key in ("error", "command", "exit_code") if key in wanted}
            if not isinstance(answer, dict) or facts != {key: answer.get(key) for key in facts}:
                yield f"{name}: expected {facts}, got {answer}"
        elif wanted != answer:
            yield f"{name}: expected {wanted}, got {answer}"


@pytest.mark.timeout(300)
def test_every_recorded_answer_is_given(recorded: dict[str, Any], engine_environment: None, image: str, registry: str) -> None:
    environ = {**os.environ, "PROBE_IMAGE": image, "PROBE_REGISTRY": registry}
    done = subprocess.run([sys.executable, SHARED / "probe.py"], env=environ, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    assert list(differences(recorded, json.loads(done.stdout))) == []
    assert len(recorded) >= 84


def test_a_difference_would_be_seen() -> None:
    recorded = {"a": 1, "b": {"error": "ExecError", "exit_code": 7, "message": "so"}, "c": {"x": 1}}
    assert list(differences(recorded, {"a": 1, "b": {"error": "ExecError", "exit_code": 7, "message": "else"}, "c": {"x": 1}})) == []
    found = list(differences(recorded, {"a": 2, "b": {"error": "QueryError", "exit_code": 7}}))
    assert [line.split(":")[0] for line in found] == ["a", "b", "c"]
