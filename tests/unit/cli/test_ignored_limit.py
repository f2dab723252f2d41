"""Steps that do not end at their limit: the run goes on, writes everything, and the process ends with its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

STEPS = """
from __future__ import annotations

import asyncio
import threading

import anyio.to_thread

from pipelines import Check, Verdict, pipeline


@pipeline.step(timeout="1s")
async def stubborn() -> None:
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass


@pipeline.step(timeout="1s")
async def in_thread() -> None:
    await anyio.to_thread.run_sync(threading.Event().wait)


@pipeline.step(timeout="1s")
async def left_thread() -> None:
    await asyncio.to_thread(threading.Event().wait)


@pipeline.step
async def good() -> Check:
    await anyio.sleep(0.1)
    return Check(verdict=Verdict.PASS)


@pipeline.step
async def needs_good(good: Check) -> Check:
    return good
"""
IGNORED = "it did not end within 15s after its limit of 1s: the run went on without it"


def test_a_process_ends_although_tasks_and_threads_of_its_steps_do_not(tmp_path: Path) -> None:
    (tmp_path / "lockgate.toml").write_text('[project]\nname = "demo"\n')
    (tmp_path / "lockgate.py").write_text(STEPS)
    command, began = [sys.executable, "-m", "pipelines", "run", "--json"], time.monotonic()
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 1, done.stderr
    assert 15 < time.monotonic() - began < 60
    run = json.loads(done.stdout)
    results = {one["id"]: (one["status"], one["reason"]) for one in run["steps"]}
    assert results == {
        "step.stubborn": ("failed", IGNORED),
        "step.in_thread": ("failed", IGNORED),
        "step.left_thread": ("failed", "stopped after its limit of 1s"),
        "step.good": ("passed", None),
        "step.needs_good": ("passed", None),
    }
    assert (run["run"]["end"], run["run"]["exit_code"]) == ("completed", 1)
    assert (tmp_path / ".lockgate/reports/junit.xml").is_file()
    assert json.loads((tmp_path / ".lockgate/reports/run.json").read_text())["steps"] == run["steps"]
    assert "Traceback" not in done.stderr
    assert "pending" not in done.stderr
