"""The engine's numbers, side by side with bare runc in the same run, and with a real Dagger engine where one is named.

`python -m benchmarks.engine [ROUNDS]`; needs root and `.lockgate/images.lock` (make setup). A column for Dagger appears when
`_EXPERIMENTAL_DAGGER_RUNNER_HOST` and `_EXPERIMENTAL_DAGGER_CLI_BIN` are set.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.engine.unpacking import unpack_seconds

ROUNDS = 10
RUNNER_HOST, CLI = "_EXPERIMENTAL_DAGGER_RUNNER_HOST", "_EXPERIMENTAL_DAGGER_CLI_BIN"
ENGINE = Path(sys.executable).parent / "lockgate-engine"
BOUNDS = {
    "handshake line": "0.1 s",
    "session open, seen by the SDK": "0.45 s",
    "fresh exec": "1.5 x runc + 0.02 s",
    "cached op": "0.012 s",
    "10 chained execs": "1 s",
    "8 parallel sleep 1": "1.25 x runc",
    "unpack 300 MB": "4 s",
    "memory of the engine": "150 MB",
}


def handshake(environment: dict[str, str]) -> float:
    """Seconds from the start of the process to its line."""
    times = []
    for _ in range(5):
        started = time.perf_counter()
        with subprocess.Popen(
            [ENGINE, "session"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        ) as process:
            assert process.stdout is not None
            select.select([process.stdout], [], [])
            times.append(time.perf_counter() - started)
            process.communicate()
    return sorted(times)[len(times) // 2]


def client(image: str, rounds: int, environment: dict[str, str]) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.engine.client", image, str(rounds)]
    found: dict[str, float] = json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
    return found


def bare(image: str, rounds: int, folder: Path) -> dict[str, float]:
    """Bare runc on the image's file system, unpacked by plain tools."""
    layout, rootfs = folder / "layout", folder / "rootfs"
    rootfs.mkdir()
    subprocess.run(["skopeo", "copy", "--quiet", "--src-tls-verify=false", f"docker://{image}", f"dir:{layout}"], check=True)
    manifest = json.loads((layout / "manifest.json").read_text())
    for layer in manifest["layers"]:
        subprocess.run(["tar", "-C", rootfs, "-xf", layout / layer["digest"].split(":")[1]], check=True)
    command = ["unshare", "-m", sys.executable, "-m", "benchmarks.engine.bare", str(rootfs), str(rounds)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def table(columns: dict[str, dict[str, float]]) -> str:
    """A Markdown table, one row a measurement."""
    rows = [f"| | {' | '.join(columns)} | ours / runc | bound |", "|---" * (len(columns) + 3) + "|"]
    for name, bound in BOUNDS.items():
        cells = [f"{column[name]:.3f}" if name in column else "" for column in columns.values()]
        ours, runc = columns["embedded"].get(name), columns["bare runc"].get(name)
        ratio = f"{ours / runc:.2f}" if ours and runc else ""
        rows.append(f"| {name} | {' | '.join(cells)} | {ratio} | {bound} |")
    return "\n".join(rows)


def main(rounds: int) -> None:
    lock = Path(".lockgate/images.lock")
    if os.geteuid() or not lock.exists():
        sys.exit("benchmarks.engine: needs root and .lockgate/images.lock: run `make setup` as root, then `make bench`")
    image: str = json.loads(lock.read_text())["images"]["python"]["reference"]
    with tempfile.TemporaryDirectory() as folder:
        embedded = {name: value for name, value in os.environ.items() if name not in {RUNNER_HOST, CLI}}
        embedded |= {CLI: str(ENGINE), "LOCKGATE_STORE": f"{folder}/store"}
        client(image, 1, embedded)  # the image is in the store, the SDK's schema in the cache
        columns = {"embedded": {"handshake line": handshake(embedded), **client(image, rounds, embedded)}}
        columns["bare runc"] = bare(image, rounds, Path(folder))
        columns["embedded"] |= unpack_seconds(Path(folder))
        if RUNNER_HOST in os.environ and (CLI in os.environ or shutil.which("dagger")):
            columns["dagger"] = client(image, rounds, {**os.environ, CLI: os.environ.get(CLI) or shutil.which("dagger") or ""})
    print(table(columns))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
