from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ci.machine.environment import Environment
from ci.machine.errors import SetupError

if TYPE_CHECKING:
    from ci.machine.part import Machine
    from tests.unit.ci.conftest import FakeRunner


@pytest.fixture
def environment(machine: Machine) -> Environment:
    (machine.paths.checkout / "requirements.lock").write_text("a==1")
    (machine.paths.checkout / "pyproject.toml").write_text("[project]")
    (machine.paths.venv / "bin").mkdir(parents=True)
    (machine.paths.venv / "bin/python").touch()
    return Environment(machine)


def test_packages_come_by_hash_and_the_project_without_a_download(environment: Environment, runner: FakeRunner) -> None:
    environment.provide()
    locked, project = runner.calls
    assert "--require-hashes" in locked
    assert locked.endswith("requirements.lock")
    assert "--no-build-isolation --no-deps --editable" in project
    assert environment.todo() == []


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml"])
def test_it_is_made_again_when_its_inputs_change(environment: Environment, machine: Machine, changed: str) -> None:
    environment.provide()
    (machine.paths.checkout / changed).write_text("b==2")
    assert environment.todo() != []


def test_a_failed_install_leaves_something_to_do(environment: Environment, machine: Machine, runner: FakeRunner) -> None:
    runner.answers[f"{machine.paths.venv}/bin/python -m pip"] = SetupError("no network")
    with pytest.raises(SetupError):
        environment.provide()
    assert environment.todo() != []
