"""A container that cannot be limited is not started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.errors import EngineError
from pipelines.engine.embedded.sandbox.cgroups.starter import GroupStarter, Starter

if TYPE_CHECKING:
    from pathlib import Path


class Calls:
    """Counts programs that were started, and notes the group they were started in."""

    def __init__(self, tasks: Path) -> None:
        self.seen: list[str] = []
        self._tasks = tasks

    def __call__(self) -> int:
        self.seen.append(self._tasks.read_text())
        return 7


def group(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).touch()
    return folder


async def test_without_groups_a_program_is_simply_started(tmp_path: Path) -> None:
    call = Calls(group(tmp_path / "any", "tasks") / "tasks")
    assert await Starter().start("one", call) == 7
    assert call.seen == [""]


async def test_a_program_is_started_by_a_thread_in_the_shared_groups(tmp_path: Path) -> None:
    memory = group(tmp_path / "memory", "tasks")
    call = Calls(memory / "tasks")
    starter = GroupStarter((memory,), None)
    assert await starter.start("one", call) == 7
    assert call.seen == ["0"]  # what a thread writes to be moved itself
    starter.close()


@pytest.mark.parametrize("lacks", ["tasks", "pids.max"])
async def test_a_group_that_takes_no_limit_or_no_process_starts_nothing(tmp_path: Path, lacks: str) -> None:
    pids = group(tmp_path / "pids", "tasks")
    group(pids / "one", *({"tasks", "pids.max"} - {lacks}))
    call = Calls(pids / "tasks")
    starter = GroupStarter((), (pids, 100))
    with pytest.raises(EngineError, match="the container could not be limited"):
        await starter.start("one", call)
    assert call.seen == []
    starter.close()


async def test_the_thread_leaves_the_containers_group_so_that_it_can_be_removed(tmp_path: Path) -> None:
    pids = group(tmp_path / "pids", "tasks")
    one = group(pids / "one", "tasks", "pids.max")
    call = Calls(one / "tasks")
    starter = GroupStarter((), (pids, 100))
    assert await starter.start("one", call) == 7
    assert (call.seen, (one / "pids.max").read_text(), (pids / "tasks").read_text()) == (["0"], "100", "0")
    starter.close()
