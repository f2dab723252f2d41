"""A test that prints 200 MB: the largest process of Lockgate and its engine, and what they compute beside the command itself."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.builds import base_image
from benchmarks.figures import Row, sample
from benchmarks.processes import LOCKGATE, embedded, run

MEGABYTES, MEMORY_MB = 200, 150.0
PRINTS = "line = 'x' * 99\nfor _ in range({lines}): print(line)"
WRITES = """import os
os.makedirs("/reports", exist_ok=True)
open("/reports/junit.xml", "w").write('<testsuite tests="1"><testcase name="one"/></testsuite>')
"""


def rows(rounds: int = 3) -> list[Row]:
    """Three rounds are enough for a size; the print itself costs the same everywhere."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        root.mkdir()
        costs = []
        for _ in range(min(rounds, 3)):
            script = f"# {time.time_ns()}\n{PRINTS.format(lines=MEGABYTES * 10_000)}\n{WRITES}"
            (root / "loud.py").write_text(script)
            (root / "Dockerfile").write_text(f"FROM {base_image()}\nCOPY loud.py /\n")
            (root / "lockgate.toml").write_text(
                '[project]\nname = "bench"\n\n[images.loud]\n\n[tests.loud]\nimage = "loud"\ncommand = ["python3", "/loud.py"]\n'
            )
            costs.append(run([*LOCKGATE, "run", "--json"], root, embedded(Path(folder) / "store")))
    return [
        Row(f"a test prints {MEGABYTES} MB: the largest process", "MB", sample([cost.memory_mb for cost in costs]), MEMORY_MB),
        Row("… all of it", "s CPU", sample([cost.cpu_s for cost in costs])),
    ]
