"""What a command costs: it and every process it starts."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TICK = os.sysconf("SC_CLK_TCK")
LOCKGATE = (sys.executable, "-m", "pipelines")


@dataclass(frozen=True)
class Cost:
    """Of one command.

    Attributes:
        cpu_s: user and system time of the command and all its descendants that were waited for.
        wall_s: how long it took.
        memory_mb: the largest resident memory of any one of these processes.
        output: what it wrote to standard output.
    """

    cpu_s: float
    wall_s: float
    memory_mb: float
    output: str


def run(command: Sequence[str], folder: Path | None = None, environ: Mapping[str, str] | None = None) -> Cost:
    """Run a command that has to succeed; the benchmark ends with its messages when it does not.

    Python keeps the bytecode it makes, as it does for users: some environments of developers switch that off.
    """
    environ = {name: value for name, value in (environ or os.environ).items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said.seek(0)
        output, messages = out.read().decode(errors="replace"), said.read().decode(errors="replace")
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{output[-2000:]}{messages[-4000:]}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1000, output)


def embedded(store: Path, **more: str) -> dict[str, str]:
    """An environment for Lockgate on the embedded engine with a store of the benchmark's own, and no settings of anybody."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("LOCKGATE_", "_EXPERIMENTAL_DAGGER", "DAGGER_", "CI"))
    }
    settings = store.parent / "no-settings"
    settings.mkdir(parents=True, exist_ok=True)
    return {**kept, "LOCKGATE_ENGINE": "embedded", "LOCKGATE_STORE": str(store), "LOCKGATE_CONFIG_DIRS": str(settings), **more}


def cpu_of_programs(names: Sequence[str]) -> float:
    """Seconds that running daemons of these names have used, with those of their children that have ended."""
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue  # it has ended
        if name in names:
            total += sum(map(int, rest.split()[11:15])) / TICK
    return total
