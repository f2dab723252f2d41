"""A fresh command in a container by our sandbox, side by side with bare `runc run`: `python -m benchmarks.engine.exec` as root.

Both run `true` on the same overlay, in four turns, so that a busy machine slows both. Ours has a network with a way out, masked output
files, name resolution, a seccomp profile and an init process; bare runc has what `runc spec` gives. Prints a table, or JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded import jail, kernel
from pipelines.engine.embedded.network.switch import Switch
from pipelines.engine.embedded.sandbox.binary import find_runtime
from pipelines.engine.embedded.sandbox.runtime import Runtime
from pipelines.engine.embedded.sandbox.spec import Bind, CaptureFiles, ContainerSpec

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PARALLEL = 8
TURNS = 4
WARM_UP = 3  # runs of each turn that do not count: caches fill, spare network namespaces are made
FRESH_LIMIT, FRESH_EXTRA, PARALLEL_LIMIT = 1.5, 0.020, 1.25  # what we promise, times bare runc (and seconds more)


@dataclass(frozen=True)
class Scene:
    """A root file system both use: an overlay with this machine's programs mounted read-only."""

    folder: Path
    rootfs: Path
    binds: tuple[Bind, ...]


def scene(folder: Path) -> Scene:
    for name in ("lower/etc", "lower/proc", "lower/dev", "lower/sys", "upper", "work", "rootfs", "bundle", "runc"):
        (folder / name).mkdir(parents=True)
    binds = []
    for name in ("usr", "bin", "sbin", "lib", "lib64"):
        real, shown = Path("/", name), folder / "lower" / name
        if real.is_symlink():
            shown.symlink_to(real.readlink())
        elif real.is_dir():
            shown.mkdir()
            binds.append(Bind(real, f"/{name}", readonly=True))
    options = f"lowerdir={folder}/lower,upperdir={folder}/upper,workdir={folder}/work"
    kernel.mount("overlay", folder / "rootfs", "overlay", data=options)
    return Scene(folder, folder / "rootfs", tuple(binds))


class Bare:
    """`runc run`, as one would type it."""

    def __init__(self, stage: Scene) -> None:
        self._stage = stage
        self._runtime = str(find_runtime("runc").path)
        subprocess.run([self._runtime, "spec"], cwd=stage.folder / "bundle", check=True)
        self._config: dict[str, Any] = json.loads((stage.folder / "bundle/config.json").read_text())
        self._count = 0

    async def run(self, *args: str) -> None:
        self._count += 1
        name = f"bare-{self._count}"
        bundle = self._stage.folder / "bundle" / name
        bundle.mkdir()
        config = self._config | {"root": {"path": str(self._stage.rootfs)}}
        config["process"] = self._config["process"] | {"args": list(args), "terminal": False, "rlimits": []}
        binds = [{"destination": b.target, "type": "bind", "source": str(b.source), "options": ["rbind", "ro"]} for b in self._stage.binds]
        config["mounts"] = [*self._config["mounts"], *binds]
        (bundle / "config.json").write_text(json.dumps(config))
        command = (self._runtime, "--root", str(self._stage.folder / "runc"), "run", "--bundle", str(bundle), name)
        process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL)
        assert await process.wait() == 0


class Ours:
    """What the engine does for one command, but for its file systems."""

    def __init__(self, stage: Scene, runtime: Runtime, switch: Switch) -> None:
        self._stage, self._runtime, self._switch = stage, runtime, switch
        self._count = 0

    async def run(self, *args: str) -> None:
        self._count += 1
        capture = CaptureFiles(*(self._stage.folder / f"{self._count}.{name}" for name in ("stdout", "stderr", "combined")))
        lease = await self._switch.lease()
        spec = ContainerSpec(self._stage.rootfs, args, mounts=self._stage.binds, capture=capture, masks=(b"a-secret-value",), network=lease)
        assert (await self._runtime.run(spec)).code == 0
        await self._switch.release(lease)


async def measure(folder: Path, rounds: int) -> dict[str, Any]:
    stage = scene(folder)
    bare = Bare(stage)
    results: dict[str, list[float]] = {"bare": [], "ours": [], "bare parallel": [], "ours parallel": []}
    for turn in range(TURNS):
        (folder / f"state-{turn}").mkdir()
        for _ in range(WARM_UP):
            await bare.run("true")
        for _ in range(rounds // TURNS):
            results["bare"].append(await timed(lambda: bare.run("true")))
        results["bare parallel"].append(await timed(lambda: at_once(bare.run)))
        await measure_ours(stage, folder / f"state-{turn}", rounds // TURNS, results)
    return {name: {"median_s": median(times), "min_s": min(times), "runs": len(times)} for name, times in results.items()}


async def measure_ours(stage: Scene, state: Path, rounds: int, results: dict[str, list[float]]) -> None:
    """A session of its own, gone when it is bare runc's turn: it replaces the cgroups that runc finds."""
    runtime = Runtime(state)
    async with Switch.open(state) as switch:
        ours = Ours(stage, runtime, switch)
        for _ in range(WARM_UP):
            await ours.run("true")
        for _ in range(rounds):
            results["ours"].append(await timed(lambda: ours.run("true")))
        results["ours parallel"].append(await timed(lambda: at_once(ours.run)))
        await runtime.close()


async def at_once(run: Callable[..., Awaitable[None]]) -> None:
    await asyncio.gather(*(run("sleep", "1") for _ in range(PARALLEL)))


async def timed(work: Callable[[], Awaitable[None]]) -> float:
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


def verdict(found: dict[str, Any]) -> list[tuple[str, float, float, float]]:
    """Rows: what, bare runc's seconds, ours, and the most we allow ourselves."""
    bare, bare8 = found["bare"]["median_s"], found["bare parallel"]["median_s"]
    return [
        ("fresh exec (median)", bare, found["ours"]["median_s"], FRESH_LIMIT * bare + FRESH_EXTRA),
        (f"{PARALLEL} x sleep 1 at once", bare8, found["ours parallel"]["median_s"], PARALLEL_LIMIT * bare8),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("needs root", file=sys.stderr)
        return 4
    with tempfile.TemporaryDirectory() as folder:
        jailed = jail.start(lambda _: inside(Path(folder) / "run", options), f"{folder}/run")
        jailed.ready()
        return jailed.wait()


def inside(folder: Path, options: argparse.Namespace) -> int:
    found = asyncio.run(measure(folder, options.rounds))
    rows = verdict(found)
    if options.json:
        print(json.dumps(found))
    else:
        print(f"{'':24}{'bare runc':>10}{'ours':>10}{'allowed':>10}")
        for name, bare, ours, allowed in rows:
            print(f"{name:24}{bare:>9.4f}s{ours:>9.4f}s{allowed:>9.4f}s")
    return int(any(ours > allowed for _, _, ours, allowed in rows))


if __name__ == "__main__":
    sys.exit(main())
