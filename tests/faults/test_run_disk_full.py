"""A run whose steps fill the disk of its project still records how it ended, and its exit code is the one that is recorded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded import kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.root

STEPS = """
from __future__ import annotations

from pathlib import Path

from pipelines import pipeline


@pipeline.step
async def fills(context: StepContext) -> None:
    with (Path(__file__).parent / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
    for number in range(200):
        context.log(f"line {number} of a log that finds no room any more\\n")


@pipeline.step
async def comes_after(fills: None) -> None: ...
"""


@pytest.fixture
def root(own_mounts: None, tmp_path: Path) -> Iterator[Path]:
    """A project on a disk of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    kernel.mount("tmpfs", folder, "tmpfs", data="size=4m")
    (folder / "lockgate.toml").write_text('[project]\nname = "full"\n')
    (folder / "lockgate.py").write_text(STEPS)
    yield folder
    kernel.umount(folder, kernel.MNT_DETACH)


def run(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines", "run", "-C", str(root)]
    return subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False, timeout=120)


def test_a_run_that_fills_its_disk_has_a_record_with_the_exit_code_of_the_process(root: Path) -> None:
    done = run(root)
    assert "Traceback" not in done.stderr
    assert done.returncode == 4
    record = json.loads((root / ".lockgate/runs/latest/run.json").read_text())
    assert (record["run"]["exit_code"], record["run"]["end"]) == (4, "completed")
    assert "No space left on device" in record["run"]["error"]
    assert {step["id"]: step["status"] for step in record["steps"]} == {"step.fills": "passed", "step.comes_after": "passed"}
    (root / "filler").unlink()
    assert run(root).returncode == 4  # it fills the disk again
