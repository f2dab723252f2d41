from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.ops.files.replace import ReplaceText
from pipelines.engine.embedded.ops.files.search import SearchQuery, search
from pipelines.engine.embedded.store.trees.root import Root

if TYPE_CHECKING:
    from pathlib import Path

PLAIN: dict[str, Any] = dict.fromkeys(("literal", "multiline", "dotall", "insensitive", "skipHidden", "filesOnly"), False)


def query(pattern: str, **more: Any) -> SearchQuery:
    return SearchQuery.of({**PLAIN, "globs": [], "limit": None, "pattern": pattern, **more})


def matched(pattern: str, text: str, **more: Any) -> list[str]:
    """The texts of all matches."""
    from pipelines.engine.embedded.ops.files.search import _lines

    return [match.text for found in _lines(text.encode(), "f", query(pattern, **more).pattern) for match in found.matches]


@pytest.mark.parametrize(
    "pattern", ["[a-z&&[b]]", "[a[b]]", "[a--b]", "[a~~b]", r"[^\W]", r"\b{start}a", r"\<a", r"a\>", "(?x) a", "(?-u)a", "(?R:a)"]
)
def test_what_only_ripgrep_reads_is_refused_by_name(pattern: str) -> None:
    with pytest.raises(InvalidInput, match="needs a Dagger engine"):
        query(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["(", "a)(b", "[", "[a", "a{2", "{", r"(a)\1", "(?=x)", "(?<!x)y", "(?P=n)", r"\Q.\E", r"\C", r"\K", "a\\", "[z-a]", r"\ud800x", "*a"],
)
def test_what_is_not_a_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidInput, match="regex parse error"):
        query(pattern)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"\w+", "one zwei_2 über ⓐ", ["one", "zwei_2", "über", "ⓐ"]),
        (r"\W+", "a, b", [", "]),
        (r"[\W_]+", "a_-b", ["_-"]),
        (r"[^\w]", "ä!", ["!"]),
        (r"\d+", "12 ٣", ["12", "٣"]),
        (r"[\d.]+", "1.5", ["1.5"]),
        (r"\D+", "a1b", ["a", "b"]),
        (r"a\sb", "a b a\u00a0b a\u2003b", ["a b", "a\u00a0b", "a\u2003b"]),
        (r"[\s\S]+", "a b\nc", ["a b", "c"]),
        (r"\S+", "a\u00a0b", ["a", "b"]),
        (r"\p{L}+|\p{Greek}", "aé λ", ["aé", "λ"]),
        ("[[:alpha:]]+", "ab1", ["ab"]),
        (r"\u00e9|\u{e8}|\x{ea}|\U000000eb", "é è ê ë", ["é", "è", "ê", "ë"]),
        (r"[\u{61}-c]+", "xabc", ["abc"]),
        ("(?i)ÄB", "äb", ["äb"]),
        ("(?P<n>x)(?<m>y)", "xy", ["xy"]),
        (r"[]a]+", "a]b", ["a]"]),
        (r"\\\[", r"\[", [r"\["]),
        ("^b|a$", "ab\nba", ["b", "a"]),
        (r"\bone\b", "one onetwo", ["one"]),
        (r"\Aone", "one", ["one"]),
        (r"a{2,3}", "aaaa", ["aaa"]),
        ("", "ab\n", ["", "", ""]),
        ("a*", "baac\n", ["", "aa", ""]),
        (r"\n", "a\nb", []),
        ("b[^x]c", "b\nc", []),
        ("(?s)b.c", "b\nc", []),
    ],
)
def test_patterns_mean_what_they_mean_to_ripgrep(pattern: str, text: str, expected: list[str]) -> None:
    assert matched(pattern, text) == expected


@pytest.mark.parametrize("pattern", ["(a*)*b", "(a|aa)+$", "(a|a?)+b", "^(([a-z])+.)+[A-Z]([a-z])+$", "((a{1,10}){1,10}){1,9}b"])
def test_no_pattern_takes_more_than_linear_time(pattern: str) -> None:
    assert matched(pattern, "a" * 50_000 + "!") == []


@given(
    st.lists(st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "a*", "b+", "(a|b)", "^", "$", "a?", r"\w", r"\s"]), max_size=5).map("".join),
    st.text("ab \né", max_size=12),
)
def test_patterns_that_python_shares_find_what_python_finds(pattern: str, text: str) -> None:
    expected = [
        found[0]
        for line in text.splitlines()
        for before, found in pairwise([None, *re.finditer(pattern, line)])
        if found is not None and not (not found[0] and before is not None and before.end() == found.start())
    ]
    assert matched(pattern, text) == expected


def test_links_and_binary_files_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("one\n")
    (tmp_path / "binary").write_bytes(b"one\0")
    (tmp_path / "link").symlink_to("text")
    assert [found.path for found in search(Root(tmp_path), "/", [], query("one"))] == ["text"]


def test_a_literal_is_not_a_pattern() -> None:
    assert matched("a.(b", "axb a.(b", literal=True) == ["a.(b"]


def test_lines_that_are_not_utf_8_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"one \xff\none\n")
    assert [(found.line, found.lines) for found in search(Root(tmp_path), "/", [], query("one"))] == [(2, "one\n")]


def test_globs_take_away_what_begins_with_an_exclamation_mark(tmp_path: Path) -> None:
    for name in ("a.md", "b.md", "c.txt"):
        (tmp_path / name).write_text("one\n")
    found = search(Root(tmp_path), "/", [], query("one", globs=["*.md", "!b*"]))
    assert [one.path for one in found] == ["a.md"]


@given(st.lists(st.sampled_from(["x", "y", "\n", "é"])).map("".join))
def test_every_match_is_where_it_is_said_to_be(text: str) -> None:
    from pipelines.engine.embedded.ops.files.search import _lines

    data = text.encode()
    found = [*_lines(data, "f", query("x").pattern)]
    places = [one.offset + match.start for one in found for match in one.matches]
    assert places == [at for at in range(len(data)) if data[at : at + 1] == b"x"]
    for one in found:
        assert data[one.offset :].startswith(one.lines.encode())
        assert one.line == data[: one.offset].count(b"\n") + 1


@given(st.text("ab\n", max_size=30), st.text("ab", min_size=1, max_size=2), st.integers(1, 5))
def test_the_first_from_a_line_on_is_replaced(text: str, wanted: str, first: int) -> None:
    lines = text.split("\n")
    head, tail = "\n".join(lines[: first - 1]), "\n".join(lines[first - 1 :])
    action = ReplaceText("/f", wanted, "-", first=first)
    if wanted not in tail:
        with pytest.raises(InvalidInput, match="not found"):
            action.replaced(text.encode())
    else:
        joined = head + "\n" if first > 1 else ""
        assert action.replaced(text.encode()).decode() == joined + tail.replace(wanted, "-", 1)
