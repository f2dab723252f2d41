from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.store.host.listing import Files, Listing, TreePart, files_in_parts, without_common
from pipelines.engine.embedded.store.host.reading import current_files
from pipelines.engine.embedded.store.objects.read_only import ReadOnlyIndex

if TYPE_CHECKING:
    from pathlib import Path

FILE, FOLDER, LINK = "100644", "40755", "120777"


def tree(*paths: str) -> Files:
    """Files at the paths, and the folders they lie in."""
    files: Files = {}
    for path in paths:
        names = path.split("/")
        files |= {"/".join(names[:count]): (FOLDER, "") for count in range(1, len(names))}
        files[path] = (FILE, path)
    return files


TREE = tree("app/main.py", "app/data/a.csv", "app/data/b.csv", "tests/test_a.py", "setup.py", "notes.md")


@pytest.mark.parametrize(
    ("narrows", "left"),
    [
        ([], set(TREE)),
        ([TreePart("/")], set(TREE)),
        ([TreePart("/setup.py")], {"setup.py"}),
        ([TreePart("/app/data")], {"app/data", "app/data/a.csv", "app/data/b.csv"}),
        ([TreePart("/ap")], set()),
        ([TreePart("/", exclude=("**/*.csv",))], set(TREE) - {"app/data/a.csv", "app/data/b.csv"}),
        ([TreePart("/app", exclude=("data",))], {"app", "app/main.py"}),
        ([TreePart("/app", include=("data/a.*",))], {"app", "app/data", "app/data/a.csv"}),
        ([TreePart("/*.md", wild=True)], {"notes.md"}),
        ([TreePart("/app/d*", wild=True)], {"app/data", "app/data/a.csv", "app/data/b.csv"}),
        ([TreePart("/a*", include=("*/b.csv",), wild=True)], {"app", "app/data", "app/data/b.csv"}),
        ([TreePart("/", exclude=("tests", "*.md")), TreePart("/tests", wild=True)], set()),
        ([TreePart("/", exclude=("*.md",)), TreePart("/app", exclude=("*.py",))], {"app", "app/data", "app/data/a.csv", "app/data/b.csv"}),
    ],
)
def test_the_part_that_counts(narrows: list[TreePart], left: set[str]) -> None:
    assert set(files_in_parts(TREE, narrows)) == left


def test_a_path_through_a_link_may_lead_anywhere() -> None:
    files = {**TREE, "current": (LINK, "app")}
    assert files_in_parts(files, [TreePart("/current/data")]) == files
    assert files_in_parts(files, [TreePart("/current", wild=True)]) == files
    assert files_in_parts(files, [TreePart("/current/*.py", wild=True)]) == files
    assert set(files_in_parts(files, [TreePart("/tests/*", wild=True)])) == {"tests/test_a.py"}


NAMES = st.lists(st.sampled_from(["a", "b", "c.py"]), min_size=1, max_size=3).map("/".join)


@given(st.sets(NAMES, max_size=8), NAMES, NAMES)
def test_what_is_outside_of_a_part_does_not_change_it(paths: set[str], part: str, other: str) -> None:
    clean = {path for path in paths if not any(path != one and (path + "/").startswith(one + "/") for one in (*paths, other))}
    before = tree(*clean)
    after = {**before, other: (FILE, "changed")}
    inside = other == part or other.startswith(f"{part}/")
    assert (files_in_parts(before, [TreePart(f"/{part}")]) != files_in_parts(after, [TreePart(f"/{part}")])) == inside


def possible(files: Files) -> Files:
    """The files in their folders; nothing lies in what is no folder."""
    kept = {rel: entry for rel, entry in files.items() if not any(rel.startswith(f"{above}/") for above in files)}
    return {**tree(*kept), **kept}


PARTS = [
    (),
    (TreePart("/a"),),
    (TreePart("/", exclude=("**/c.py",)),),
    (TreePart("/", include=("a/b",)),),
    (TreePart("/", exclude=("b",)), TreePart("/a/*", wild=True)),
]
KINDS = st.sampled_from([(FILE, "1"), (FILE, "2"), ("100755", "1"), (LINK, "a")])


@given(st.dictionaries(NAMES, KINDS, max_size=6), st.dictionaries(NAMES, KINDS, max_size=6), st.booleans(), st.sampled_from(PARTS))
def test_what_is_alike_does_not_decide_whether_parts_differ(one: Files, other: Files, folder: bool, part: tuple[TreePart, ...]) -> None:
    old, new = (possible(one), possible(other))
    if folder and "a" in new:
        new["a"] = ("40700", "")
    few = without_common(old, new)
    files_of = [{rel: entry for rel, entry in files_in_parts(one, part).items() if entry[0] != FOLDER} for one in (old, new)]
    few_of = [{rel: entry for rel, entry in files_in_parts(one, part).items() if entry[0] != FOLDER} for one in few]
    assert (files_of[0] == files_of[1]) == (few_of[0] == few_of[1])


def test_json_and_back() -> None:
    listing = Listing("/srv", ("*.py",), ("x",), gitignore=True, files=TREE)
    assert Listing.from_json(listing.to_json()) == listing
    narrow = TreePart("/a", ("c",), ("d",), wild=True)
    assert TreePart.from_json([*narrow]) == narrow


def test_a_folder_now(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("1")
    (tmp_path / "skipped").mkdir()
    (tmp_path / "link").symlink_to("one.txt")
    listing = Listing(str(tmp_path), (), ("skipped",), gitignore=False, files={})
    nothing = ReadOnlyIndex(tmp_path / "no store")
    first = current_files(listing, nothing)
    assert first is not None
    assert set(first) == {"one.txt", "link"}
    assert first["link"] == (LINK, "one.txt")
    os.utime(tmp_path / "one.txt", (1, 1))
    assert current_files(listing, nothing) == first
    (tmp_path / "one.txt").write_text("2")
    assert current_files(listing, nothing) != first
    assert current_files(Listing(str(tmp_path / "gone"), (), (), gitignore=False, files={}), nothing) is None


def test_a_listing_is_what_an_import_tells(tmp_path: Path) -> None:
    from pipelines.engine.embedded.store.host.importing import import_host_dir
    from pipelines.engine.embedded.store.store import Store

    source = tmp_path / "source"
    source.mkdir()
    (source / "a").write_text("1")
    (source / "b.pyc").write_text("2")
    store = Store.open(tmp_path / "store", rootless=True)
    try:
        told: list[Listing] = []
        for _ in range(2):
            import_host_dir(store, source, exclude=["*.pyc"], on_listing=told.append)
        assert told[0] == told[1]
        assert current_files(told[0], ReadOnlyIndex(tmp_path / "store")) == told[0].files
        assert set(told[0].files) == {"a"}
    finally:
        store.close()


def test_a_look_into_a_store(tmp_path: Path) -> None:
    from pipelines.engine.embedded.store.store import Store

    assert ReadOnlyIndex(tmp_path).contents(["key"]) == {}
    store = Store.open(tmp_path, rootless=True)
    try:
        store.put("key", {"layers": [1]}, alias=["other"])
        before = ReadOnlyIndex(tmp_path).contents(["key", "other", "key", "unknown"])
        assert before.keys() == {"key", "other"}
        store.put("key", {"layers": [1]}, alias=["other"])
        assert ReadOnlyIndex(tmp_path).contents(["key", "other"]) == before
        store.put("key", {"layers": [2]}, alias=["other"])
        after = ReadOnlyIndex(tmp_path).contents(["key", "other"])
        assert all(after[name] != content for name, content in before.items())
    finally:
        store.close()


def test_a_file_that_is_no_store_is_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "index.db").write_bytes(b"not a database at all, but long enough to be looked at" * 20)
    assert ReadOnlyIndex(tmp_path).contents(["key"]) == {}


def test_a_folder_counts_for_what_is_in_it() -> None:
    old = tree("a/b", "a/c")
    new = {**old, "a": ("40700", "")}
    part = [TreePart("/", include=("a/b",))]
    before, after = without_common(old, new)
    assert files_in_parts(before, part) != files_in_parts(after, part)


def test_what_did_not_change_is_left_out() -> None:
    old = {**tree("a/b", "a/c", "d/e"), "link": (LINK, "a")}
    new = {**old, "a/b": (FILE, "other")}
    before, after = without_common(old, new)
    assert set(before) == set(after) == {"a", "a/b", "link"}
