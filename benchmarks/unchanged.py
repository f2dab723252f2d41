"""A second, unchanged run of examples/shop on the embedded engine: whole processes that prove everything unchanged and start no engine."""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.builds import base_image
from benchmarks.figures import ROUNDS, Row, sample
from benchmarks.processes import LOCKGATE, embedded, run

SHOP = Path(__file__).resolve().parents[1] / "examples" / "shop"
LEFT_OUT = ("runs", "reports", "unchanged*", "state.json", "lock", "latest", "__pycache__")
SECONDS, MEMORY_MB = 0.6, 150.0


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Processor time and the largest process.

    Raises:
        SystemExit: a step of it ran again.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "shop"
        shutil.copytree(
            SHOP, root, ignore=shutil.ignore_patterns("runs", "reports", "unchanged*", "state.json", "lock", "latest", "__pycache__")
        )
        environ = embedded(Path(folder) / "store", LOCKGATE_REGISTRY_URL=f"{base_image().partition('/')[0]}/lockgate-bench")
        command = [*LOCKGATE, "run", "--json"]
        run(command, root, environ)
        costs = [run(command, root, environ) for _ in range(rounds + 1)][1:]
        bare = [run([sys.executable, "-c", "pass"], root, environ).cpu_s for _ in range(rounds)]
    document = json.loads(costs[-1].output)
    again = [step["id"] for step in document["steps"] if step["status"] == "passed" and step["unchanged_since"] is None]
    if again or document["run"]["engine"] is not None:
        raise SystemExit(f"benchmarks.unchanged: these steps ran again though nothing had changed: {', '.join(again)}")
    return [
        Row("unchanged run of examples/shop", "s CPU", sample([cost.cpu_s for cost in costs]), SECONDS),
        Row("… beside bare Python", "times", sample([cost.cpu_s / statistics.median(bare) for cost in costs]), None),
        Row("… its largest process", "MB", sample([cost.memory_mb for cost in costs]), MEMORY_MB),
    ]
