"""A second, unchanged run of examples/shop on the embedded engine: whole processes, everything in them proved unchanged."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from benchmarks.builds import base_image
from benchmarks.figures import ROUNDS, Row, sample
from benchmarks.processes import LOCKGATE, embedded, run

SHOP = Path(__file__).resolve().parents[1] / "examples" / "shop"
SECONDS, MEMORY_MB = 0.6, 150.0


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Processor time and the largest process.

    Raises:
        SystemExit: a step of it ran again.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "shop"
        shutil.copytree(SHOP, root, ignore=shutil.ignore_patterns("runs", "reports", "state.json", "lock", "latest", "__pycache__"))
        environ = embedded(Path(folder) / "store", LOCKGATE_REGISTRY_URL=f"{base_image().partition('/')[0]}/lockgate-bench")
        command = [*LOCKGATE, "run", "--json"]
        run(command, root, environ)
        costs = [run(command, root, environ) for _ in range(rounds + 1)][1:]
    again = [step["id"] for step in json.loads(costs[-1].output)["steps"] if step["status"] == "passed" and not step["cached"]]
    if again:
        raise SystemExit(f"benchmarks.unchanged: these steps ran again though nothing had changed: {', '.join(again)}")
    return [
        Row("unchanged run of examples/shop", "s CPU", sample([cost.cpu_s for cost in costs]), SECONDS),
        Row("… its largest process", "MB", sample([cost.memory_mb for cost in costs]), MEMORY_MB),
    ]
