from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.sandbox.launch import CannotStart, problem

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.engine.embedded.errors import EngineError


def said(folder: Path, log: str, stderr: str = "") -> EngineError:
    (folder / "log").write_text(log)
    out, child = os.pipe()
    os.write(child, stderr.encode())
    os.close(child)
    try:
        return problem(folder / "log", out)
    finally:
        os.close(out)


def entry(message: str) -> str:
    return json.dumps({"level": "warning", "msg": "something else"}) + "\n" + json.dumps({"level": "error", "msg": message}) + "\n"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            'runc run failed: unable to start container process: exec: "no-such-program": executable file not found in $PATH',
            'exec: "no-such-program": executable file not found in $PATH',
        ),
        (
            'container_linux.go:380: starting container process caused: exec: "/x": stat /x: no such file or directory: unknown',
            'exec: "/x": stat /x: no such file or directory',
        ),
        (
            "executable file `no-such-program` not found in $PATH: No such file or directory",
            'exec: "no-such-program": executable file not found in $PATH',
        ),
        ("open executable: Permission denied", "exec: Permission denied"),
    ],
)
def test_a_command_at_fault_is_named_as_programs_name_it(tmp_path: Path, message: str, told: str) -> None:
    error = said(tmp_path, entry(message))
    assert isinstance(error, CannotStart)
    assert error.message == told


def test_anything_else_is_the_containers_fault(tmp_path: Path) -> None:
    error = said(tmp_path, entry("runc run failed: mount /x: no such device"))
    assert not isinstance(error, CannotStart)
    assert error.message == "the container could not be started: runc run failed: mount /x: no such device"


def test_a_runtime_that_logs_nothing_is_still_heard(tmp_path: Path) -> None:
    assert "flag provided but not defined" in said(tmp_path, "", "flag provided but not defined\n").message
    assert "gave no reason" in said(tmp_path, "").message


def test_a_runtime_that_was_killed_says_so(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(write)
    assert "ended by signal 9; memory may be short" in problem(tmp_path / "no-log", read, 9).message
    os.close(read)
