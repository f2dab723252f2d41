from __future__ import annotations

import os
from typing import TYPE_CHECKING

import dagger
import pytest
from dagger import dag

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("engine")]


def tree() -> dagger.Directory:
    return (
        dag.directory()
        .with_new_file("a.txt", "A")
        .with_new_file("b/c.py", "print(1)\n")
        .with_new_file("b/d/e.txt", "E")
        .with_new_directory("empty")
    )


ALL = ["a.txt", "b/", "b/c.py", "b/d/", "b/d/e.txt", "empty/"]


async def test_listings_are_sorted_and_mark_directories() -> None:
    assert await tree().entries() == ["a.txt", "b/", "empty/"]
    assert await tree().entries(path="b") == ["c.py", "d/"]
    assert await tree().glob("**/*.txt") == ["a.txt", "b/d/e.txt"]
    assert await tree().glob("**") == ALL


async def test_a_filter_keeps_the_folders_of_what_it_keeps() -> None:
    assert await tree().filter(include=["b/**"], exclude=["**/*.txt"]).glob("**") == ["b/", "b/c.py", "b/d/"]


async def test_a_directory_is_merged_into_another_by_pattern() -> None:
    assert await dag.directory().with_directory("sub", tree(), include=["*.txt"]).glob("**") == ["sub/", "sub/a.txt"]
    merged = dag.directory().with_new_file("b/own", "o").with_directory("/", tree())
    assert await merged.glob("**") == ["a.txt", "b/", "b/c.py", "b/d/", "b/d/e.txt", "b/own", "empty/"]


async def test_removing_what_is_not_there_is_fine() -> None:
    assert await tree().without_file("a.txt").entries() == ["b/", "empty/"]
    assert await tree().without_directory("b").entries() == ["a.txt", "empty/"]
    assert await tree().without_file("nope").entries() == ["a.txt", "b/", "empty/"]


async def test_a_difference_is_what_is_new_or_changed() -> None:
    assert await tree().diff(tree().with_new_file("new", "N").without_file("a.txt")).glob("**") == ["new"]
    changed = tree().diff(tree().with_new_file("b/c.py", "print(2)\n"))
    assert await changed.glob("**/*.py") == ["b/c.py"]
    assert await changed.file("b/c.py").contents() == "print(2)\n"


async def test_missing_paths_are_named() -> None:
    with pytest.raises(dagger.QueryError, match="nope: no such file or directory"):
        await tree().file("nope").contents()
    with pytest.raises(dagger.QueryError, match="nope: no such file or directory"):
        await tree().directory("nope").entries()


async def test_facts_about_paths() -> None:
    found = tree()
    assert [await found.exists("a.txt"), await found.exists("zzz")] == [True, False]
    assert await found.exists("b", expected_type=dagger.ExistsType.DIRECTORY_TYPE)
    assert not await found.exists("b", expected_type=dagger.ExistsType.REGULAR_TYPE)


async def test_facts_about_a_file() -> None:
    file = tree().file("b/d/e.txt")
    assert [await file.contents(), await file.size(), await file.name(), (await file.digest()).split(":")[0]] == ["E", 1, "e.txt", "sha256"]


async def test_equal_content_has_one_digest_however_it_was_made() -> None:
    one = dag.directory().with_new_file("x", "1").with_new_file("y", "2")
    other = dag.directory().with_new_file("y", "2").with_new_file("z", "3").with_new_file("x", "1").without_file("z")
    assert await one.digest() == await other.digest()
    assert await one.digest() != await one.with_new_file("x", "other").digest()


async def test_a_subdirectory_is_a_directory_of_its_own() -> None:
    inner = tree().directory("b")
    assert await inner.entries() == ["c.py", "d/"]
    assert await inner.with_new_file("new", "n").entries() == ["c.py", "d/", "new"]
    assert await dag.directory().with_directory("/", inner).entries() == ["c.py", "d/"]


async def test_four_hundred_links_are_no_problem(is_real: bool) -> None:
    if is_real:
        pytest.skip("0.21.8 takes a minute for it")
    long = dag.directory()
    for index in range(390):
        long = long.with_new_file(f"{index:03}", str(index))
    assert await long.file("389").contents() == "389"


async def test_export_merges_and_wipe_empties_first(tmp_path: Path) -> None:
    await tree().export(str(tmp_path))
    await tree().file("a.txt").export(str(tmp_path / "copy.txt"))
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert found == ["a.txt", "b", "b/c.py", "b/d", "b/d/e.txt", "copy.txt", "empty"]
    await tree().export(str(tmp_path), wipe=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b", "empty"]


def _populate(root: Path) -> None:
    (root / "keep.py").write_text("k")
    (root / "drop.log").write_text("d")
    (root / "sub").mkdir()
    (root / "sub" / "x.py").write_text("x")
    (root / ".gitignore").write_text("*.log\n")


async def test_host_directories_take_patterns(tmp_path: Path) -> None:
    _populate(tmp_path)
    host = dag.host()
    assert await host.directory(str(tmp_path)).glob("**") == [".gitignore", "drop.log", "keep.py", "sub/", "sub/x.py"]
    assert await host.directory(str(tmp_path), exclude=["*.log"]).glob("**") == [".gitignore", "keep.py", "sub/", "sub/x.py"]
    assert await host.directory(str(tmp_path), include=["**/*.py"]).glob("**") == ["keep.py", "sub/", "sub/x.py"]
    assert await host.file(str(tmp_path / "keep.py")).contents() == "k"


async def test_host_directories_can_honour_gitignore(tmp_path: Path) -> None:
    _populate(tmp_path)
    (tmp_path / ".git").mkdir()
    found = await dag.host().directory(str(tmp_path), gitignore=True).glob("**/*")
    assert "drop.log" not in found
    assert "keep.py" in found


async def test_a_host_directory_that_is_not_there() -> None:
    with pytest.raises(dagger.QueryError, match="no such file or directory"):
        await dag.host().directory("/no/such/folder").entries()


async def test_permissions_and_a_symlink(base: dagger.Container) -> None:
    script = dag.directory().with_new_file("run.sh", "#!/bin/sh\necho ran\n", permissions=0o755)
    assert await base.with_file("/bin/run", script.file("run.sh")).with_exec(["/bin/run"]).stdout() == "ran\n"
    linked = base.with_new_file("/t", "T").with_symlink("/t", "/l").with_exec(["sh", "-c", "readlink /l; cat /l"])
    assert await linked.stdout() == "/t\nT"


ODD = r"""
import os
os.makedirs("/odd/deep")
os.chdir("/odd")
for name in (b"caf\xe9.txt", b"new\nline", "\u00fc".encode(), b"\xed\xa0\x80"):
    open(name, "w").write("text")
os.chdir("/odd/deep")
for _ in range(1500):
    os.mkdir("d")
    os.chdir("d")
"""


async def test_names_that_are_not_utf8_are_told_with_replacement_characters(base: dagger.Container, deep_path: Path, is_real: bool) -> None:
    if is_real:
        pytest.skip("0.21.8 tells such names otherwise")
    odd = base.with_exec(["python3", "-c", ODD]).directory("/odd")
    names = ["caf\ufffd.txt", "deep/", "new\nline", "\u00fc", "\ufffd\ufffd\ufffd"]
    assert sorted(await odd.entries()) == sorted(names)
    assert "caf\ufffd.txt" in await odd.glob("*.txt")
    assert sorted([await found.file_path() for found in await odd.search("text")]) == sorted(set(names) - {"deep/"})
    await odd.with_timestamps(0).export(str(deep_path))
    assert sorted(os.fsencode(path.name) for path in deep_path.iterdir()) == sorted(
        [b"caf\xe9.txt", b"deep", b"new\nline", "\u00fc".encode(), b"\xed\xa0\x80"]
    )


async def test_a_tree_of_1500_folders_in_each_other_is_like_any_other(base: dagger.Container, is_real: bool) -> None:
    if is_real:
        pytest.skip("0.21.8 takes minutes for it")
    deep = base.with_exec(["python3", "-c", ODD]).directory("/odd/deep")
    assert len(await deep.glob("**")) == 1500
    assert len(await dag.directory().with_directory("/", deep).changes(dag.directory()).added_paths()) == 1500


async def test_a_path_longer_than_the_system_takes_is_said(base: dagger.Container, is_real: bool) -> None:
    if is_real:
        pytest.skip("a limit of ours: the engine goes through trees by their paths")
    made = base.with_exec(["python3", "-c", ODD.replace("1500", "3000")])
    with pytest.raises(dagger.QueryError, match="file name too long"):
        await made.directory("/odd").entries()
