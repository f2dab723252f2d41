"""Run Lockgate with its requests to the engine counted, and the processor time that the engine's processes spend on them.

`python benchmarks/counted.py FIGURES ARGUMENT…` runs `lockgate ARGUMENT…` in this process and writes FIGURES, a JSON object:
`requests`; `engine_cpu_s`, user and system time of the engine and all it started, from the first request sent to the last one answered;
`engine_start_cpu_s`, the same before the first request, and `start_cpu_s`, this process's; `engine_memory_mb` and `memory_mb`, the largest
resident memory of the engine's processes and of this one.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

TICK = os.sysconf("SC_CLK_TCK")
ENGINE = (b"lockgate-engine", b"pipelines.engine.embedded")  # in the command line of the engine's first process


class Figures:
    """What was seen so far."""

    def __init__(self) -> None:
        self.requests = 0
        self.start = 0.0
        self.own_start = 0.0
        self.end = 0.0
        self.memory = 0.0

    def asked(self) -> None:
        self.requests += 1
        if self.requests == 1:
            self.start = cpu(self_engine())
            self.own_start = time.process_time()

    def answered(self) -> None:
        processes = self_engine()
        self.end = cpu(processes)
        self.memory = max([self.memory, *(peak(pid) for pid in processes)])

    def write(self, path: Path) -> None:
        figures = {
            "requests": self.requests,
            "start_cpu_s": round(self.own_start, 3),
            "engine_start_cpu_s": round(self.start, 3),
            "engine_cpu_s": round(self.end - self.start, 3),
            "engine_memory_mb": round(self.memory),
            "memory_mb": round(peak(os.getpid())),
        }
        path.write_text(json.dumps(figures))


def self_engine() -> list[int]:
    """The engine that this process started, and all its descendants."""
    parents = {pid: int(_stat(pid)[1]) for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _stat(pid)}  # noqa: PTH208
    found = [pid for pid, parent in parents.items() if parent == os.getpid() and _is_engine(pid)]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def cpu(pids: list[int]) -> float:
    """Seconds of user and system time, with those of children that have ended."""
    return sum(sum(map(int, fields[11:15])) for pid in pids if (fields := _stat(pid))) / TICK


def peak(pid: int) -> float:
    """The largest resident memory in MB."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM")), 0.0)


def _is_engine(pid: int) -> bool:
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return any(name in line for name in ENGINE)


def _stat(pid: int) -> list[str]:
    """Fields of proc_pid_stat(5) from the third on; empty when the process has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def count(figures: Figures) -> None:
    """Have every request of this process counted: all of the SDK's go through this one method."""
    import httpx

    send = httpx.AsyncClient.send

    async def counted(client: httpx.AsyncClient, *args: Any, **options: Any) -> httpx.Response:
        figures.asked()
        try:
            return await send(client, *args, **options)
        finally:
            figures.answered()

    httpx.AsyncClient.send = counted  # type: ignore[assignment, method-assign]


def main(path: str, *arguments: str) -> int:
    from pipelines.__main__ import main as lockgate
    from pipelines.engine.sdk_import import skip_argument_checks

    skip_argument_checks()  # as the program `lockgate` does, which ends its process before figures could be written
    figures = Figures()
    count(figures)
    try:
        return lockgate(list(arguments)) or 0
    finally:
        figures.write(Path(path))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
