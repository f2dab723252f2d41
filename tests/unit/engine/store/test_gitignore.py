from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.store.selection.gitignore import IgnoreRules
from pipelines.engine.embedded.store.selection.patterns import Filter
from pipelines.engine.embedded.store.selection.select import select

if TYPE_CHECKING:
    from pathlib import Path


def kept(root: Path, files: dict[str, str], inside: str = "") -> list[str]:
    """The files `.gitignore` leaves of a tree, as seen from a folder in it."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    ignore, prefix = IgnoreRules.within(str(root), str(root / inside))
    return [found.rel for found in select(str(root / inside), Filter(), ignore, prefix) if not found.is_folder()]


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        ("*.log", [".gitignore", "a.txt", "b/build/x", "b/c.txt"]),
        ("b/", [".gitignore", "a.log", "a.txt"]),
        ("/build", [".gitignore", "a.log", "a.txt", "b/build/x", "b/c.log", "b/c.txt"]),
        ("build", [".gitignore", "a.log", "a.txt", "b/c.log", "b/c.txt"]),
        ("*.log\n!a.log", [".gitignore", "a.log", "a.txt", "b/build/x", "b/c.txt"]),
        ("!a.log\n*.log", [".gitignore", "a.txt", "b/build/x", "b/c.txt"]),
        ("b/\n!b/c.txt", [".gitignore", "a.log", "a.txt", "b/c.txt"]),
        ("# a\n\n  \n", [".gitignore", "a.log", "a.txt", "b/build/x", "b/c.log", "b/c.txt"]),
        ("*/", [".gitignore", "a.log", "a.txt"]),
        ("b/*.txt", [".gitignore", "a.log", "a.txt", "b/build/x", "b/c.log"]),
        ("[", [".gitignore", "a.log", "a.txt", "b/build/x", "b/c.log", "b/c.txt"]),
    ],
)
def test_rules_of_one_file(tmp_path: Path, rules: str, left: list[str]) -> None:
    files = dict.fromkeys(("a.log", "a.txt", "b/build/x", "b/c.log", "b/c.txt"), "")
    assert kept(tmp_path, files | {".gitignore": rules}) == left


def test_a_nearer_file_has_the_last_word(tmp_path: Path) -> None:
    files = {".gitignore": "*.txt", "a/.gitignore": "!x.txt\n/y", "a/x.txt": "", "a/z.txt": "", "a/y": "", "a/b/y": ""}
    assert kept(tmp_path, files) == [".gitignore", "a/.gitignore", "a/b/y", "a/x.txt"]


def test_files_above_the_folder_count(tmp_path: Path) -> None:
    files = {".gitignore": "/sub/gone\n*.pyc", "sub/gone": "", "sub/kept": "", "sub/x.pyc": "", "sub/in/gone": ""}
    assert kept(tmp_path, files, "sub") == ["in/gone", "kept"]


def test_a_folder_with_nothing_left_in_it_goes_if_it_is_ignored_and_stays_if_only_its_files_are(tmp_path: Path) -> None:
    kept(tmp_path, {".gitignore": "gone/\n*.o", "gone/x": "", "stays/y.o": ""})
    ignore, prefix = IgnoreRules.within(str(tmp_path), str(tmp_path))
    assert [found.rel for found in select(str(tmp_path), Filter(), ignore, prefix)] == [".gitignore", "stays"]


def test_rules_are_not_read_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("*")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / ".gitignore").symlink_to("../outside")
    assert kept(tmp_path / "root", {"a": ""}) == [".gitignore", "a"]


def test_a_folder_of_that_name_has_no_rules(tmp_path: Path) -> None:
    assert kept(tmp_path, {".gitignore/x": "*", "a": ""}) == [".gitignore/x", "a"]


def test_patterns_and_rules_both_have_to_let_a_file_pass(tmp_path: Path) -> None:
    kept(tmp_path, {".gitignore": "*.log", "a.log": "", "a.py": "", "b.py": ""})
    ignore, prefix = IgnoreRules.within(str(tmp_path), str(tmp_path))
    assert [found.rel for found in select(str(tmp_path), Filter(["a.*"]), ignore, prefix)] == ["a.py"]


def test_a_rule_that_backtracks_for_ever_elsewhere_takes_no_time(tmp_path: Path) -> None:
    stars = "*a" * 30 + "b"
    assert kept(tmp_path, {".gitignore": f"{stars}\n**/{stars}/**/x\nc*", "a" * 100: "", "cab": ""}) == [".gitignore", "a" * 100]
