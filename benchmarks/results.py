"""The page of results: what machine it was, when, how busy; and the tables between the page's markers."""

from __future__ import annotations

import datetime as dt
import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

PAGE = Path(__file__).with_name("RESULTS.md")
BEGIN, END = "<!-- results: begin (python -m benchmarks --write) -->", "<!-- results: end -->"


def now() -> str:
    """The time, and how many processes want a processor."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC, load average {load}."


def machine(rounds: int) -> str:
    """What the numbers were taken on, and from how many rounds."""
    memory = int(next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal")).split()[1])
    tools = [_first_line(name, "--version") for name in ("runc", "skopeo", "docker", "buildah", "podman") if shutil.which(name)]
    return (
        f"{os.cpu_count()} processor cores ({_processor()}), {memory / 1e6:.0f} GB of memory, Linux {platform.release()}, "
        f"Python {platform.python_version()}, dagger-io {version('dagger-io')}; {'; '.join(tools)}. {rounds} rounds.\n"
    )


def _processor() -> str:
    names = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _first_line(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).partition("\n")[0]


def write(text: str, page: Path = PAGE) -> None:
    """Put the tables between the markers of the page."""
    head, _, rest = page.read_text().partition(BEGIN)
    _, _, tail = rest.partition(END)
    page.write_text(f"{head}{BEGIN}\n\n{text.rstrip()}\n\n{END}{tail}")
