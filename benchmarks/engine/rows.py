"""The engine's numbers, side by side with bare runc in the same run, and with a real Dagger engine where one is named.

Needs root and `.lockgate/images.lock` (make setup). A column for Dagger appears when `_EXPERIMENTAL_DAGGER_RUNNER_HOST` is set and the
program dagger is found. A Dagger engine that was given CA certificates of its host runs `update-ca-certificates` around every command; such
an engine is not what others use, so start it without them before you compare.
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
from typing import TYPE_CHECKING

from benchmarks.builds import base_image
from benchmarks.engine.unpacking import unpack
from benchmarks.figures import ROUNDS, Row, Sample, sample
from benchmarks.processes import embedded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RUNNER_HOST, CLI = "_EXPERIMENTAL_DAGGER_RUNNER_HOST", "_EXPERIMENTAL_DAGGER_CLI_BIN"
ENGINE = Path(sys.executable).parent / "lockgate-engine"
RUNC, OPENED = "bare runc", "session open, seen by the SDK"

Values = dict[str, list[float]]
"""Measurements by the name of their row."""

ABSOLUTE = {  # seconds, unless the name says otherwise
    "handshake line": 0.1,
    OPENED: 0.45,
    "cached op": 0.012,
    "10 chained execs": 1.0,
    "unpack 300 MB": 4.0,
    "memory while unpacking it, MB": 150.0,
}
BESIDE_RUNC: dict[str, Callable[[float], float]] = {
    "fresh exec": lambda runc: 1.5 * runc + 0.02,
    "8 parallel sleep 1": lambda runc: 1.25 * runc,
}


def handshake(environ: Mapping[str, str], rounds: int) -> list[float]:
    """Seconds from the start of the process to its line."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        with subprocess.Popen(
            [ENGINE, "session"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ
        ) as process:
            assert process.stdout is not None
            select.select([process.stdout], [], [])
            times.append(time.perf_counter() - started)
            process.communicate()
    return times


def client(image: str, rounds: int, environ: Mapping[str, str]) -> Values:
    """What a program of dagger-io sees."""
    command = [sys.executable, "-m", "benchmarks.engine.client", image, str(rounds)]
    found: Values = json.loads(subprocess.run(command, env=environ, check=True, capture_output=True, text=True).stdout)
    return found


def bare(image: str, rounds: int, folder: Path) -> Values:
    """Bare runc on the image's file system, unpacked by plain tools."""
    layout, rootfs = folder / "layout", folder / "rootfs"
    rootfs.mkdir()
    subprocess.run(["skopeo", "copy", "--quiet", "--src-tls-verify=false", f"docker://{image}", f"dir:{layout}"], check=True)
    manifest = json.loads((layout / "manifest.json").read_text())
    for layer in manifest["layers"]:
        subprocess.run(["tar", "-C", rootfs, "-xf", layout / layer["digest"].split(":")[1]], check=True)
    command = ["unshare", "-m", sys.executable, "-m", "benchmarks.engine.bare", str(rootfs), str(rounds)]
    found: Values = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def row(name: str, ours: list[float], others: Mapping[str, Values]) -> Row:
    """A row with its bound: absolute, or from the upper end of what bare runc needed in the same run."""
    peers = {peer: sample(found[name]) for peer, found in others.items() if name in found}
    return Row(name, "MB" if name.endswith("MB") and "memory" in name else "s", sample(ours), bound(name, peers), peers)


def bound(name: str, peers: Mapping[str, Sample]) -> float | None:
    """The most our median may be."""
    if name in BESIDE_RUNC and RUNC in peers:
        return BESIDE_RUNC[name](peers[RUNC].interval[1])
    return ABSOLUTE.get(name)


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Every figure.

    Raises:
        SystemExit: not root, or no set-up.
    """
    if os.geteuid():
        raise SystemExit("benchmarks.engine: needs root")
    image = base_image()
    with tempfile.TemporaryDirectory() as folder:
        environ = embedded(Path(folder) / "store", **{CLI: str(ENGINE)})
        client(image, 1, environ)  # the image is in the store, the SDK's schema in the cache
        ours = {"handshake line": handshake(environ, rounds), **client(image, rounds, environ)}
        opened = [client(image, 0, environ)[OPENED][0] for _ in range(rounds - 1)]
        ours[OPENED] = [*ours[OPENED], *opened]
        others = {RUNC: bare(image, rounds, Path(folder))}
        program = os.environ.get(CLI) or shutil.which("dagger")
        if RUNNER_HOST in os.environ and program:
            others["dagger"] = client(image, rounds, {**os.environ, CLI: program})
        ours |= unpack(Path(folder))
    return [row(name, values, others) for name, values in ours.items()]
