"""A second, unchanged run of examples/shop on the embedded engine: what it costs over the SDK's own start, and how much it asks for.

`python -m benchmarks.unchanged`; needs `make setup`. The run before the measured ones brings everything into the cache.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHOP = Path(__file__).resolve().parents[1] / "examples" / "shop"
ROUNDS = 5
OVER_SDK, MEMORY = 1.0, 200  # seconds, MB
REQUESTS, ENGINE_S, ENGINE_MEMORY = 40, 0.3, 150  # requests, seconds of processor time, MB
COUNTED = Path(__file__).resolve().with_name("counted.py")
START = "import anyio, dagger\nasync def main():\n async with dagger.connection():\n  await dagger.dag.version()\nanyio.run(main)"


def best(command: list[str], environment: dict[str, str]) -> float:
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        subprocess.run(command, cwd=SHOP, env=environment, check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return min(times)


def counted(environment: dict[str, str]) -> dict[str, float]:
    """The requests of a run, and what they cost the engine: the cheapest of several runs (see counted.py)."""
    found = []
    for _ in range(ROUNDS):
        with tempfile.NamedTemporaryFile() as file:
            command = [sys.executable, str(COUNTED), file.name, "run", "--json"]
            subprocess.run(command, cwd=SHOP, env=environment, check=True, capture_output=True)
            found.append(json.load(file))
    return min(found, key=lambda figures: figures["engine_cpu_s"])


def main() -> int:
    environment = {**os.environ, "LOCKGATE_ENGINE": "embedded"}
    engine = {**environment, "_EXPERIMENTAL_DAGGER_CLI_BIN": str(Path(sys.executable).parent / "lockgate-engine")}
    command = [sys.executable, "-m", "pipelines", "run", "--json"]
    subprocess.run(command, cwd=SHOP, env=environment, check=True, capture_output=True)
    document = json.loads(subprocess.run(command, cwd=SHOP, env=environment, check=True, capture_output=True, text=True).stdout)
    ran = [step["id"] for step in document["steps"] if not step["cached"]]
    whole, sdk = best(command, environment), best([sys.executable, "-c", START], engine)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
    print(f"steps that were not cached: {', '.join(ran) or 'none'}")
    print(f"whole run {whole:.2f} s; the SDK alone (import, connect, one question) {sdk:.2f} s")
    print(f"over the SDK {whole - sdk:.2f} s (limit {OVER_SDK} s)")
    print(f"largest process {memory:.0f} MB (limit {MEMORY} MB)")
    figures = counted(environment)
    print(f"requests {figures['requests']:.0f} (limit {REQUESTS})")
    print(f"engine, first request to last answer {figures['engine_cpu_s']:.2f} s of processor time (limit {ENGINE_S} s)")
    print(f"engine before that, importing beside the SDK, {figures['engine_start_cpu_s']:.2f} s")
    print(f"engine's largest process {figures['engine_memory_mb']:.0f} MB (limit {ENGINE_MEMORY} MB)")
    kept = figures["requests"] <= REQUESTS and figures["engine_cpu_s"] <= ENGINE_S and figures["engine_memory_mb"] <= ENGINE_MEMORY
    return 0 if kept and whole - sdk <= OVER_SDK and memory <= MEMORY and not ran else 1


if __name__ == "__main__":
    sys.exit(main())
