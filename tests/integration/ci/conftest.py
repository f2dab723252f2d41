"""A machine with the real programs, whose folders are the test's own; every registry a test starts is stopped with it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ci.machine.part import Machine
from ci.machine.paths import Paths
from ci.machine.registry import Registry
from ci.machine.runner import Programs
from ci.machine.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def make_machine(tmp_path: Path) -> Iterator[Callable[..., Machine]]:
    """`make_machine(name, **environ)`: machines of one test that know nothing of each other."""
    made: list[Machine] = []

    def make(name: str = "machine", **environ: str) -> Machine:
        root = tmp_path / name
        environment = {**os.environ, **environ}
        paths = Paths(checkout=root / "checkout", cache=root / "cache", state=root / "state", config=root / "config")
        paths.checkout.mkdir(parents=True, exist_ok=True)
        voice = Terminal(environment)
        made.append(Machine(paths=paths, environ=environment, runner=Programs(environment, voice), voice=voice, system="debian 12"))
        return made[-1]

    yield make
    for machine in made:
        record = Registry(machine).record()
        Registry(machine).stop()
        if record:
            os.waitpid(record.pid, 0)  # detached, but this process's child all the same


@pytest.fixture
def machine(make_machine: Callable[..., Machine]) -> Machine:
    return make_machine()
