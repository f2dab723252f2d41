"""What only one place of the package does: start processes, read the time of day."""

from __future__ import annotations

import ast

import pytest

from tests.unit.conventions.source import trees

PROCESSES = {
    "subprocess": "pipelines.foundation.process",
    "anyio.open_process": "pipelines.foundation.process",
    "anyio.run_process": "pipelines.foundation.process",
    "asyncio.create_subprocess_exec": "pipelines.foundation.process",
    "asyncio.create_subprocess_shell": "pipelines.foundation.process",
    "os.system": "pipelines.foundation.process",
    "os.popen": "pipelines.foundation.process",
    "os.posix_spawn": "pipelines.foundation.process",
    "os.fork": "pipelines.foundation.process",
}
TIME_OF_DAY = {
    "time.time": "pipelines.foundation.clock",
    "time.time_ns": "pipelines.foundation.clock",
    "time.gmtime": "pipelines.foundation.clock",
    "time.localtime": "pipelines.foundation.clock",
    "time.strftime": "pipelines.foundation.clock",
    "datetime.now": "pipelines.foundation.clock",
    "datetime.today": "pipelines.foundation.clock",
    "date.today": "pipelines.foundation.clock",
}
EXCEPTIONS = {
    "engine/embedded/child.py": "the sandbox starts commands inside namespaces and waits for every process there itself",
    "engine/embedded/jail.py": "the first process forks into namespaces before anything is imported; there is no program to start",
    "engine/embedded/userns.py": "a child that only holds a user namespace open is forked; there is no program to start",
    "engine/embedded/store/host/hashes.py": "compares with modification times of files, which the same system clock wrote, in nanoseconds",
}
"""Files that may do it themselves, and why."""


def used(tree: ast.Module) -> set[str]:
    """Modules that are imported, and dotted names that are called, by their last two parts."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Attribute):
            found.add(".".join(ast.unparse(node).split(".")[-2:]))
    return found


@pytest.mark.parametrize("ways", [PROCESSES, TIME_OF_DAY], ids=["processes", "the time of day"])
def test_only_the_ground_floor_does_it(ways: dict[str, str]) -> None:
    wrong = {
        f"{file}: {name}: use {ways[name]}"
        for file, tree in trees().items()
        if not file.startswith("foundation/") and file not in EXCEPTIONS
        for name in used(tree) & ways.keys()
    }
    assert sorted(wrong) == []


def test_every_exception_is_needed() -> None:
    ways = PROCESSES.keys() | TIME_OF_DAY.keys()
    assert [file for file in EXCEPTIONS if file not in trees() or not used(trees()[file]) & ways] == []


def test_the_rule_finds_what_it_is_for() -> None:
    found = used(ast.parse("import subprocess as s, time\nfrom os import fork\nx = dt.datetime.now(dt.UTC)\ny = time.time\n"))
    assert {"subprocess", "os.fork", "datetime.now", "time.time"} <= found
    assert "datetime.now" not in used(ast.parse("x = anyio.current_time()\n"))
