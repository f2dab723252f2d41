from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.store.trees.removing import remove, remove_below

if TYPE_CHECKING:
    from pathlib import Path


def deep(folder: Path, depth: int) -> Path:
    """A chain of folders longer than any path may be, with a file in each."""
    top = folder / "top"
    top.mkdir()
    fd = os.open(top, os.O_RDONLY)
    for _ in range(depth):
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
        os.mkdir("a" * 50, dir_fd=fd)
        inner = os.open("a" * 50, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
    os.close(fd)
    return top


def test_trees_of_any_depth_go(tmp_path: Path) -> None:
    remove(deep(tmp_path, 1500), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_stopped_is_gone_on_with_later(tmp_path: Path) -> None:
    asked = iter([False] * 20 + [True])
    tree = deep(tmp_path, 50)
    remove(tree, tmp_path, lambda: next(asked))
    left = [*tmp_path.iterdir()]
    assert left
    for path in left:
        remove(path, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_files_links_and_folders_one_may_not_enter_go(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "x").write_text("x")
    tree = tmp_path / "tree"
    (tree / "locked" / "inner").mkdir(parents=True)
    (tree / "locked" / "file").write_text("x")
    (tree / "link").symlink_to("../kept")
    (tree / "locked" / "inner").chmod(0)
    (tree / "locked").chmod(0)
    remove(tree, tmp_path)
    remove(tmp_path / "kept" / "x", tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["kept"]


def test_what_is_in_a_folder_goes_the_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_text("x")
    assert remove_below(str(tmp_path))
    assert list(tmp_path.iterdir()) == []
    assert not remove_below(str(tmp_path))


def test_what_is_not_there_cannot_go(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        remove(tmp_path / "nope", tmp_path)
