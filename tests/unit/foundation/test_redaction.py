from __future__ import annotations

import base64
import html
import json
import urllib.parse
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.foundation.redaction import MASK, SHORTEST, Redactor, Span, forms_of, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

secrets = st.text(st.characters(codec="utf-8"), min_size=SHORTEST, max_size=40).filter(lambda value: len(value.strip()) >= SHORTEST)
pieces = st.lists(st.text("ab", max_size=12), max_size=6)
FORMS: dict[str, Callable[[str], str]] = {
    "raw": lambda value: value,
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64url": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "url": lambda value: urllib.parse.quote(value, safe=""),
    "url, slashes kept": urllib.parse.quote,
    "form": urllib.parse.quote_plus,
    "json": lambda value: json.dumps(value)[1:-1],
    "json, any character": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    "xml": html.escape,
}


class Exact(Redactor):
    """Masks the forms it is given and no others."""

    def __init__(self, forms: Sequence[str]) -> None:
        super().__init__()
        self._forms = dict.fromkeys(forms)


def cut(redactor: Redactor, parts: Sequence[str]) -> str:
    stream = redactor.stream()
    return "".join([*(stream.feed(part) for part in parts), stream.close()])


def by_definition(forms: Sequence[str], text: str) -> str:
    """Character by character: whatever an occurrence covers is masked, neighbours as one."""
    covered = {
        start + offset
        for form in forms
        for start in range(len(text) - len(form) + 1)
        if text[start : start + len(form)] == form
        for offset in range(len(form))
    }
    shown = ["\0" if index in covered else character for index, character in enumerate(text)]
    return "".join(MASK if char == "\0" else char for index, char in enumerate(shown) if char != "\0" or shown[index - 1 : index] != ["\0"])


@given(st.lists(st.text("ab", min_size=1, max_size=5), min_size=1, max_size=4), st.text("abc", max_size=30))
def test_what_is_masked_is_the_union_of_all_occurrences(forms: list[str], text: str) -> None:
    assert Exact(forms).text(text) == by_definition(forms, text)


@given(st.lists(st.text("ab", min_size=1, max_size=5), min_size=1, max_size=4), pieces)
def test_a_stream_gives_the_same_however_it_is_cut(forms: list[str], parts: list[str]) -> None:
    redactor = Exact(forms)
    assert cut(redactor, parts) == redactor.text("".join(parts))


@pytest.mark.parametrize("form", FORMS)
@given(secret=secrets, before=st.text("xyz ", max_size=5), after=st.text("xyz ", max_size=5), size=st.integers(1, 7))
def test_no_form_of_a_secret_gets_through(form: str, secret: str, before: str, after: str, size: int) -> None:
    written = FORMS[form](secret)
    text = before + written + after
    shown = cut(Redactor([secret]), [text[start : start + size] for start in range(0, len(text), size)])
    assert MASK in shown
    assert written not in shown.replace(MASK, "\0") or written in MASK


def test_hex_digits_of_a_url_may_be_small() -> None:
    assert Redactor(["a/b+c=d&e"]).text("?token=a%2fb%2bc%3dd%26e") == "?token=***"


def test_browsers_leave_some_characters_of_a_url() -> None:
    assert Redactor(["a b/c!(d)"]).text("?token=a%20b%2Fc!(d)") == "?token=***"


def test_a_value_that_is_a_form_of_another_has_forms_of_its_own() -> None:
    outer = base64.b64encode(b"hunter2-hunter2").decode()
    redactor = Redactor(["hunter2-hunter2", outer])
    assert redactor.text(base64.b64encode(outer.encode()).decode()) == "***"


@given(st.binary(min_size=6, max_size=24).map(base64.b85encode).map(bytes.decode), st.binary(max_size=6), st.binary(max_size=6))
def test_base64_of_something_longer_shows_nothing_of_the_secret(secret: str, before: bytes, after: bytes) -> None:
    whole = base64.b64encode(before + secret.encode() + after).decode()
    shown = Redactor([secret]).text(whole)
    assert MASK in shown
    left, _, right = shown.partition(MASK)
    # At each side at most one character holds bits of the secret and of its neighbour.
    assert len(left) <= -(-len(before) * 8 // 6)
    assert len(right) <= -(-len(after) * 8 // 6) + 3


@given(secrets)
def test_text_without_a_secret_stays_as_it_is(secret: str) -> None:
    text = "2 passed in 0.1s\n"
    if not any(form in text for form in forms_of(secret)):
        assert Redactor([secret]).text(text) == text


def test_what_is_too_short_is_left_alone_and_says_so() -> None:
    redactor = Redactor()
    assert not redactor.register("abc")
    assert not redactor.register("  a \n")
    assert redactor.text("abc a") == "abc a"
    assert not redactor


def test_lines_of_a_key_are_masked_behind_prefixes() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\nshort\n-----END KEY-----\n"
    shown = Redactor([key]).text("1 | MIIEvQIBADANBg\n2 | kqhkiG9w0BAQEF\n3 | short\n")
    assert shown == "1 | ***\n2 | ***\n3 | short\n"


def test_the_password_of_a_url_is_masked_by_itself() -> None:
    redactor = Redactor(["[global]\nindex-url = https://me:tok%2Fen42@index/simple\n"])
    assert redactor.text("login me tok%2Fen42") == "login me ***"


def test_a_bundle_is_masked_as_a_whole_only() -> None:
    bundle = "\n".join(f"line number {number}" for number in range(100))
    redactor = Redactor([bundle])
    assert redactor.text("line number 5") == "line number 5"
    assert redactor.text(f"<{bundle}>") == "<***>"


def test_a_value_registered_late_counts_from_then_on() -> None:
    redactor = Redactor()
    stream = redactor.stream()
    assert stream.feed("hunter2!") == "hunter2!"
    redactor.register("hunter2!")
    assert stream.feed("hunter2!") + stream.close() == "***"


def test_output_is_not_held_back_without_reason() -> None:
    stream = Redactor(["hunter2!"]).stream()
    assert stream.feed("working h") == "working "
    assert stream.feed("ard\n") == "hard\n"


def test_values_are_in_no_repr() -> None:
    assert "hunter2" not in repr(Redactor(["hunter2!"]))


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 8)), max_size=8))
def test_merged_spans_are_apart_and_cover_the_same(pairs: list[tuple[int, int]]) -> None:
    spans = [Span(start, start + length) for start, length in pairs]
    result = merged(spans)
    assert {i for span in result for i in range(*span)} == {i for span in spans for i in range(*span)}
    assert all(left.end < right.start for left, right in pairwise(result))
