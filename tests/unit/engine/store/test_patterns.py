"""Patterns against a reference written another way: character by character, path by path, without regular expressions or state."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.store.selection.patterns import START, Filter, Pattern, PatternList, name_pattern
from pipelines.engine.embedded.store.trees.glob import glob
from pipelines.engine.embedded.store.trees.root import Root

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["a", "b", "ab", "a.txt", "b.py", "c"]
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join)
parts = st.sampled_from(["a", "b", "ab", "*", "**", "?", "*.txt", "a*", "*b", "[ab]", "[^a]", "[a-c]*", "\\a", "a.txt", "**b"])
patterns = st.lists(parts, min_size=1, max_size=4).map("/".join)
lists = st.lists(st.tuples(st.booleans(), patterns).map(lambda both: ("!" if both[0] else "") + both[1]), max_size=5)


def fits(pattern: str, path: str) -> bool:
    """Whether a pattern without sets' edge cases matches a path: the rules of `.dockerignore`, read aloud."""
    if pattern.startswith("**") and not set(pattern[2:]) & set("*?[]\\"):
        tail = pattern[2:]
        return path.endswith(tail) or "/" + path == tail
    return _fits(pattern, path)


def _fits(pattern: str, path: str) -> bool:  # noqa: PLR0911 - one return a rule
    if not pattern:
        return not path
    if pattern == "**":
        return True
    if pattern.startswith("**"):
        rest = pattern[2:].removeprefix("/")
        starts = [0] + [index + 1 for index, letter in enumerate(path) if letter == "/"]
        return any(_fits(rest, path[start:]) for start in starts)
    if pattern[0] == "*":
        end = path.find("/") if "/" in path else len(path)
        return any(_fits(pattern[1:], path[count:]) for count in range(end + 1))
    if not path:
        return False
    if pattern[0] == "?":
        return path[0] != "/" and _fits(pattern[1:], path[1:])
    if pattern[0] == "[":
        inner, rest = pattern[1:].split("]", 1)
        return _in_set(inner, path[0]) and _fits(rest, path[1:])
    literal = pattern[1:] if pattern[0] == "\\" else pattern
    return path[0] == literal[0] and _fits(literal[1:], path[1:])


def _in_set(inner: str, letter: str) -> bool:
    negated, inner = inner.startswith("^"), inner.removeprefix("^")
    low, _, high = inner.partition("-")
    return ((low <= letter <= high) if high else (letter in inner)) != negated


def decided(given_: list[str], path: str) -> bool:
    """Whether a list matches a path: the last pattern to hit says so.

    A pattern that hit a folder hits all in it; one is tried only if it would change the verdict so far.
    """
    matched, hits = False, [False] * len(given_)
    for prefix in accumulate(path.split("/"), lambda one, two: f"{one}/{two}"):
        matched = False
        for index, pattern in enumerate(given_):
            negated = pattern.startswith("!")
            hits[index] = hits[index] or (negated == matched and fits(pattern.removeprefix("!"), prefix))
            if hits[index]:
                matched = not negated
    return matched


@given(patterns, paths)
def test_one_pattern_matches_as_the_rules_say(pattern: str, path: str) -> None:
    assert bool(Pattern(pattern).matches(path)) == fits(pattern, path)


@given(lists, lists, st.sets(paths, max_size=12))
def test_a_filter_keeps_what_include_and_exclude_leave_and_prunes_nothing_of_it(
    include: list[str], exclude: list[str], tree: set[str]
) -> None:
    everything = sorted({prefix for path in tree for prefix in accumulate(path.split("/"), lambda one, two: f"{one}/{two}")})
    kept, states, closed = set(), {"": START}, set[str]()
    filters = Filter(include, exclude)
    for path in everything:
        folder = path.rpartition("/")[0]
        if folder in closed:
            closed.add(path)
            continue
        visit = filters.visit(path, states[folder])
        states[path] = visit.state
        if visit.included:
            kept.add(path)
        if not visit.descend:
            closed.add(path)
    wanted = {path for path in everything if (not include or decided(include, path)) and not decided(exclude, path)}
    assert kept == wanted


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("**", "a/b", True),
        ("**/", "a/b", True),
        ("a/**", "a", False),
        ("a/**", "a/b/c", True),
        ("a**", "ab/c", True),
        ("**/foo", "foo", True),
        ("**/foo", "xfoo", False),
        ("**foo", "x/yfoo", True),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("./a//b/", "a/b", True),
        (" a ", "a", True),
        ("/a", "a", False),
        ("a.b", "axb", False),
        ("a\\*", "a*", True),
        ("a\\*", "ab", False),
        ("[a-c]", "b", True),
        ("[^a-c]", "b", False),
        ("*", "a/b", False),
        ("*.py", "ä.py", True),
        ("a\n*", "a\nb", True),
        ("a", "a\n", False),
    ],
)
def test_patterns_one_by_one(pattern: str, path: str, *, matches: bool) -> None:
    assert bool(Pattern(pattern).matches(path)) is matches


@pytest.mark.parametrize("pattern", ["[", "[]", "[a", "[a-]", "[-a]", "a\\", "!", "[^]"])
def test_malformed_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(InvalidInput, match="pattern"):
        Pattern(pattern)


def test_a_list_skips_empty_patterns() -> None:
    assert PatternList(["", "  ", "a"]).match("a")[0]


def test_excluded_folders_are_not_entered_unless_something_is_taken_back() -> None:
    assert not Filter(exclude=["node_modules"]).visit("node_modules", START).descend
    assert Filter(exclude=["node_modules", "!node_modules/keep"]).visit("node_modules", START).descend
    assert not Filter(exclude=["node_modules", "!other/keep"]).visit("node_modules", START).descend


def test_folders_in_which_nothing_can_be_included_are_not_entered() -> None:
    assert not Filter(include=["src/*.py"]).visit("docs", START).descend
    assert Filter(include=["src/*.py"]).visit("src", START).descend
    assert Filter(include=["**/*.py"]).visit("docs", START).descend


def test_names_match_within_themselves() -> None:
    matches = name_pattern("a**.[ch]")
    assert matches("abc.c")
    assert not matches("abc.o")
    assert not matches("a/b.c")


def tree(root: Path) -> Root:
    for name in ("a.txt", "b/c.py", "b/d/e.txt", "b.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "empty").mkdir()
    return Root(root)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("**", ["a.txt", "b/", "b/c.py", "b/d/", "b/d/e.txt", "b.txt", "empty/"]),
        ("**/*.txt", ["a.txt", "b/d/e.txt", "b.txt"]),
        ("*", ["a.txt", "b/", "b.txt", "empty/"]),
        ("b/*", ["b/c.py", "b/d/"]),
        ("b/d/e.txt", ["b/d/e.txt"]),
        ("b/", ["b/"]),
        ("!b", []),
        ("nope", []),
    ],
)
def test_glob_lists_in_walking_order_with_slashes_after_folders(tmp_path: Path, pattern: str, found: list[str]) -> None:
    assert glob(tree(tmp_path), "/", pattern) == found


def test_glob_below_a_folder_is_relative_to_it(tmp_path: Path) -> None:
    assert glob(tree(tmp_path), "b", "**") == ["c.py", "d/", "d/e.txt"]


def test_glob_refuses_an_empty_pattern(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="empty pattern"):
        glob(Root(tmp_path), "/", " ")


@given(st.sets(paths, max_size=8), patterns)
def test_glob_equals_matching_every_path(tmp_path_factory: pytest.TempPathFactory, files: set[str], pattern: str) -> None:
    root = tmp_path_factory.mktemp("tree")
    folders = {prefix for path in files for prefix in accumulate(path.split("/"), lambda one, two: f"{one}/{two}")}
    for folder in sorted(folders):
        (root / folder).mkdir()
    wanted = {folder + "/" for folder in folders if fits(pattern, folder)}
    assert set(glob(Root(root), "/", pattern)) == wanted


STARS = "*a" * 30 + "b"


@pytest.mark.parametrize("pattern", [STARS, f"**/{STARS}", "**/a" * 40 + "/b", f"x**{STARS}", "[^b]*" * 30 + "b"])
def test_a_pattern_that_backtracks_for_ever_elsewhere_takes_no_time(tmp_path: Path, pattern: str) -> None:
    path = "/".join(["a" * 100] * 20)
    (tmp_path / ("a" * 100)).write_text("")
    assert glob(Root(tmp_path), "/", pattern) == []
    assert not Pattern(pattern).matches(path)
    assert not Filter([pattern]).visit(path, START).included
    assert not PatternList([pattern, "!c"]).match(path)[0]
    name_pattern(pattern)("a" * 255)


def test_thousands_of_patterns_make_one_list() -> None:
    patterns = [f"**/folder-{number}/*.t[xy]t" for number in range(3000)]
    assert PatternList(patterns).match("a/folder-2999/b.txt")[0]
    assert not PatternList(patterns).match("a/folder-3000/b.txt")[0]


def test_names_that_are_not_utf_8_match_by_the_byte() -> None:
    assert Pattern("?.txt").matches("\udcff.txt")
    assert Pattern("[^a]*").matches("\udcff\udcfe")
    assert not Pattern("??").matches("é")


def test_a_refused_pattern_is_not_repeated_at_length() -> None:
    with pytest.raises(InvalidInput) as refused:
        Pattern("[" + "a" * 10_000)
    assert len(refused.value.message) < 400
