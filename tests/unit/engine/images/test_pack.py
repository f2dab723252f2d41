from __future__ import annotations

import gzip
import hashlib
import io
import os
import random
import socket
import stat
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.engine.embedded.errors import ImageError
from pipelines.engine.embedded.images.packing.compression import plain_blocks
from pipelines.engine.embedded.images.packing.pack import Packed, pack
from pipelines.engine.embedded.images.packing.stream import LayerStream
from pipelines.engine.embedded.images.packing.unpack import unpack
from tests.unit.engine.images.trees import MARK, MTIME

if TYPE_CHECKING:
    from pathlib import Path

    Facts = dict[str, tuple[object, ...]]

FILES = st.dictionaries(
    st.lists(st.sampled_from(["a", "b", "ü", "x" * 120]), min_size=1, max_size=3).map("/".join),
    st.tuples(st.binary(max_size=2000), st.integers(0, 0o777), st.integers(0, 2**33)),
    max_size=5,
)


def packed(layer: Path, compression: str = "") -> tuple[Packed, bytes]:
    target = layer.parent / f"{layer.name}.{compression}.tar"
    found = pack(str(layer), target, compression)
    return found, target.read_bytes()


def names(data: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return tar.getnames()


def facts(root: Path) -> Facts:
    """All that a layer keeps of a tree."""
    found: Facts = {}
    first: dict[int, str] = {}
    for path in sorted(root.rglob("*")):
        info = path.lstat()
        name = str(path.relative_to(root))
        content = path.read_bytes() if stat.S_ISREG(info.st_mode) else b""
        marks = sorted((one, os.getxattr(path, one, follow_symlinks=False)) for one in os.listxattr(path, follow_symlinks=False))
        link = str(path.readlink()) if path.is_symlink() else first.setdefault(info.st_ino, name)
        found[name] = (info.st_mode, info.st_uid, info.st_gid, info.st_mtime_ns // 10**9, content, marks, link, info.st_rdev)
    return found


def write(root: Path, files: dict[str, tuple[bytes, int, int]], order: random.Random) -> None:
    root.mkdir()
    entries = list(files.items())
    order.shuffle(entries)
    for name, (content, _, _) in entries:
        path = root / name / "file"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for name, (_, mode, mtime) in entries:
        path = root / name / "file"
        path.chmod(mode)
        os.utime(path, (mtime, mtime))
    for folder in sorted((path for path in root.rglob("*") if path.is_dir()), reverse=True):
        folder.chmod(0o755)
        os.utime(folder, (MTIME, MTIME))


@settings(max_examples=60, deadline=None)
@given(files=FILES)
def test_equal_trees_are_equal_blobs_however_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, tuple[bytes, int, int]]
) -> None:
    place = tmp_path_factory.mktemp("pack")
    write(place / "one", files, random.Random(1))
    write(place / "two", files, random.Random(2))
    for compression in ("", "gzip", "zstd"):
        assert packed(place / "one", compression) == packed(place / "two", compression)


@settings(max_examples=60, deadline=None)
@given(files=FILES, compression=st.sampled_from(["", "gzip", "zstd"]))
def test_what_is_packed_unpacks_to_the_same(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, tuple[bytes, int, int]], compression: str
) -> None:
    place = tmp_path_factory.mktemp("pack")
    write(place / "one", files, random.Random(1))
    found, data = packed(place / "one", compression)
    (place / "two").mkdir()
    with LayerStream(plain_blocks(io.BytesIO(data))) as stream:
        again = unpack(stream, str(place / "two"), opaque_mark=MARK)
    assert facts(place / "two") == facts(place / "one")
    assert (again.diff_id, again.implied) == (found.diff_id, [])


def test_parts_of_a_second_do_not_count(tmp_path: Path) -> None:
    for name, nanoseconds in (("one", 1), ("two", 999_999_999)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "f").write_text("x")
        os.utime(tmp_path / name / "f", ns=(0, MTIME * 10**9 + nanoseconds))
    assert packed(tmp_path / "one") == packed(tmp_path / "two")


def test_digests_and_size_are_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x/f").write_bytes(os.urandom(3_000_000))
    found, data = packed(tmp_path / "x", "gzip")
    assert found.digest == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert found.diff_id == f"sha256:{hashlib.sha256(gzip.decompress(data)).hexdigest()}"
    assert found.size == len(data)


def test_all_kinds_come_back(tmp_path: Path) -> None:
    root = tmp_path / "x"
    (root / "d/opaque").mkdir(parents=True)
    (root / "d/f").write_text("f")
    (root / "d/f").chmod(0o4755)
    os.link(root / "d/f", root / "a-link")
    (root / "d/symbolic").symlink_to("/nowhere")
    os.mkfifo(root / "d/fifo")
    os.mknod(root / "d/gone", stat.S_IFCHR, 0)
    os.setxattr(root / "d/opaque", MARK, b"y")
    os.setxattr(root / "d/f", "user.a", b"\xff\x00")
    (root / ("\udcff" * 3)).write_text("")
    _, data = packed(root)
    assert names(data)[:4] == ["a-link", "d", "d/f", "d/fifo"]
    assert {"d/.wh.gone", "d/opaque/.wh..wh..opq"} <= set(names(data))
    (tmp_path / "y").mkdir()
    with LayerStream(iter([data])) as stream:
        unpack(stream, str(tmp_path / "y"), opaque_mark=MARK)
    assert facts(tmp_path / "y") == facts(root)


def test_overlayfs_attributes_and_sockets_stay_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "x"
    (root / "d").mkdir(parents=True)
    os.setxattr(root / "d", "user.overlay.impure", b"y")
    with socket.socket(socket.AF_UNIX) as made:
        monkeypatch.chdir(root)  # a socket's path is short
        made.bind("socket")
    _, data = packed(root)
    assert names(data) == ["d"]
    assert b"overlay" not in data


def test_a_name_that_would_mean_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x/.wh.f").write_text("")
    with pytest.raises(ImageError, match=r"/.wh.f cannot be in an image"):
        packed(tmp_path / "x")
