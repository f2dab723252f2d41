"""Every command with a standard stream that is closed, or whose reader has left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = {
    "--version": 0,
    "plan": 0,
    "config show": 0,
    "logs": 2,
    "run perf": 3,
    "nonsense": 2,
}
READER_LEFT = 141
STEP = """
from pipelines import Check, Verdict, pipeline

@pipeline.step
async def says() -> Check:
    print("a line", flush=True)
    return Check(verdict=Verdict.FAIL, reason="no")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "lockgate.toml").write_text('[project]\nname = "o"\n[images.o]\n')
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    return tmp_path


def lockgate(words: str, folder: Path, shell: str) -> subprocess.CompletedProcess[bytes]:
    command = f"{sys.executable} -P -m pipelines {words} {shell}"
    return subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, check=False, timeout=60)


@pytest.mark.parametrize("words", COMMANDS)
def test_a_closed_stream_changes_no_exit_code(words: str, project: Path) -> None:
    for closed in (">&-", "<&- >&- 2>&-"):
        done = lockgate(words, project, closed)
        assert (done.returncode, b"Traceback" in done.stderr, b"internal error" in done.stderr) == (COMMANDS[words], False, False), closed


@pytest.mark.parametrize("words", COMMANDS)
def test_messages_on_a_full_disk_are_lost_and_change_no_exit_code(words: str, project: Path) -> None:
    assert lockgate(words, project, "2>/dev/full").returncode == COMMANDS[words]


def test_data_on_a_full_disk_is_an_error(project: Path) -> None:
    done = lockgate("plan", project, ">/dev/full")
    assert (done.returncode, b"no space left" in done.stderr) == (4, True)


def test_a_run_whose_messages_cannot_be_written_leaves_its_record(project: Path) -> None:
    (project / "lockgate.toml").write_text('[project]\nname = "o"\n')
    (project / "lockgate.py").write_text(STEP)
    assert lockgate("run", project, "2>/dev/full").returncode == 1
    record = json.loads((project / ".lockgate/runs/latest/run.json").read_text())
    assert (record["run"]["exit_code"], record["steps"][0]["reason"]) == (1, "no")


@pytest.mark.parametrize(("verdict", "code"), [("FAIL", 1), ("PASS", 4)])
def test_a_run_whose_data_cannot_be_printed_ends_as_its_record_says(verdict: str, code: int, project: Path) -> None:
    (project / "lockgate.toml").write_text('[project]\nname = "o"\n')
    (project / "lockgate.py").write_text(STEP.replace("FAIL", verdict))
    done = lockgate("run --json", project, ">/dev/full")
    assert (done.returncode, b"standard output cannot be written" in done.stderr) == (code, True)
    for path in ("runs/latest", "reports"):
        record = json.loads((project / ".lockgate" / path / "run.json").read_text())
        assert (record["run"]["exit_code"], record["run"]["error"]) == (code, "standard output cannot be written: No space left on device")


@pytest.mark.parametrize("words", COMMANDS)
def test_a_reader_who_left_is_no_defect(words: str, project: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-P", "-m", "pipelines", *words.split()]
    for stderr in (subprocess.PIPE, write):
        done = subprocess.run(command, cwd=project, stdout=write, stderr=stderr, check=False, timeout=60)
        assert done.returncode in {COMMANDS[words], READER_LEFT}
        assert b"Traceback" not in (done.stderr or b"")
        assert b"internal error" not in (done.stderr or b"")
    os.close(write)
