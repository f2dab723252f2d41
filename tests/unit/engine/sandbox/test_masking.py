from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.sandbox.masking import MASK, Masker

# Few letters, so that secrets overlap, contain one another, and appear by chance.
LETTERS = st.sampled_from([b"a", b"b", b"\n"])
TEXT = st.lists(LETTERS, max_size=40).map(b"".join)
SECRETS = st.lists(st.lists(LETTERS, max_size=6).map(b"".join), max_size=4)


def masked(secrets: list[bytes], *pieces: bytes) -> bytes:
    masker = Masker(secrets)
    return b"".join([*map(masker.feed, pieces), masker.finish()])


def leftmost_longest(secrets: list[bytes], text: bytes) -> bytes:
    """The definition, place by place."""
    out, place = b"", 0
    while place < len(text):
        found = max((s for s in secrets if s and text.startswith(s, place)), key=len, default=b"")
        out += MASK if found else text[place : place + 1]
        place += len(found) or 1
    return out


@given(SECRETS, TEXT)
def test_the_longest_secret_at_the_first_place_is_replaced(secrets: list[bytes], text: bytes) -> None:
    assert masked(secrets, text) == leftmost_longest(secrets, text)


@given(SECRETS, TEXT, st.data())
def test_where_writes_are_split_makes_no_difference(secrets: list[bytes], text: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert masked(secrets, *pieces) == masked(secrets, text)


def test_every_way_to_split_a_secret_in_two() -> None:
    secret = b"s3cr3t-value"
    for cut in range(len(secret) + 1):
        assert masked([secret], b"x" + secret[:cut], secret[cut:] + b"y") == b"x***y"


def test_bytes_that_cannot_become_a_secret_are_shown_at_once() -> None:
    masker = Masker([b"secret"])
    assert masker.feed(b"hello sec") == b"hello "
    assert masker.feed(b"tor\n") == b"sector\n"


def test_a_secret_that_is_the_start_of_a_longer_one() -> None:
    assert masked([b"pass", b"password"], b"pass", b"word") == b"***"
    assert masked([b"pass", b"password"], b"pass", b"age") == b"***age"


def test_empty_values_are_no_secrets() -> None:
    assert masked([b"", b""], b"abc") == b"abc"


def test_a_long_secret_in_a_long_text() -> None:
    key = b"-----BEGIN-----\n" + b"k" * 4096 + b"\n-----END-----"
    text = (b"k" * 70_000 + key) * 3
    assert masked([key], *(text[n : n + 65_536] for n in range(0, len(text), 65_536))) == (b"k" * 70_000 + MASK) * 3
