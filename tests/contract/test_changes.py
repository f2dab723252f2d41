from __future__ import annotations

from typing import TYPE_CHECKING

import dagger
import pytest
from dagger import dag

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("engine")]

PATCH = """\
diff --git a/a.txt b/a.txt
--- a/a.txt
+++ b/a.txt
@@ -1 +1,2 @@
-A
+AA
+B
diff --git a/new.sh b/new.sh
new file mode 100755
--- /dev/null
+++ b/new.sh
@@ -0,0 +1 @@
+echo
diff --git a/b/c.py b/b/c.py
deleted file mode 100644
--- a/b/c.py
+++ /dev/null
@@ -1 +0,0 @@
-print(1)
"""


def old() -> dagger.Directory:
    tree = dag.directory().with_new_file("a.txt", "A\n").with_new_file("b/c.py", "print(1)\n")
    return tree.with_new_file("b/d/e.txt", "E\n").with_new_directory("empty")


def new() -> dagger.Directory:
    tree = old().with_new_file("a.txt", "AA\nA2\n").with_new_file("n/new.txt", "N\nN\n").with_new_file("b/own", "o\n")
    return tree.without_directory("b/d").without_directory("empty").with_new_directory("e2")


async def test_changes_name_what_was_added_modified_and_removed() -> None:
    changes = new().changes(old())
    assert await changes.added_paths() == ["b/own", "e2/", "n/", "n/new.txt"]
    assert await changes.modified_paths() == ["a.txt"]
    assert await changes.removed_paths() == ["b/d/", "empty/"]
    assert not await changes.is_empty()
    assert await changes.layer().glob("**") == ["a.txt", "b/", "b/own", "e2/", "n/", "n/new.txt"]
    assert await changes.before().glob("**") == await old().glob("**")
    assert await changes.after().glob("**") == await new().glob("**")


async def test_no_changes_are_an_empty_changeset() -> None:
    changes = old().changes(old())
    assert await changes.is_empty()
    assert await changes.added_paths() == []
    assert await changes.as_patch().contents() == ""
    assert await changes.layer().glob("**") == []


async def test_a_file_that_becomes_a_directory_is_removed_and_added() -> None:
    changes = dag.directory().with_new_file("x/y", "1").changes(dag.directory().with_new_file("x", "1"))
    assert (await changes.added_paths(), await changes.modified_paths(), await changes.removed_paths()) == (["x/", "x/y"], [], ["x"])


async def test_links_and_modes_count(base: dagger.Container) -> None:
    before = dag.directory().with_new_file("x", "1").with_symlink("x", "l")
    assert await dag.directory().with_symlink("q", "x").with_symlink("y", "l").changes(before).modified_paths() == ["l", "x"]
    made = base.with_exec(["sh", "-c", "mkdir /q; echo 1 > /q/f; echo 1 > /q/g"])
    changes = made.with_exec(["sh", "-c", "chmod 755 /q/f; touch /q/g"]).directory("/q").changes(made.directory("/q"))
    assert await changes.modified_paths() == ["f"]
    assert await changes.as_patch().contents() == "diff --git a/f b/f\nold mode 100644\nnew mode 100755\n"


async def test_a_patch_is_what_git_writes() -> None:
    patch = new().changes(old()).as_patch()
    assert await patch.name() == "diff.patch"
    assert await patch.contents() == (
        "diff --git a/a.txt b/a.txt\nindex f70f10e..6114f20 100644\n--- a/a.txt\n+++ b/a.txt\n@@ -1 +1,2 @@\n-A\n+AA\n+A2\n"
        "diff --git a/b/d/e.txt a/b/d/e.txt\ndeleted file mode 100644\nindex 1c50726..0000000\n"
        "--- a/b/d/e.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-E\n"
        "diff --git b/b/own b/b/own\nnew file mode 100644\nindex 0000000..13e7564\n--- /dev/null\n+++ b/b/own\n@@ -0,0 +1 @@\n+o\n"
        "diff --git b/n/new.txt b/n/new.txt\nnew file mode 100644\nindex 0000000..d73252e\n"
        "--- /dev/null\n+++ b/n/new.txt\n@@ -0,0 +1,2 @@\n+N\n+N\n"
    )


async def test_a_patch_of_a_renamed_file_says_so() -> None:
    text = "".join(f"line {number}\n" for number in range(30))
    changes = dag.directory().with_new_file("x/new.txt", text).changes(dag.directory().with_new_file("x/old.txt", text))
    renamed = "similarity index 100%\nrename from a/x/old.txt\nrename to b/x/new.txt\n"
    assert await changes.as_patch().contents() == "diff --git a/x/old.txt b/x/new.txt\n" + renamed


async def test_changes_are_applied_to_another_directory() -> None:
    other = dag.directory().with_new_file("a.txt", "mine").with_new_file("b/d/mine", "m").with_new_file("z", "z")
    changed = other.with_changes(new().changes(old()))
    assert await changed.glob("**") == ["a.txt", "b/", "b/own", "e2/", "n/", "n/new.txt", "z"]
    assert await changed.file("a.txt").contents() == "AA\nA2\n"


async def test_changes_are_applied_to_a_folder_of_the_host(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A\n")
    (tmp_path / "keep").write_text("k")
    (tmp_path / "b" / "d").mkdir(parents=True)
    (tmp_path / "b" / "d" / "e.txt").write_text("E\n")
    (tmp_path / "empty").mkdir()
    assert await new().changes(old()).export(str(tmp_path)) == str(tmp_path)
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert left == ["a.txt", "b", "b/own", "e2", "keep", "n", "n/new.txt"]
    assert (tmp_path / "a.txt").read_text() == "AA\nA2\n"


async def test_a_patch_is_applied() -> None:
    for patched in (old().with_patch(PATCH), old().with_patch_file(dag.directory().with_new_file("p", PATCH).file("p"))):
        assert await patched.glob("**") == ["a.txt", "b/", "b/d/", "b/d/e.txt", "empty/", "new.sh"]
        assert await patched.file("a.txt").contents() == "AA\nB\n"
    below = dag.directory().with_directory("s", old()).directory("s").with_patch(PATCH)
    assert await below.file("a.txt").contents() == "AA\nB\n"


async def test_a_patch_that_does_not_fit_is_refused_and_none_changes_nothing() -> None:
    with pytest.raises(dagger.QueryError, match="git apply: exit status 1"):
        await dag.directory().with_new_file("a.txt", "other\n").with_patch(PATCH).entries()
    assert await old().with_patch("no patch").entries() == ["a.txt", "b/", "empty/"]
    assert await old().with_patch("").entries() == ["a.txt", "b/", "empty/"]


async def test_a_patch_and_back() -> None:
    patch = new().changes(old()).as_patch()
    assert await old().with_patch_file(patch).without_directory("empty").with_new_directory("e2").glob("**") == await new().glob("**")
