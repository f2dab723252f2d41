from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.ops.replace import ReplaceText
from pipelines.engine.embedded.ops.search import Query, search
from pipelines.engine.embedded.store.paths import Root

if TYPE_CHECKING:
    from pathlib import Path

PLAIN: dict[str, Any] = dict.fromkeys(("literal", "multiline", "dotall", "insensitive", "skipHidden", "filesOnly"), False)


def query(pattern: str, **more: Any) -> Query:
    return Query.of({**PLAIN, "globs": [], "limit": None, "pattern": pattern, **more})


@pytest.mark.parametrize("pattern", [r"\p{L}", "[[:alpha:]]", "(?=x)", "(?<!x)y", r"(a)\1", "[a-z&&[b]]", r"\z"])
def test_what_python_reads_otherwise_than_rust_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidInput, match="needs a Dagger engine"):
        query(pattern)


@pytest.mark.parametrize("pattern", [r"\w+\d*", r"\\p", "(?i)x", "(?P<n>x)", "^a|b$", "[^a-z]{2,3}", "(?:x)"])
def test_what_both_read_alike_is_searched(pattern: str) -> None:
    assert query(pattern).pattern.pattern == pattern


def test_links_and_binary_files_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("one\n")
    (tmp_path / "binary").write_bytes(b"one\0")
    (tmp_path / "link").symlink_to("text")
    assert [found.path for found in search(Root(tmp_path), "/", [], query("one"))] == ["text"]


def test_globs_take_away_what_begins_with_an_exclamation_mark(tmp_path: Path) -> None:
    for name in ("a.md", "b.md", "c.txt"):
        (tmp_path / name).write_text("one\n")
    found = search(Root(tmp_path), "/", [], query("one", globs=["*.md", "!b*"]))
    assert [one.path for one in found] == ["a.md"]


@given(st.lists(st.sampled_from(["x", "y", "\n", "é"])).map("".join))
def test_every_match_is_where_it_is_said_to_be(text: str) -> None:
    from pipelines.engine.embedded.ops.search import _lines

    data = text.encode()
    found = [*_lines(text, "f", query("x"))]
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
