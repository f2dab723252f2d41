"""How long a pull of 300 MB takes once the blob is here, and how much memory the engine needs meanwhile."""

from __future__ import annotations

import gzip
import io
import os
import random
import resource
import subprocess
import sys
import tarfile
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SIZE, FILES = 300_000_000, 6_000
ROUNDS = 3  # each leaves 300 MB until all are done


def make_layer(path: Path) -> None:
    """A gzipped layer of `FILES` files, `SIZE` bytes in all, half of it compressible."""
    source = random.Random(7)
    each = SIZE // FILES
    with gzip.open(path, "wb", compresslevel=1) as packed, tarfile.open(fileobj=packed, mode="w|") as tar:
        for index in range(FILES):
            member = tarfile.TarInfo(f"usr/share/{index % 100}/{index}")
            member.size = each
            data = source.randbytes(each // 2) + b"lockgate" * (each // 16) + bytes(each)
            tar.addfile(member, io.BytesIO(data[:each]))


def unpack(folder: Path) -> dict[str, list[float]]:
    """Seconds and peak memory (MB) of processes that each load the layer as an image, all but starting Python."""
    layer = folder / "layer.tar.gz"
    make_layer(layer)
    found: list[tuple[float, float]] = []
    for number in range(ROUNDS):
        command = ["unshare", "-m", sys.executable, "-m", "benchmarks.engine.unpacking", str(layer), str(folder / f"unpack-store-{number}")]
        seconds, memory = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        found.append((float(seconds), float(memory)))
    times, sizes = zip(*found, strict=True)
    return {"unpack 300 MB": list(times), "memory while unpacking it, MB": list(sizes)}


def main(layer: str, root: str) -> None:
    import asyncio
    from pathlib import Path

    from pipelines.engine.embedded.images import layers, manifest
    from pipelines.engine.embedded.images.manifest import Descriptor
    from pipelines.engine.embedded.store.store import Store

    with Store.open(Path(root), rootless=False) as store:
        digest = store.blobs.add(lambda draft: os.link(layer, draft))
        blob = Descriptor(f"{manifest.OCI_LAYER}+gzip", digest, Path(layer).stat().st_size)
        diff_id = _diff_id(layer)
        started = time.perf_counter()
        asyncio.run(layers.add(store, blob, diff_id))
        seconds = time.perf_counter() - started
    children, own = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF))
    print(seconds, max(children, own) / 1000)


def _diff_id(layer: str) -> str:
    import hashlib

    digest = hashlib.sha256()
    with gzip.open(layer) as plain:
        while chunk := plain.read(1 << 20):
            digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
