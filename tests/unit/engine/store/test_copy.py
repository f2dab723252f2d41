"""Copies between trees, against a plain model: a tree is a mapping of paths to what is there."""

from __future__ import annotations

import os
import socket
import stat
from itertools import accumulate
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.errors import InvalidInput, NotFound
from pipelines.engine.embedded.store.selection.patterns import START, Filter
from pipelines.engine.embedded.store.selection.select import select
from pipelines.engine.embedded.store.trees.copy import copy_changes, copy_file, copy_tree
from pipelines.engine.embedded.store.trees.copyfile import copy_entry
from pipelines.engine.embedded.store.trees.root import Root

if TYPE_CHECKING:
    from pathlib import Path

Tree = dict[str, str]  # path → "file:CONTENT", "link:TARGET" or "folder"

NAMES = ["a", "b", "c"]
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join)
leaves = st.one_of(st.sampled_from(["1", "2"]).map("file:{}".format), st.just("folder"), st.just("link:/nowhere"))
trees = st.deferred(lambda: st.dictionaries(paths, leaves, max_size=7).map(closed))
globs = st.lists(st.sampled_from(["a", "**/b", "a/*", "b/c", "!a/b", "**", "c/**"]), max_size=3)


def parents(path: str) -> list[str]:
    return list(accumulate(path.split("/"), lambda one, two: f"{one}/{two}"))[:-1]


def closed(given_: Tree) -> Tree:
    """The tree that has each given path whose parents can be folders."""
    tree: Tree = {}
    for path, what in sorted(given_.items()):
        if all(tree.get(parent, "folder") == "folder" for parent in parents(path)):
            tree.update(dict.fromkeys(parents(path), "folder"))
            tree[path] = what
    return tree


def build(root: Path, tree: Tree) -> Root:
    root.mkdir(parents=True)
    for path, what in sorted(tree.items()):
        kind, _, value = what.partition(":")
        if kind == "folder":
            (root / path).mkdir()
        elif kind == "link":
            (root / path).symlink_to(value)
        else:
            (root / path).write_text(value)
    return Root(root)


def read(root: Path) -> Tree:
    tree = {}
    for path in root.rglob("*"):
        what = f"link:{path.readlink()}" if path.is_symlink() else "folder" if path.is_dir() else "file:" + path.read_text()
        tree[str(path.relative_to(root))] = what
    return tree


def merged(target: Tree, source: Tree) -> Tree:
    """What a copy of `source` onto `target` gives: folders merge, anything else takes the place of what has its name."""
    result = dict(target)
    for path, what in sorted(source.items()):
        if what != "folder" or result.get(path, "folder") != "folder":
            result = {other: value for other, value in result.items() if other != path and not other.startswith(path + "/")}
        result[path] = what
    return result


@given(trees, trees)
def test_a_copy_merges_folders_and_replaces_the_rest(tmp_path_factory: pytest.TempPathFactory, source: Tree, target: Tree) -> None:
    base = tmp_path_factory.mktemp("copy")
    src, dst = build(base / "src", source), build(base / "dst", target)
    copy_tree(src, "/", dst, "/")
    assert read(dst.path) == merged(target, source)
    assert read(src.path) == source


@given(trees, globs, globs)
def test_a_filtered_copy_has_what_passes_and_the_folders_it_lies_in(
    tmp_path_factory: pytest.TempPathFactory, source: Tree, include: list[str], exclude: list[str]
) -> None:
    base = tmp_path_factory.mktemp("copy")
    src, dst = build(base / "src", source), build(base / "dst", {})
    copy_tree(src, "/", dst, "sub", include=include, exclude=exclude)
    filters = Filter(include, exclude)
    states = {"": START}
    passed = set()
    for path in sorted(source):
        visit = filters.visit(path, states[path.rpartition("/")[0]])
        states[path] = visit.state
        passed |= {path, *parents(path)} if visit.included else set()
    assert read(dst.path / "sub") == {path: source[path] for path in passed}
    assert [found.rel for found in select(str(src.path), filters)] == sorted(passed, key=lambda path: path.split("/"))


@given(trees, trees)
def test_changes_are_what_makes_the_new_tree_of_the_old_one(tmp_path_factory: pytest.TempPathFactory, old: Tree, new: Tree) -> None:
    base = tmp_path_factory.mktemp("diff")
    before, after, target = build(base / "old", old), build(base / "new", new), build(base / "out", {})
    copy_changes(before, "/", after, "/", target)
    changed = {path for path, what in new.items() if old.get(path) != what}
    needed = {parent for path in changed for parent in parents(path)}
    assert read(target.path) == {path: new[path] for path in changed | needed}


def test_a_new_folder_becomes_like_its_source_one_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    src, dst = build(tmp_path / "src", {"x": "file:1"}), build(tmp_path / "dst", {"tmp": "folder"})
    src.path.chmod(0o700)
    (dst.path / "tmp").chmod(0o1777)
    copy_tree(src, "/", dst, "tmp")
    copy_tree(src, "/", dst, "new/deep")
    assert [dst.stat(path).st_mode & 0o7777 for path in ("tmp", "new", "new/deep")] == [0o1777, 0o755, 0o700]


def test_modes_times_and_hard_links_are_kept(tmp_path: Path) -> None:
    src, dst = build(tmp_path / "src", {"d": "folder", "d/x": "file:1"}), build(tmp_path / "dst", {})
    (src.path / "d" / "y").hardlink_to(src.path / "d" / "x")
    (src.path / "d" / "x").chmod(0o4750)
    os.utime(src.path / "d" / "x", ns=(5, 1_000_000_007))
    os.utime(src.path / "d", ns=(5, 2_000_000_009))
    copy_tree(src, "/", dst, "/")
    x, y, folder = dst.stat("d/x"), dst.stat("d/y"), dst.stat("d")
    assert (x.st_mode & 0o7777, x.st_mtime_ns, x.st_ino == y.st_ino) == (0o4750, 1_000_000_007, True)
    assert folder.st_mtime_ns == 2_000_000_009


def test_permissions_go_to_every_copy(tmp_path: Path) -> None:
    src, dst = build(tmp_path / "src", {"d": "folder", "d/x": "file:1", "l": "link:d"}), build(tmp_path / "dst", {})
    copy_tree(src, "/", dst, "sub", permissions=0o711)
    assert {dst.stat(path).st_mode & 0o7777 for path in ("sub", "sub/d", "sub/d/x")} == {0o711}


def test_links_in_the_target_are_followed_within_its_root(tmp_path: Path) -> None:
    src, dst = (
        build(tmp_path / "src", {"lib": "folder", "lib/x": "file:1"}),
        build(tmp_path / "dst", {"usr": "folder", "usr/lib": "folder"}),
    )
    (dst.path / "lib").symlink_to("/usr/lib")
    copy_tree(src, "/", dst, "/")
    assert read(dst.path) == {"usr": "folder", "usr/lib": "folder", "usr/lib/x": "file:1", "lib": "link:/usr/lib"}


def test_links_to_nowhere_in_the_target_are_replaced_by_folders(tmp_path: Path) -> None:
    src, dst = build(tmp_path / "src", {"lib": "folder", "lib/x": "file:1"}), build(tmp_path / "dst", {"lib": "link:/etc/passwd"})
    copy_tree(src, "/", dst, "/")
    assert read(dst.path) == {"lib": "folder", "lib/x": "file:1"}


def test_copies_out_to_the_host_follow_no_link_and_carry_no_privilege(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    src = build(tmp_path / "src", {"d": "folder", "d/x": "file:evil", "suid": "file:1"})
    (src.path / "suid").chmod(0o6755)
    os.mkfifo(src.path / "fifo")
    dst = build(tmp_path / "dst", {})
    (dst.path / "d").symlink_to(outside)
    copy_tree(src, "/", dst, "/", owner="caller")
    assert list(outside.iterdir()) == []
    assert read(dst.path) == {"d": "folder", "d/x": "file:evil", "suid": "file:1"}
    assert dst.stat("suid").st_mode & 0o7777 == 0o755


def test_a_file_goes_to_a_path_or_into_a_folder(tmp_path: Path) -> None:
    src, dst = build(tmp_path / "src", {"f": "file:1", "l": "link:f"}), build(tmp_path / "dst", {"d": "folder", "old": "file:2"})
    copy_file(src, "f", dst, "d")
    copy_file(src, "f", dst, "new/name")
    copy_file(src, "l", dst, "old", permissions=0o600)
    assert read(dst.path) == {"d": "folder", "d/f": "file:1", "new": "folder", "new/name": "file:1", "old": "file:1"}
    assert dst.stat("old").st_mode & 0o7777 == 0o600


def test_sources_of_the_wrong_kind_are_refused(tmp_path: Path) -> None:
    src, dst = build(tmp_path / "src", {"f": "file:1", "d": "folder"}), build(tmp_path / "dst", {})
    with pytest.raises(InvalidInput, match="copy f: not a directory"):
        copy_tree(src, "f", dst, "/")
    with pytest.raises(InvalidInput, match='source path "d" is a directory'):
        copy_file(src, "d", dst, "x")
    with pytest.raises(NotFound, match="stat nope: no such file or directory"):
        copy_tree(src, "nope", dst, "/")


def test_changes_of_mode_and_link_target_count_times_do_not(tmp_path: Path) -> None:
    tree = {"mode": "file:1", "time": "file:1", "link": "link:a", "d": "folder", "d/x": "file:1"}
    old, new, out = build(tmp_path / "old", tree), build(tmp_path / "new", tree | {"link": "link:b"}), build(tmp_path / "out", {})
    (new.path / "mode").chmod(0o600)
    (new.path / "d").chmod(0o700)
    os.utime(new.path / "time", (5, 5))
    copy_changes(old, "/", new, "/", out)
    assert read(out.path) == {"mode": "file:1", "link": "link:b", "d": "folder"}


@pytest.mark.parametrize("size", [0, 1, 128 * 1024, 128 * 1024 + 1, 3_000_000])
def test_files_of_any_size_arrive_whole(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "f").write_bytes(content)
    dst = build(tmp_path / "dst", {})
    copy_tree(Root(tmp_path / "src"), "/", dst, "/")
    assert dst.read("f") == content


def test_of_a_socket_an_empty_file_is_copied(tmp_path: Path) -> None:
    src, dst = build(tmp_path / "src", {}), build(tmp_path / "dst", {})
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(src.path / "s"))
        copy_tree(src, "/", dst, "/")
    assert stat.S_ISREG(dst.stat("s").st_mode)
    assert dst.stat("s").st_size == 0


def test_a_copy_of_a_file_with_holes_has_holes(tmp_path: Path) -> None:
    size, places = 1 << 40, (0, 3 << 20, (1 << 40) - 10)
    with (tmp_path / "from").open("wb") as file:
        for place in places:
            file.seek(place)
            file.write(b"some data!")
    copy_entry(str(tmp_path / "from"), str(tmp_path / "to"), (tmp_path / "from").lstat())
    found = (tmp_path / "to").stat()
    assert (found.st_size, found.st_blocks * 512 < 1 << 20) == (size, True)
    with (tmp_path / "to").open("rb") as file:
        assert [os.pread(file.fileno(), 10, place) for place in (*places, 1 << 20)] == [b"some data!"] * 3 + [bytes(10)]


def test_a_copy_of_nothing_but_a_hole(tmp_path: Path) -> None:
    (tmp_path / "from").touch()
    os.truncate(tmp_path / "from", 1 << 40)
    copy_entry(str(tmp_path / "from"), str(tmp_path / "to"), (tmp_path / "from").lstat())
    assert (tmp_path / "to").stat().st_size == 1 << 40
    assert (tmp_path / "to").stat().st_blocks == 0
