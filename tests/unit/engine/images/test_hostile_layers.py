"""Layers that lie about themselves: each is refused at once, with the part and the reason named."""

from __future__ import annotations

import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.errors import DiskFull
from pipelines.engine.embedded.images.packing.stream import LayerStream
from pipelines.engine.embedded.images.packing.unpack import unpack
from pipelines.engine.embedded.tars import MOST_SKIPPED, Damaged, Room
from tests.unit.engine.images.mutants import BLOCK, member, pax, sparse
from tests.unit.engine.images.trees import MARK

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

END = bytes(2 * BLOCK)
FILE = member("f", data=b"content")


def unpacked(blocks: Iterable[bytes], target: Path) -> None:
    with LayerStream(iter(blocks)) as stream:
        unpack(stream, str(target), opaque_mark=MARK)


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (pax({"size": "-5"}) + FILE, "f: a size of -5"),
        (pax({"uid": "-1"}) + FILE, "f: a size of 7, a mode of 420, an owner of -1:0"),
        (pax({"gid": "99999999999999999999999"}) + FILE, "f: a size of 7, a mode of 420, an owner of 0:more than 20 digits"),
        (pax({"mtime": "nan"}) + FILE, "f: not a time of change: nan"),
        (pax({"mtime": "1e999999999"}) + FILE, "f: not a time of change: 1e999999999"),
        (pax({"path": "a\0b"}) + FILE, r"a\\x00b: a name with a zero byte"),
        (pax({"linkpath": "a\0b"}) + member("l", tarfile.SYMTYPE, linkname="x"), "l: a name with a zero byte"),
        (pax({"SCHILY.xattr.user.a\0b": "x"}) + FILE, "f: embedded null byte"),
        (pax({"SCHILY.xattr.user." + "n" * 300: "x"}) + FILE, "f: its attribute user.n+…? is too large"),
        (pax({"SCHILY.xattr.user.a": "x" * 100_000}) + FILE, "f: its attribute user.a is too large"),
        (pax({f"comment.{number}": "x" for number in range(2000)}) + FILE, "f: an extended header of more than 1000 records"),
        (pax({"comment": "x"}) * 3000 + FILE, "recursion|a header of 512 bytes"),  # which one is first depends on Python's recursion limit
        (pax({"comment": "1" * 900_000}) + FILE, "a header with a number of more than 100 digits"),
        (pax({"comment": "x" * (2 << 20)}) + FILE, "a header of 2097664 bytes"),
        (sparse("s", 2**60, [(0, 512), (2**60 - 512, 512)], b"x" * 1024), "s: is declared to have 1152921504606846976 bytes"),
        (sparse("s", 1000, [(0, 512), (4000, 512)], b"x" * 1024), "s: a map of holes that does not fit"),
        (sparse("s", 1000, [(512, 512), (0, 512)], b"x" * 1024), "s: a map of holes that does not fit"),
        (pax({"size": str(2**62)}) + FILE, "f: is declared to have 4611686018427387904 bytes, more than 1099511627776"),
        (pax({"size": "100000"}) + FILE, "f: ends early"),
        (member("d/" * 3000), "d/.*: a name of more than 4096 characters"),
        (member("n" * 300), "n+…?: file name too long"),
        (member("l", tarfile.SYMTYPE, linkname=""), "l: no such file or directory"),
        (member(".wh..", data=b""), "a whiteout of '.'"),
        (pax({"size": str(2 * MOST_SKIPPED)}) + member("d/.wh.x") + bytes(2 * MOST_SKIPPED), "it has content that belongs to nothing"),
    ],
)
def test_what_is_said_of_a_file_is_not_believed(tmp_path: Path, layer: bytes, reason: str) -> None:
    with pytest.raises(Damaged, match=f"^{reason}" if not reason.startswith(("a ", "it ", "rec")) else reason):
        unpacked([layer, END], tmp_path)


def test_what_follows_the_end_has_its_limit(tmp_path: Path) -> None:
    block = bytes(1 << 20)
    with pytest.raises(Damaged, match="it has data after its end"):
        unpacked((FILE + END, *(block for _ in range(1 << 20))), tmp_path)


def test_a_sparse_file_takes_the_room_of_what_it_holds(tmp_path: Path) -> None:
    unpacked([sparse("s", 1 << 30, [(0, 512), ((1 << 30) - 512, 512)], b"a" * 512 + b"z" * 512), END], tmp_path)
    info = (tmp_path / "s").stat()
    assert (info.st_size, info.st_blocks < 100) == (1 << 30, True)
    with (tmp_path / "s").open("rb") as file:
        assert (file.read(513), file.seek(-513, os.SEEK_END) > 0, file.read()) == (b"a" * 512 + b"\0", True, b"\0" + b"z" * 512)


def test_a_file_that_has_no_room_is_a_full_disk_before_it_is_written(tmp_path: Path) -> None:
    room = Room.at(str(tmp_path))
    with pytest.raises(DiskFull, match="no space left on the disk of"):
        unpacked([pax({"size": str(room.free + (1 << 30))}) + FILE, END], tmp_path)
    assert not list(tmp_path.iterdir())


def test_replacing_again_and_again_takes_no_longer_than_it_must(tmp_path: Path) -> None:
    """Each replacement once looked at all that had been unpacked before."""
    whiteouts = b"".join(member(f"w{number}/.wh.x") for number in range(600))
    again = (member("d/", tarfile.DIRTYPE) + member("d", data=b"")) * 600
    unpacked([whiteouts, again, END], tmp_path)
    assert (tmp_path / "d").is_file()


@pytest.mark.timeout(60)
def test_the_time_a_deep_tree_takes_does_not_grow_with_the_cube_of_its_depth(deep_path: Path) -> None:
    depth = 1500
    deepest = "/".join(["d"] * depth)
    folders = [member("/".join(["d"] * count), tarfile.DIRTYPE) for count in range(1, depth + 1)]
    links = [member(f"{deepest}/l{number}", tarfile.LNKTYPE, linkname=f"{deepest}/f") for number in range(300)]
    unpacked([*folders, member(f"{deepest}/f", data=b"x"), *links, END], deep_path)
    place = os.open(deep_path, os.O_PATH)
    for _ in range(depth):
        inner = os.open("d", os.O_PATH, dir_fd=place)
        os.close(place)
        place = inner
    assert os.stat("f", dir_fd=place).st_nlink == 301
    os.close(place)
