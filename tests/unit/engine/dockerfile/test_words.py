"""Small vocabularies: durations, ports, flags, suggestions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.dockerfile.errors import Fault
from pipelines.engine.embedded.dockerfile.syntax import flags
from pipelines.engine.embedded.dockerfile.syntax.numbers import nanoseconds
from pipelines.engine.embedded.dockerfile.syntax.ports import exposed
from pipelines.engine.embedded.dockerfile.syntax.suggest import distance, hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("0", 0),
        ("0s", 0),
        ("5s", 5 * 10**9),
        ("1m30s", 90 * 10**9),
        ("500ms", 5 * 10**8),
        ("1.5h", 5400 * 10**9),
        ("1000µs", 10**6),
    ],
)
def test_durations(text: str, expected: int) -> None:
    assert nanoseconds(text) == expected


@pytest.mark.parametrize(
    "text", ["5", "s", "5 s", "5sec", "1h-3m", "-5s", "10us", ".", "1" * 1_000_000, "1" * 5000 + "s"], ids=lambda text: text[:9]
)
def test_durations_refused(text: str) -> None:
    with pytest.raises(Fault):
        nanoseconds(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("80", ("80/tcp",)),
        ("53/UDP", ("53/udp",)),
        ("80/", ("80/tcp",)),
        ("7000-7002/sctp", ("7000/sctp", "7001/sctp", "7002/sctp")),
        ("8080:80", ("80/tcp",)),
        ("127.0.0.1:8080:80/tcp", ("80/tcp",)),
    ],
)
def test_ports(text: str, expected: tuple[str, ...]) -> None:
    assert exposed(text) == expected


@pytest.mark.parametrize("text", ["", "/tcp", "http", "80/icmp", "70000", "9-8", "1-", "-1", "²"])
def test_ports_refused(text: str) -> None:
    with pytest.raises(Fault):
        exposed(text)


def test_flags_are_sorted_by_kind() -> None:
    given_flags = flags.read(
        ["--chown=1:1", "--exclude=a", "--exclude=b", "--link", "--parents=false"],
        texts=("chown",),
        lists=("exclude",),
        switches=("link", "parents"),
    )
    assert given_flags.text("chown") == "1:1"
    assert given_flags.list("exclude") == ("a", "b")
    assert (given_flags.switch("link"), given_flags.switch("parents"), given_flags.switch("keep")) == (True, False, None)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--form=a"], "unknown flag: --form (did you mean from?)"),
        (["--zzzzzz"], "unknown flag: --zzzzzz"),
        (["--from=a", "--from=b"], "duplicate flag specified: --from"),
        (["--from"], "missing a value on flag: --from"),
        (["--link="], "missing a value on flag: --link"),
        (["--link=maybe"], "expecting boolean value for flag --link, not: maybe"),
    ],
)
def test_flags_refused(words: list[str], message: str) -> None:
    with pytest.raises(Fault) as caught:
        flags.read(words, texts=("from",), switches=("link",))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("RUNN", " (did you mean RUN?)"),
        ("runn", " (did you mean run?)"),
        ("RUN", ""),
        ("EXPSE", " (did you mean EXPOSE?)"),
        ("NONSENSE", ""),
    ],
)
def test_hint(word: str, expected: str) -> None:
    assert hint(word, ["RUN", "EXPOSE", "COPY"], fold=True) == expected


@given(st.text("abc", max_size=6), st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_distance_is_a_metric(a: str, b: str, c: str) -> None:
    assert distance(a, b) == distance(b, a)
    assert (distance(a, b) == 0) == (a == b)
    assert distance(a, c) <= distance(a, b) + distance(b, c)
    assert abs(len(a) - len(b)) <= distance(a, b) <= max(len(a), len(b))
