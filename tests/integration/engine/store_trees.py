"""A model of file systems for the store's tests: a tree is a mapping of paths to what is there, and operations on it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.engine.embedded.store.trees.root import Root

Tree = dict[str, str]  # path → "file:CONTENT", "link:TARGET" or "folder"

NAMES = ["a", "b", "c"]
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join)


def parents(path: str) -> list[str]:
    return list(accumulate(path.split("/"), lambda one, two: f"{one}/{two}"))[:-1]


def read_tree(root: Path) -> Tree:
    """What a file system shows, by asking it."""
    tree = {}
    for path in root.rglob("*"):
        what = f"link:{path.readlink()}" if path.is_symlink() else "folder" if path.is_dir() else "file:" + path.read_text()
        tree[str(path.relative_to(root))] = what
    return tree


def without(tree: Tree, path: str) -> Tree:
    return {other: what for other, what in tree.items() if other != path and not other.startswith(path + "/")}


def fits(tree: Tree, path: str) -> bool:
    """Whether something can be made at `path`: nothing it would lie in is other than a folder."""
    return all(tree.get(parent, "folder") == "folder" for parent in parents(path))


@dataclass(frozen=True)
class Operation:
    """One change, to a real tree and to the model; one that does not apply changes neither."""

    kind: str
    path: str
    value: str

    def model(self, tree: Tree) -> Tree:
        """The tree afterwards."""
        there = tree.get(self.path)
        made = dict.fromkeys(parents(self.path), "folder")
        match self.kind:
            case "remove":
                return without(tree, self.path)
            case "mkdir" if fits(tree, self.path) and there in {None, "folder"}:
                return tree | made | {self.path: "folder"}
            case "write" if fits(tree, self.path) and (there is None or there.startswith("file:")):
                return tree | made | {self.path: f"file:{self.value}"}
            case "link" if fits(tree, self.path) and there is None:
                return tree | made | {self.path: f"link:/nowhere/{self.value}"}
        return tree

    def apply(self, root: Root, tree: Tree) -> None:
        """Do it, if the model says it can be done to a tree like this."""
        if self.model(tree) == tree and self.kind != "write":
            return
        match self.kind:
            case "remove":
                root.remove_tree(self.path)
            case "mkdir":
                root.mkdirs(self.path)
            case "write" if fits(tree, self.path) and tree.get(self.path, "file:").startswith("file:"):
                root.write(self.path, self.value.encode())
            case "link":
                root.symlink(f"/nowhere/{self.value}", self.path)
            case _:
                pass  # what it was to be is in the way


OPERATIONS = st.builds(
    Operation, st.sampled_from(["remove", "remove", "mkdir", "write", "write", "link"]), PATHS, st.sampled_from(["1", "22", "333"])
)
STEPS = st.lists(st.lists(OPERATIONS, min_size=1, max_size=4), min_size=1, max_size=6)
