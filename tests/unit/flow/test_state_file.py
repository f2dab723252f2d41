"""Which attempt token the next run works with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.flow.state_file import StateFile
from pipelines.model import Result, Status
from pipelines.steps.definition import StepContext

if TYPE_CHECKING:
    from pathlib import Path


def after(path: Path, run: str, status: Status, *, begun: str | None, used: str | None) -> str | None:
    """The token of the step after a run that began with one token and ended with another."""
    state = StateFile.read(path)
    context = StepContext(id="test.unit", run_id=run, folder=path, attempt=begun)
    context.set_attempt(used)
    state.note([Result(id="test.unit", kind="test", name="unit", status=status)], {"test.unit": context})
    state.write()
    return StateFile.read(path).attempt("test.unit")


def test_a_pass_keeps_its_token_and_a_failure_the_one_of_the_last_pass(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    assert after(path, "r1", Status.PASSED, begun=None, used=None) is None
    assert after(path, "r2", Status.FAILED, begun=None, used="r2") is None
    assert after(path, "r3", Status.PASSED, begun=None, used="r3") == "r3"
    assert after(path, "r4", Status.FAILED, begun="r3", used="r4") == "r3"


@pytest.mark.parametrize("status", [Status.FAILED, Status.ERROR, Status.CANCELLED])
def test_what_failed_in_a_fresh_run_works_until_it_passes(tmp_path: Path, status: Status) -> None:
    path = tmp_path / "state.json"
    assert after(path, "r1", Status.PASSED, begun=None, used=None) is None
    assert after(path, "r2", status, begun="r2", used="r2") == "r2"
