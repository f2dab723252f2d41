from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.dockerfile.syntax.patterns import replace, trim_prefix, trim_suffix

values = st.text("abé/", max_size=7)
patterns = st.text("abé*?", max_size=5)


def fits(text: str, pattern: str) -> bool:
    """The rule, read aloud: `*` is any text, `?` one character."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(fits(text[count:], pattern[1:]) for count in range(len(text) + 1))
    return bool(text) and pattern[0] in {"?", text[0]} and fits(text[1:], pattern[1:])


@given(values, patterns, st.booleans())
def test_the_shortest_or_longest_end_is_cut_off(value: str, pattern: str, longest: bool) -> None:
    choose = max if longest else min
    heads = [count for count in range(len(value) + 1) if fits(value[:count], pattern)]
    tails = [count for count in range(len(value) + 1) if fits(value[len(value) - count :], pattern)]
    assert trim_prefix(value, pattern, longest=longest) == value[choose(heads, default=0) :]
    assert trim_suffix(value, pattern, longest=longest) == value[: len(value) - choose(tails, default=0)]


def test_matches_are_replaced_as_go_replaces_them() -> None:
    assert replace("a.b.c", ".", "-", everywhere=False, limit=1000) == "a-b.c"
    assert replace("a.b.c", ".", "-", everywhere=True, limit=1000) == "a-b-c"
    assert replace("über", "b*", "-", everywhere=True, limit=1000) == "ü-"
    assert replace("ab", "*", "-", everywhere=True, limit=1000) == "-"  # the empty match after the last character does not count


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    value, pattern = "a" * 5000, "*a" * 40 + "b"
    assert trim_prefix(value, pattern, longest=True) == value
    assert trim_suffix(value, pattern, longest=False) == value
    assert replace(value, pattern, "", everywhere=True, limit=9000) == value
