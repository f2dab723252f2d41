from __future__ import annotations

import re
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.linear import BadPattern, Finder, MatchSpan, anywhere, whole

letters = st.sampled_from(["a", "b", "/", "é", "\n", "\udcff", "."])
pieces = st.sampled_from(
    [*map(re.escape, ["a", "b", "/", "é", "\n", ".", " ", "-"]), "[^/]*", "[^/]", "(?:.*/)?", ".*", "[ab]", "[^a]", "\udcff"]
)


@given(st.lists(pieces, max_size=6).map("".join), st.lists(letters, max_size=8).map("".join))
def test_a_pattern_matches_what_it_matches_in_python(pattern: str, text: str) -> None:
    compiled = re.compile(pattern, re.DOTALL)
    assert whole(pattern)(text) == (compiled.fullmatch(text) is not None)
    assert anywhere(pattern)(text) == (compiled.search(text) is not None)


@pytest.mark.parametrize("pattern", ["(", "[z-a]", "a\\", "a{1001}", "(?=a)", "[^/]" * 300_000])
def test_what_is_malformed_or_too_large_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern):
        whole(pattern)


def test_patterns_that_backtrack_for_ever_elsewhere_end_at_once() -> None:
    assert not whole("(?:[^/]*a)" * 30 + "b")("a" * 4000)
    assert not anywhere("(?:a|a?)+b")("a" * 4000)


def test_empty_matches_do_not_follow_a_match_or_split_a_character() -> None:
    assert [*Finder("a*").spans("bäaac".encode())] == [MatchSpan(0, 0), MatchSpan(1, 1), MatchSpan(3, 5), MatchSpan(6, 6)]


def test_other_threads_run_while_a_pattern_is_matched() -> None:
    counted = 0
    data = b"a" * 200_000_000
    matching = threading.Thread(target=lambda: [*Finder("a[ab]*c|q").spans(data)])
    matching.start()
    while matching.is_alive():
        matching.join(0.001)
        counted += 1
    assert counted > 10
