"""The command line: what it refuses, without starting anything."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.main import main

if TYPE_CHECKING:
    from pathlib import Path


def test_the_version_is_the_distributions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("lockgate-engine 0.")


@pytest.mark.parametrize("argv", [[], ["nonsense"], ["cache"], ["cache", "export"], ["session", "--lab", "a:b"], ["gc", "now"]])
def test_wrong_usage_is_exit_code_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    assert "usage: lockgate-engine" in capsys.readouterr().err


def test_a_working_directory_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["session", "--workdir", str(tmp_path / "gone")]) == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"lockgate-engine: cannot work in {tmp_path / 'gone'}: No such file or directory\n")


def test_modules_are_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["session", "--load-workspace-modules"]) == 1
    assert "--load-workspace-modules is not supported by the embedded engine: it needs a Dagger engine" in capsys.readouterr().err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert all(command in out for command in ("session", "info", "gc", "prune", "cache"))


@pytest.mark.parametrize("words", ["--version", "info", "gc --help"])
def test_a_closed_output_or_a_reader_who_left_is_no_defect(words: str, tmp_path: Path) -> None:
    environment = {**os.environ, "LOCKGATE_CACHE": str(tmp_path)}
    program = [sys.executable, "-P", "-m", "pipelines.engine.embedded.main", *words.split()]
    closed = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *program], env=environment, capture_output=True, check=False, timeout=60)
    assert (closed.returncode, closed.stderr) == (0, b"")
    read, write = os.pipe()
    os.close(read)
    left = subprocess.run(program, env=environment, stdout=write, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(write)
    assert left.returncode in {0, 141}  # argparse takes no notice when its help is not read
    assert left.stderr == b""
