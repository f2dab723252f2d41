from __future__ import annotations

import errno
import json
import subprocess
from pathlib import Path

import pytest

from pipelines.engine.embedded.errors import ImageError
from pipelines.engine.embedded.helper import command
from pipelines.engine.embedded.images.packing import worker
from pipelines.engine.embedded.tars import Damaged
from tests.unit.engine.images.trees import MARK, Entry, tar


@pytest.fixture
def blobs(tmp_path: Path) -> list[Path]:
    """A layer small enough to be unpacked here, and one for a process."""
    made = []
    for name, size in (("small", 10), ("big", 2 * worker.SMALL)):
        made.append(tmp_path / name)
        made[-1].write_bytes(tar([Entry("f", text="x" * size), Entry("d/e")]))
    return made


def test_here_and_in_a_process_the_same(blobs: list[Path], tmp_path: Path) -> None:
    for blob in blobs:
        target = tmp_path / f"{blob.name}-target"
        target.mkdir()
        found = worker.unpack_blob(blob, target, MARK)
        assert (found["implied"], (target / "d/e").exists()) == (["d"], True)
        here, there = (worker.pack_layer(target, tmp_path / "out", "gzip", size=size) for size in (0, 2 * worker.SMALL))
        assert here == there


@pytest.mark.parametrize("size", [0, 2 * worker.SMALL])
def test_a_full_disk_is_an_os_error(tmp_path: Path, size: int) -> None:
    (tmp_path / "f").write_text("x")
    with pytest.raises(OSError, match="No space left") as caught:
        worker.pack_layer(tmp_path, Path("/dev/full"), "", size=size)
    assert caught.value.errno == errno.ENOSPC


@pytest.mark.parametrize("number", [0, 1])
def test_a_damaged_layer_is_told(blobs: list[Path], tmp_path: Path, number: int) -> None:
    blobs[number].write_bytes(blobs[number].read_bytes()[:-5000] + b"\x1f" * (4096 * 200 * number))
    blobs[number].write_bytes(b"\x1f\x8b" + blobs[number].read_bytes())
    (tmp_path / "x").mkdir()
    with pytest.raises(Damaged, match="it is not gzip data"):
        worker.unpack_blob(blobs[number], tmp_path / "x", MARK)


def test_a_process_that_breaks_says_why(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"(?s)a helper process for a layer ended with 1: .*KeyError"):
        worker._in_process({})


def test_a_helper_sees_neither_the_working_directory_nor_python_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tarfile.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    job = {"task": "pack", "layer": str(tmp_path), "target": str(tmp_path.parent / "out"), "compression": ""}
    done = subprocess.run(command(worker.__name__), input=json.dumps(job).encode(), capture_output=True, check=True)
    assert json.loads(done.stdout)["size"] > 0
