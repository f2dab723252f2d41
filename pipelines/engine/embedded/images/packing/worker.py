"""One layer unpacked or packed, in a process of its own: other work goes on, and the engine's memory does not grow with layers."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipelines.engine.embedded.errors import DiskFull, ImageError
from pipelines.engine.embedded.helper import run_helper
from pipelines.engine.embedded.tars import Damaged

SMALL = 256 * 1024
"""Bytes up to which a blob is unpacked faster here than a process is started."""


def unpack_blob(blob: Path, target: Path, opaque_mark: str) -> dict[str, Any]:
    """Unpack a blob into an empty folder; the fields of ``Unpacked``.

    Raises:
        Damaged: it is not a layer.
        DiskFull: the disk has no room for it.
        OSError: the disk is full, and such.
    """
    job = {"task": "unpack", "blob": str(blob), "target": str(target), "mark": opaque_mark}
    return run_job(job) if blob.stat().st_size <= SMALL else _in_process(job)


def pack_layer(layer: Path, target: Path, compression: str, *, size: int) -> dict[str, Any]:
    """Pack a layer's folder into a file; the fields of ``Packed``. ``size``: of the layer, in bytes, roughly."""
    job = {"task": "pack", "layer": str(layer), "target": str(target), "compression": compression}
    return run_job(job) if size <= SMALL else _in_process(job)


def _in_process(job: dict[str, Any]) -> dict[str, Any]:
    done = run_helper(__name__, json.dumps(job).encode())
    if done.code:
        raise ImageError(f"a helper process for a layer ended with {done.code}: {done.complaint[-1000:]}")
    answer: dict[str, Any] = json.loads(done.stdout)
    if "errno" in answer:
        raise OSError(answer["errno"], answer["message"])
    if "damaged" in answer:
        raise Damaged(answer["damaged"])
    if "full" in answer:
        raise DiskFull(answer["full"])
    if "message" in answer:
        raise ImageError(answer["message"])
    return answer


def main() -> None:
    """The process: a job on standard input, an answer on standard output."""
    try:
        answer = run_job(json.load(sys.stdin))
    except Damaged as error:
        answer = {"damaged": str(error)}
    except DiskFull as error:
        answer = {"full": error.message}
    except ImageError as error:
        answer = {"message": error.message}
    except OSError as error:
        answer = {"errno": error.errno, "message": str(error)}
    json.dump(answer, sys.stdout)


def run_job(job: dict[str, Any]) -> dict[str, Any]:
    """Do a job here."""
    if job["task"] == "pack":
        from pipelines.engine.embedded.images.packing.pack import pack

        return asdict(pack(job["layer"], Path(job["target"]), job["compression"]))
    from pipelines.engine.embedded.images.packing.compression import plain_blocks
    from pipelines.engine.embedded.images.packing.stream import LayerStream
    from pipelines.engine.embedded.images.packing.unpack import unpack

    with open(job["blob"], "rb") as file, LayerStream(plain_blocks(file)) as stream:
        return asdict(unpack(stream, job["target"], opaque_mark=job["mark"]))
