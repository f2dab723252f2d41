"""Memory does not grow with what a command prints: neither here nor in the engine's process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.flow.conftest import LOCK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.flow.conftest import Site

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry]

TOKEN = "the-token-of-a-big-test"
CONFIG = """
[project]
name = "site"
[engine]
kind = "embedded"
[images.app]
base = "python"
target = "app"
[tests.big]
image = { name = "app", target = "app" }
command = ["python3", "big.py", "%d"]
secrets = { TOKEN = "env://BIG_TOKEN" }
"""
BIG = """
import os, sys
token = open(os.environ["TOKEN_FILE"]).read() if "TOKEN_FILE" in os.environ else os.environ["TOKEN"]
line = "a line of a test that says very much, and the same again and again, up to one hundred characters\\n"
block = (line * 10_000) + f"{token}\\n"
left = int(sys.argv[1]) * 1_000_000
while left > 0:
    left -= sys.stdout.write(block)
print("the last line")
"""


def peaks_mb(pid: int) -> Iterator[tuple[int, float]]:
    """The largest resident memory so far of a process and all below it."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it has ended
        return
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            yield pid, int(line.split()[1]) / 1000
    for child in children:
        yield from peaks_mb(int(child))


def run_and_watch(site: Site, environ: dict[str, str]) -> tuple[int, float, float]:
    """Run the pipeline; its exit code, and the largest memory in MB of its process and of any process that it started."""
    process = subprocess.Popen([sys.executable, "-m", "pipelines", "run"], cwd=site.root, env=environ, stderr=subprocess.DEVNULL)
    own = below = 0.0
    while process.poll() is None:
        for pid, peak in peaks_mb(process.pid):
            own, below = (max(own, peak), below) if pid == process.pid else (own, max(below, peak))
        time.sleep(0.05)
    return process.returncode, own, below


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("megabytes", "limit_mb"), [(25, 110), pytest.param(200, 150, marks=pytest.mark.slow)])
def test_memory_stays_the_same_however_much_a_test_prints(site: Site, megabytes: int, limit_mb: int) -> None:
    site.write("Dockerfile", "ARG BASE\nFROM ${BASE} AS app\nWORKDIR /app\nCOPY big.py .\n")
    site.write("big.py", BIG)
    site.write("lockgate.toml", CONFIG % megabytes)
    site.write(".lockgate/images.lock", LOCK.read_text())
    code, own, engine = run_and_watch(site, {**os.environ, "BIG_TOKEN": TOKEN})
    log = site.root / ".lockgate/runs/latest/logs" / "test.big.log"
    assert code == 0
    with log.open() as lines:
        counts: dict[str, int] = {}
        for line in lines:
            counts[line] = counts.get(line, 0) + 1
    shutil.rmtree(site.root)
    blocks = counts.pop("***\n")
    assert counts.pop("the last line\n") == 1
    assert max(counts.values()) == blocks * 10_000
    assert blocks * 1_000_000 >= megabytes * 1_000_000 * 0.97
    assert not any(TOKEN in line for line in counts)
    assert max(own, engine) < limit_mb, f"lockgate {own:.0f} MB, engine {engine:.0f} MB"
