from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.errors import NotFound
from pipelines.engine.embedded.store.trees.digests import digest_tree
from pipelines.engine.embedded.store.trees.root import Root

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def build(path: Path) -> Root:
    root = Root(path)
    path.mkdir()
    root.write("a.txt", b"A")
    root.write("b/c.py", b"print(1)")
    root.symlink("a.txt", "link")
    root.mkdirs("empty")
    return root


def test_equal_trees_have_one_digest_whenever_they_were_made(tmp_path: Path) -> None:
    one, two = build(tmp_path / "one"), build(tmp_path / "two")
    two.set_times("/", 1000)
    assert digest_tree(one) == digest_tree(two)
    assert len(digest_tree(one)) == 64


@pytest.mark.parametrize(
    "change",
    [
        lambda root: root.write("a.txt", b"B"),
        lambda root: root.write("new", b""),
        lambda root: root.remove_tree("empty"),
        lambda root: (root.path / "a.txt").rename(root.path / "z.txt"),
        lambda root: (root.path / "b").chmod(0o700),
        lambda root: (root.path / "a.txt").chmod(0o600),
        lambda root: (root.remove_tree("link"), root.symlink("b", "link")),
        lambda root: (root.remove_tree("link"), root.write("link", b"a.txt")),
        lambda root: root.path.chmod(0o700),
        lambda root: os.setxattr(root.path / "a.txt", "user.note", b"1"),
    ],
)
def test_every_change_that_counts_changes_it(tmp_path: Path, change: Callable[[Root], object]) -> None:
    root = build(tmp_path / "one")
    before = digest_tree(root)
    change(root)
    assert digest_tree(root) != before


def test_only_what_passes_counts(tmp_path: Path) -> None:
    root = build(tmp_path / "one")
    before = digest_tree(root, include=["**/*.py"]), digest_tree(root, exclude=["a.txt"])
    root.write("a.txt", b"B")
    assert (digest_tree(root, include=["**/*.py"]), digest_tree(root, exclude=["a.txt"])) == before
    root.write(".gitignore", b"*.txt")
    ignoring = digest_tree(root, gitignore=True)
    root.write("a.txt", b"C")
    assert digest_tree(root, gitignore=True) == ignoring


def test_a_file_by_itself_counts_without_its_name(tmp_path: Path) -> None:
    root = build(tmp_path / "one")
    root.write("copy", b"A")
    assert digest_tree(root, "a.txt") == digest_tree(root, "copy") == digest_tree(root, "link") != digest_tree(root, "b/c.py")


def test_many_files_are_hashed_as_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    for index in range(300):
        (tmp_path / "many" / str(index)).write_bytes(os.urandom(index * 7))
    root = Root(tmp_path)
    assert digest_tree(root) == digest_tree(root)
    before = digest_tree(root)
    (tmp_path / "many" / "299").write_bytes(b"other")
    assert digest_tree(root) != before


def test_names_that_are_no_text_count_too(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff\xfe")).write_text("1")
    before = digest_tree(Root(tmp_path))
    (tmp_path / os.fsdecode(b"\xff\xfe")).rename(tmp_path / os.fsdecode(b"\xff\xfd"))
    assert digest_tree(Root(tmp_path)) != before


def test_what_is_not_there_has_no_digest(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="stat nope"):
        digest_tree(Root(tmp_path), "nope")
