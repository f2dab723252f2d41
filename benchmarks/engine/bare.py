"""The same commands by `runc run` on an overlay mount and nothing else: what the engine is compared with. Root only.

Run in a mount namespace of its own: `unshare -m python -m benchmarks.engine.bare ROOTFS ROUNDS`; prints JSON: lists of seconds by name.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Bare:
    """Containers of one root file system, each on an overlay of its own."""

    def __init__(self, folder: Path, rootfs: Path) -> None:
        self._folder = folder
        self._rootfs = rootfs
        subprocess.run(["runc", "spec"], cwd=folder, check=True)
        self._template: dict[str, Any] = json.loads((folder / "config.json").read_text())
        self._template["root"] = {"path": "rootfs", "readonly": False}
        self._template["process"].pop("rlimits", None)

    def run(self, *args: str) -> None:
        """Mount, run, unmount."""
        place = Path(tempfile.mkdtemp(dir=self._folder))
        for name in ("upper", "work", "rootfs"):
            (place / name).mkdir()
        options = f"lowerdir={self._rootfs},upperdir={place}/upper,workdir={place}/work"
        process = self._template["process"] | {"terminal": False, "args": list(args)}
        (place / "config.json").write_text(json.dumps(self._template | {"process": process}))
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, place / "rootfs"], check=True)
        subprocess.run(["runc", "run", "--bundle", place, f"bare-{place.name}"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["umount", place / "rootfs"], check=True)


def measure(rootfs: Path, rounds: int) -> dict[str, list[float]]:
    """Seconds, by the names the client uses."""
    with tempfile.TemporaryDirectory() as folder:
        bare = Bare(Path(folder), rootfs)
        return {
            "fresh exec": [timed(lambda: bare.run("echo", "hello")) for _ in range(rounds)],
            "10 chained execs": [timed(lambda: one_by_one(bare)) for _ in range(rounds)],
            "8 parallel sleep 1": [timed(lambda: parallel(bare)) for _ in range(rounds)],
        }


def one_by_one(bare: Bare) -> None:
    for _ in range(10):
        bare.run("true")


def parallel(bare: Bare) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: bare.run("sleep", "1"), range(8)))


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), int(sys.argv[2]))))
