"""A build context of 30,000 files and a COPY of it: what it costs fresh, unchanged, and with one file changed.

`python -m benchmarks.engine.context [FILES]`; needs root. Processor time of the engine's own work (reading the context, the key, the copy),
in one process, without containers and on a tmpfs: what is compared is the ratio to the fresh copy, so a busy machine changes little.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from pipelines.engine.embedded.network.switch import Switch
    from pipelines.engine.embedded.sandbox.runtime import Runtime
    from pipelines.engine.embedded.store.snapshot import Snapshot
    from pipelines.engine.embedded.store.store import Store

FILES = 30_000
IN_A_FOLDER = 100
ROUNDS = 3
RACY_S = 2.1  # what was changed a moment ago is read again: hashes of younger files are not remembered
LIMITS = {"unchanged": 0.2, "one file changed": 0.5}  # of the processor time that the fresh copy takes


def make_context(folder: Path, files: int) -> None:
    for number in range(files):
        path = folder / f"p{number // (IN_A_FOLDER * 20)}" / f"m{number // IN_A_FOLDER}" / f"file{number}.py"
        if number % IN_A_FOLDER == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"value = {number}\n" * 40)


async def build(store_folder: Path, context: Path) -> float:
    """Seconds of processor time that one session takes for the context and its COPY."""
    from pipelines.engine.embedded.dockerfile.building.copy import CopySources
    from pipelines.engine.embedded.dockerfile.instructions.copy import CopySource
    from pipelines.engine.embedded.nonblocking_writer import NonBlockingWriter
    from pipelines.engine.embedded.ops.files.actions import ActionOp
    from pipelines.engine.embedded.ops.session import LocalSession
    from pipelines.engine.embedded.ops.values.op import Constant
    from pipelines.engine.embedded.progress import LineProgress
    from pipelines.engine.embedded.store.host.importing import import_host_dir
    from pipelines.engine.embedded.store.store import Store

    store = await asyncio.to_thread(Store.open, store_folder, rootless=False)
    try:
        runtime, switch = cast("Runtime", None), cast("Switch", None)  # no container is run
        session = LocalSession(store, runtime, switch, LineProgress(NonBlockingWriter(2)), context, "linux/amd64")
        base = await asyncio.to_thread(_base, store)
        started = time.process_time()
        snapshot = await asyncio.to_thread(import_host_dir, store, context, exclude=(".git",))
        copy = CopySources(Constant(snapshot), "/", (CopySource("/"),), "/app/")
        await session.ops.output(ActionOp(Constant(base), copy))
        return time.process_time() - started
    finally:
        await asyncio.to_thread(store.close)


def _base(store: Store) -> Snapshot:
    """Something to copy onto, as a base image is: the same in every session."""
    from pipelines.engine.embedded.store.snapshot import Snapshot

    layer = store.add_layer(lambda folder: (folder / "app").mkdir(), "benchmark base")
    store.put("benchmark base", {}, layers=[layer])
    return Snapshot("benchmark base", (layer,))


def measure(folder: Path, files: int) -> dict[str, float]:
    """The least of several rounds, by case."""
    found: dict[str, list[float]] = {"fresh": [], "unchanged": [], "one file changed": []}
    for turn in range(ROUNDS):
        context, store = folder / f"context{turn}", folder / f"store{turn}"
        make_context(context, files)
        time.sleep(RACY_S)
        found["fresh"].append(asyncio.run(build(store, context)))
        found["unchanged"].append(asyncio.run(build(store, context)))
        next(context.glob("p0/m7/*.py")).write_text(f"changed = {turn}\n")
        found["one file changed"].append(asyncio.run(build(store, context)))
    return {case: min(times) for case, times in found.items()}


def main(arguments: list[str]) -> int:
    if os.geteuid():
        sys.exit("benchmarks.engine.context: needs root: run `make bench` as root")
    if not arguments or Path(arguments[0]).is_dir() is False:
        with tempfile.TemporaryDirectory() as folder:
            inside = ["unshare", "-m", sys.executable, "-m", "benchmarks.engine.context", folder, *arguments]
            return subprocess.run(inside, check=False).returncode
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", arguments[0]], check=True)  # in this mount namespace: it goes with the process
    figures = measure(Path(arguments[0]), int(arguments[1]) if len(arguments) > 1 else FILES)
    broken = False
    for case, seconds in figures.items():
        ratio, limit = seconds / figures["fresh"], LIMITS.get(case, 1.0)
        print(f"{case}: {seconds:.2f} s of processor time, {ratio:.2f} of a fresh copy (limit {limit})")
        broken = broken or ratio > limit
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
