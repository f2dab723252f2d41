"""What a command costs before it does anything: bare Python, `--help`, a plan, the SDK's import, and a run up to its first request.

Also which heavy modules the short commands import; a test in tests/unit/cli/test_startup.py refuses them.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.builds import base_image, small
from benchmarks.figures import ROUNDS, Row, sample
from benchmarks.processes import LOCKGATE, embedded, run

SHOP = Path(__file__).resolve().parents[1] / "examples" / "shop"
COUNTED = Path(__file__).resolve().with_name("counted.py")
COMMANDS = {
    "bare Python": ((sys.executable, "-c", "pass"), None),
    "lockgate --help": ((*LOCKGATE, "--help"), 0.15),
    "lockgate plan, examples/shop": ((*LOCKGATE, "plan", "-C", str(SHOP)), 0.25),
    "import dagger": ((sys.executable, "-c", "import dagger"), None),
}
FIRST_REQUEST_LIMIT_S = 1.0


def commands(rounds: int) -> list[Row]:
    """Whole processes, in turns."""
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number in range(rounds + 1):
        for name, (command, _) in COMMANDS.items():
            cost = run(command).cpu_s
            if number:
                found[name].append(cost)
    return [Row(name, "s CPU", sample(found[name]), bound) for name, (_, bound) in COMMANDS.items()]


def first_request(rounds: int) -> Row:
    """A run that has work: Lockgate and its engine up to the first request that is sent."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        project.mkdir()
        small(project, base_image())
        (project / "lockgate.toml").write_text('[project]\nname = "bench"\n\n[images.bench]\ncontext = "."\n')
        for number in range(rounds + 1):
            (project / "src/part7.py").write_text(f"WORD = {time.time_ns()}\n")
            figures = Path(folder) / "figures.json"
            run([sys.executable, str(COUNTED), str(figures), "run", "image.bench"], project, embedded(Path(folder) / "store"))
            counted = json.loads(figures.read_text())
            if number:
                found.append(counted["start_cpu_s"] + counted["engine_start_cpu_s"])
    return Row("a run with work, to its first request", "s CPU", sample(found), FIRST_REQUEST_LIMIT_S)


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Everything before the work."""
    return [*commands(rounds), first_request(rounds)]
