from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.engine.embedded.ops.files.changeset import compare
from pipelines.engine.embedded.store.trees.root import Root

NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
TREES = st.dictionaries(PATHS, st.sampled_from(["1", "2", "22"])).map(
    lambda tree: {path: text for path, text in tree.items() if not any(other.startswith(f"{path}/") for other in tree)}
)


def folders(tree: dict[str, str]) -> set[str]:
    return {str(parent) for path in tree for parent in Path(path).parents} - {"."}


def written(base: Path, tree: dict[str, str]) -> Root:
    base.mkdir()
    for path, text in tree.items():
        (base / path).parent.mkdir(parents=True, exist_ok=True)
        (base / path).write_text(text)
    return Root(base)


@settings(max_examples=60, deadline=None)
@given(TREES, TREES)
def test_changes_are_what_two_trees_differ_in(old: dict[str, str], new: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as top:
        found = compare(written(Path(top, "old"), old), "/", written(Path(top, "new"), new), "/")
    added = sorted([*(new.keys() - old.keys()), *(f"{path}/" for path in folders(new) - folders(old))])
    assert found.added == added
    assert found.modified == sorted(path for path in old.keys() & new.keys() if old[path] != new[path])
    gone = {*old, *folders(old)} - {*new, *folders(new)} | (old.keys() & folders(new)) | (folders(old) & new.keys())
    outermost = {path for path in gone if not gone & {str(parent) for parent in Path(path).parents}}
    assert sorted(found.removed) == sorted(f"{path}/" if path in folders(old) else path for path in outermost)
    assert found.any() == (old != new)
