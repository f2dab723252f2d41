from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.images.packing.stream import LayerStream
from pipelines.engine.embedded.images.packing.unpack import unpack
from pipelines.engine.embedded.tars import Damaged
from tests.unit.engine.images.trees import MARK, MTIME, Entry, shown, tar, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def is_whiteout(path: Path) -> bool:
    info = path.lstat()
    return stat.S_ISCHR(info.st_mode) and info.st_rdev == 0


def test_files_folders_links_and_their_attributes(tmp_path: Path) -> None:
    entries = [
        Entry("d/", "dir", mode=0o1750, mtime=MTIME + 1),
        Entry("d/f", text="hello", mode=0o4755, mtime=MTIME + 2, pax={"mtime": "1700000002.123456789"}),
        Entry("d/l", "link", "f", mtime=MTIME + 3),
        Entry("d/h", "hard", "d/f"),
        Entry("p", "fifo", mode=0o600),
    ]
    found = unpacked(entries, tmp_path / "x")
    folder, file, link, hard = (tmp_path / "x" / name for name in ("d", "d/f", "d/l", "d/h"))
    assert (stat.S_IMODE(folder.stat().st_mode), folder.stat().st_mtime) == (0o1750, MTIME + 1)
    assert (stat.S_IMODE(file.stat().st_mode), file.stat().st_mtime_ns) == (0o4755, 1_700_000_002_123_456_789)
    assert (str(link.readlink()), link.lstat().st_mtime) == ("f", MTIME + 3)
    assert hard.samefile(file)
    assert stat.S_ISFIFO((tmp_path / "x/p").stat().st_mode)
    assert (found.implied, found.links, found.opaque) == ([], {}, False)


def test_whiteouts_and_opaque_folders(tmp_path: Path) -> None:
    unpacked([Entry("d/", "dir"), Entry("d/.wh.gone"), Entry("o/", "dir"), Entry("o/.wh..wh..opq"), Entry(".wh..wh.plnk")], tmp_path)
    assert is_whiteout(tmp_path / "d/gone")
    assert os.getxattr(tmp_path / "o", MARK) == b"y"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d", "o"]


@pytest.mark.parametrize("order", [0, 1])
def test_a_whiteout_is_about_the_layers_below_only(tmp_path: Path, order: int) -> None:
    both = [[Entry("a", text="new"), Entry("d/", "dir"), Entry("d/x", text="x")], [Entry(".wh.a"), Entry(".wh.d")]]
    unpacked([*both[order], *both[1 - order]], tmp_path)
    assert (tmp_path / "a").read_text() == "new"
    assert (tmp_path / "d/x").read_text() == "x"
    assert os.getxattr(tmp_path / "d", MARK) == b"y"


def test_everything_below_hidden(tmp_path: Path) -> None:
    found = unpacked([Entry(".wh..wh..opq"), Entry("a")], tmp_path)
    assert found.opaque
    assert MARK not in os.listxattr(tmp_path)


def test_folders_without_entry_are_told(tmp_path: Path) -> None:
    found = unpacked([Entry("a/b/c"), Entry("e/f/"), Entry("a/", "dir"), Entry("w/.wh.x")], tmp_path)
    assert found.implied == ["a/b", "e", "w"]
    assert (tmp_path / "a/b").stat().st_mtime == MTIME


def test_hard_links_to_layers_below_are_told(tmp_path: Path) -> None:
    assert unpacked([Entry("a/x", "hard", "b/y")], tmp_path).links == {"a/x": "b/y"}


@pytest.mark.parametrize(
    "entries",
    [
        [Entry("a", text="1"), Entry("a", text="2")],
        [Entry("a/", "dir"), Entry("a/x"), Entry("a", text="2")],
        [Entry("a", "link", "/etc/passwd"), Entry("a", text="2")],
        [Entry("b", text="b"), Entry("a", "hard", "b"), Entry("a", text="2")],
        [Entry("a", "fifo"), Entry("a", text="2")],
    ],
)
def test_a_later_entry_takes_the_place_of_an_earlier_one(tmp_path: Path, entries: list[Entry]) -> None:
    unpacked(entries, tmp_path)
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "a").read_text() == "2"
    assert not (tmp_path / "b").exists() or (tmp_path / "b").read_text() == "b"


def test_a_hard_link_to_itself_changes_nothing(tmp_path: Path) -> None:
    assert unpacked([Entry("a", text="1"), Entry("a", "hard", "./a")], tmp_path).links == {}
    assert (tmp_path / "a").read_text() == "1"


def test_a_second_entry_for_a_folder_keeps_what_is_in_it(tmp_path: Path) -> None:
    unpacked([Entry("a/", "dir"), Entry("a/x"), Entry("a/", "dir", mode=0o700)], tmp_path)
    assert (tmp_path / "a/x").exists()
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700


ENDS = "has no end|ends early|end of data|bad checksum|truncated header|invalid header|empty header"

ESCAPES: list[list[Entry]] = [
    [Entry("../out")],
    [Entry("/out")],
    [Entry("a/../../out")],
    [Entry("l", "link", "OUTSIDE"), Entry("l/out")],
    [Entry("l", "link", "../../.."), Entry("l/out")],
    [Entry("m", "link", "OUTSIDE"), Entry("l", "link", "m"), Entry("l/out")],
    [Entry("d/", "dir"), Entry("d/l", "link", "OUTSIDE"), Entry("d/l/deep/out")],
    [Entry("l", "link", "OUTSIDE/secret"), Entry("l", text="out")],
    [Entry("l", "link", "OUTSIDE/secret"), Entry("h", "hard", "l"), Entry("h", text="out")],
    [Entry("h", "hard", "../OUTSIDE/secret"), Entry("h", text="out")],
    [Entry("l", "link", "OUTSIDE"), Entry("l/.wh.secret")],
    [Entry("l", "link", "OUTSIDE"), Entry("l/.wh..wh..opq")],
    [Entry("l", "link", "OUTSIDE"), Entry("l/", "dir", mode=0o777)],
    [Entry("d/", "dir"), Entry("d/inner/", "dir"), Entry("d", "link", "OUTSIDE")],
    [Entry("d/inner/x"), Entry("d", "link", "OUTSIDE")],
    [Entry("d/secret", "hard", "below"), Entry("d", "link", "OUTSIDE")],
    [Entry("d/.wh.secret"), Entry("d", "link", "OUTSIDE")],
]


@pytest.mark.parametrize("entries", ESCAPES)
def test_nothing_leads_out(tmp_path: Path, entries: Iterable[Entry]) -> None:
    outside, target = tmp_path / "outside", tmp_path / "x/y/z/target"
    outside.mkdir(mode=0o755)
    (outside / "secret").write_text("kept")
    (outside / "inner").mkdir()
    os.utime(outside / "inner", (1, 1))
    placed = [Entry(one.name, one.kind, one.text.replace("OUTSIDE", str(outside)), one.mode) for one in entries]
    found = unpacked(placed, target)
    assert sorted(path.name for path in outside.iterdir()) == ["inner", "secret"]
    assert (outside / "inner").stat().st_mtime == 1
    assert not any((target / name).parent.is_symlink() for name in (*found.links, *found.whiteouts, *found.implied))
    assert (outside / "secret").read_text() == "kept"
    assert stat.S_IMODE(outside.stat().st_mode) == 0o755
    assert all(target in path.parents for path in tmp_path.rglob("out"))


def test_links_within_the_layer_are_followed(tmp_path: Path) -> None:
    unpacked(
        [Entry("usr/lib/", "dir"), Entry("lib", "link", "usr/lib"), Entry("abs", "link", "/usr"), Entry("lib/a"), Entry("abs/b")], tmp_path
    )
    assert (tmp_path / "usr/lib/a").exists()
    assert (tmp_path / "usr/b").exists()


def test_a_link_that_leads_nowhere_is_made_real(tmp_path: Path) -> None:
    found = unpacked([Entry("l", "link", "new/place"), Entry("l/x")], tmp_path)
    assert (tmp_path / "new/place/x").exists()
    assert found.implied == ["new", "new/place"]


def test_circular_links_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Damaged, match="too many levels of symbolic links"):
        unpacked([Entry("a", "link", "b"), Entry("b", "link", "a"), Entry("a/x")], tmp_path)


def test_a_file_with_something_in_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Damaged, match="a: is not a folder"):
        unpacked([Entry("a"), Entry("a/b")], tmp_path)


def test_extended_attributes_but_none_of_overlayfs(tmp_path: Path) -> None:
    pax = {"SCHILY.xattr.user.a": "\udcff\x00b", "SCHILY.xattr.user.overlay.opaque": "y", "SCHILY.xattr.trusted.overlay.redirect": "/etc"}
    unpacked([Entry("f", pax=pax), Entry("d/", "dir", pax=pax)], tmp_path)
    for name in ("f", "d"):
        assert [one for one in os.listxattr(tmp_path / name) if one.startswith(("user.", "trusted."))] == ["user.a"]
        assert os.getxattr(tmp_path / name, "user.a") == b"\xff\x00b"


def test_names_of_any_bytes(tmp_path: Path) -> None:
    unpacked([Entry("\udcff" * 100 + "ü"), Entry("x" * 200 + "/" + "y" * 200)], tmp_path)
    assert os.fsencode("\udcff" * 100 + "ü") in [os.fsencode(path.name) for path in tmp_path.iterdir()]
    assert (tmp_path / ("x" * 200) / ("y" * 200)).exists()


def test_an_entry_of_no_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Damaged, match="is not a file"):
        unpacked([Entry("a", "strange")], tmp_path)


def test_a_layer_without_end_mark_is_whole(tmp_path: Path) -> None:
    with LayerStream(iter([tar([Entry("a", text="x")])[:1024]])) as stream:
        unpack(stream, str(tmp_path), opaque_mark=MARK)
    assert (tmp_path / "a").read_text() == "x"


@pytest.mark.parametrize("data", [b"", bytes(1024)])
def test_an_empty_layer(tmp_path: Path, data: bytes) -> None:
    with LayerStream(iter([data] if data else [])) as stream:
        unpack(stream, str(tmp_path), opaque_mark=MARK)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("cut", [300, 600, 1100, 2700])
def test_a_layer_that_ends_early_is_refused(tmp_path: Path, cut: int) -> None:
    with LayerStream(iter([tar([Entry("a", text="x" * 2000), Entry("b")])[:cut]])) as stream, pytest.raises(Damaged, match=ENDS):
        unpack(stream, str(tmp_path), opaque_mark=MARK)


@pytest.mark.parametrize("good", [0, 1024])
def test_rubbish_is_refused(tmp_path: Path, good: int) -> None:
    with LayerStream(iter([tar([Entry("a", text="x")])[:good] + b"not a tar" * 1000])) as stream, pytest.raises(Damaged, match=ENDS):
        unpack(stream, str(tmp_path), opaque_mark=MARK)


def test_shown_knows_overlayfs(tmp_path: Path) -> None:
    one, two = tmp_path / "1", tmp_path / "2"
    unpacked([Entry("a/b/c", text="1"), Entry("a/d", text="1"), Entry("f", text="1")], one)
    unpacked([Entry("a/.wh.b"), Entry("f/", "dir"), Entry("g", "link", "f")], two)
    assert shown([one, two]) == {"a": ("dir", ""), "a/d": ("file", "1"), "f": ("dir", ""), "g": ("link", "f")}
