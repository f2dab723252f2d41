from __future__ import annotations

import base64
import html
import json
import random
import re
import shlex
import shutil
import subprocess
import urllib.parse
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.foundation.redaction import MASK, SHORTEST, Redactor, without_likely_secrets, without_passwords, written_forms
from pipelines.foundation.redaction.patterns import Patterns, Span
from pipelines.foundation.redaction.redactor import merged
from pipelines.foundation.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

secrets = st.text(st.characters(codec="utf-8"), min_size=SHORTEST, max_size=40).filter(lambda value: len(value.strip()) >= SHORTEST)
printable_secrets = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), include_characters=" "), min_size=SHORTEST, max_size=40
).filter(lambda value: len(value.strip()) >= SHORTEST)
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
    "hex": lambda value: value.encode().hex(),
    "HEX": lambda value: value.encode().hex().upper(),
    "json in json": lambda value: json.dumps(json.dumps(value))[3:-3],
    "url in url": lambda value: urllib.parse.quote(urllib.parse.quote(value, safe=""), safe=""),
    "command in command": lambda value: value.replace("'", "'\\''").replace("'", "'\\''"),
    "repr of bytes": lambda value: repr(value.encode())[2:-1],
    "doubled quotes": lambda value: value.replace("'", "''"),
    "base32": lambda value: base64.b32encode(value.encode()).decode(),
    "base64 of UTF-16": lambda value: base64.b64encode(value.encode("utf-16-le")).decode(),
    "numbers": lambda value: " ".join(map(str, value.encode())),
    "octal": lambda value: "\\".join(f"{byte:03o}" for byte in value.encode()),
    "every byte of a url": lambda value: "%".join(f"{byte:02X}" for byte in value.encode()),
    "set -x of bash": lambda value: value.replace("'", "'\\''"),
    "set -x of dash, shlex": lambda value: value.replace("'", "'\"'\"'"),
}
STEERING = ["\x1b[31m", "\x1b[0m", "\0", "\x1b]0;a title\x07", "\x1b(B", "\x08", "\x7f", "\x85", "\r"]
ROWS: dict[str, str] = {"\n": "\n", "\r\n": "\r\n", "within JSON": "\\n", "indented": "\n    "}


class Exact(Redactor):
    """Masks the forms it is given and no others."""

    def __init__(self, forms: Sequence[str]) -> None:
        super().__init__()
        self._forms = set(forms)


def cut(redactor: Redactor, parts: Sequence[str]) -> str:
    stream = redactor.stream()
    return "".join([*(stream.feed(part) for part in parts), stream.close()])


def by_definition(forms: Sequence[str], text: str) -> str:
    """Character by character: a mask begins at each covered one that no occurrence joins to the one before it."""
    found = [(start, len(form)) for form in forms for start in range(len(text) - len(form) + 1) if text[start : start + len(form)] == form]
    covered = {start + offset for start, length in found for offset in range(length)}
    joined = {start + offset for start, length in found for offset in range(1, length)}
    return "".join(character if index not in covered else "" if index in joined else MASK for index, character in enumerate(text))


@given(st.lists(st.text("ab", min_size=1, max_size=5), min_size=1, max_size=4), st.text("abc", max_size=30))
def test_what_is_masked_is_the_union_of_all_occurrences(forms: list[str], text: str) -> None:
    assert Exact(forms).text(text) == by_definition(forms, text)


@given(st.lists(st.text("ab", min_size=1, max_size=5), min_size=1, max_size=4), pieces)
def test_a_stream_gives_the_same_however_it_is_cut(forms: list[str], parts: list[str]) -> None:
    redactor = Exact(forms)
    assert cut(redactor, parts) == redactor.text("".join(parts))


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=40)
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
    if not any(form in text for form in written_forms(secret)):
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
    assert all(left.end <= right.start for left, right in pairwise(result))


# few pieces, so that forms, escape sequences and rows meet by chance; also in half
PIECES = ["ab", "a", "b", "\x1b", "[", "0", "m", "\0", "\xc2", "\x80", "x" * 31, "x", "\n", "\r", " ", "\\", "n", "]", "\x07"]
PIECES += ["00000000: ", "6162 ", "61 ", "62", "00000010  ", "|ab|"]
SOUP = st.lists(st.sampled_from(PIECES), max_size=30)


@given(SOUP, st.data())
def test_a_stream_gives_the_same_however_it_is_cut_whatever_steers_or_wraps(parts: list[str], data: st.DataObject) -> None:
    redactor = Exact(["ab", "aab", "abxa", "bbbbb", "x" * 33 + "a"])
    whole = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert cut(redactor, pieces) == redactor.text(whole)


@given(st.lists(st.binary(max_size=4), max_size=10), st.data())
def test_a_stream_of_bytes_gives_the_same_however_it_is_cut(parts: list[bytes], data: st.DataObject) -> None:
    secret = data.draw(st.binary(min_size=SHORTEST, max_size=6).filter(lambda value: len(value.strip()) == len(value)))
    redactor = Redactor([secret])
    whole = b"".join([*parts, secret, *parts])
    at = data.draw(st.integers(0, len(whole)))
    one, two = redactor.byte_stream(), redactor.byte_stream()
    assert one.feed(whole) + one.close() == two.feed(whole[:at]) + two.feed(whole[at:]) + two.close()


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=40)
@given(secret=printable_secrets, seed=st.integers(0, 1 << 30), size=st.integers(1, 50))
def test_a_secret_split_by_what_steers_a_terminal_does_not_come_back(form: str, secret: str, seed: int, size: int) -> None:
    chance = random.Random(seed)
    written = FORMS[form](secret)
    steered = "".join(character + (chance.choice(STEERING) if chance.random() < 0.3 else "") for character in written)
    text = f"begin {steered} end\n"
    shown = cut(Redactor([secret]), [text[start : start + size] for start in range(0, len(text), size)])
    assert written not in plain(shown).replace(MASK, "\0") or written in f"begin {MASK} end\n"


@pytest.mark.parametrize("width", [76, 64, 60])
@pytest.mark.parametrize("end", ROWS)
@settings(max_examples=25)
@given(before=st.binary(max_size=90), after=st.binary(max_size=90), size=st.integers(1, 200))
def test_base64_with_line_breaks(width: int, end: str, before: bytes, after: bytes, size: int) -> None:
    secret = "a-token-that-is-long-enough-to-be-wrapped-by-base64-as-it-does-by-default-0123456789"
    encoded = base64.b64encode(before + secret.encode() + after).decode()
    text = ROWS[end].join(encoded[start : start + width] for start in range(0, len(encoded), width)) + "\n"
    shown = cut(Redactor([secret]), [text[start : start + size] for start in range(0, len(text), size)])
    known = base64.b64encode(b"\0" * (len(before) % 3) + secret.encode()).decode()[4:-4]
    left = shown.replace(ROWS[end], "")
    assert MASK in left
    assert not any(known[start : start + 8] in left for start in range(len(known) - 8))


@pytest.mark.parametrize("separator", ["", " ", ":", ", 0x", "\\x"])
def test_hex_with_separators(separator: str) -> None:
    for digits in (b"hunter2-\xc3\xa9".hex(), b"hunter2-\xc3\xa9".hex().upper()):
        pairs = separator.join(digits[at : at + 2] for at in range(0, len(digits), 2))
        assert Redactor(["hunter2-é"]).text(f"<{pairs}>") == "<***>"


def test_hex_in_words_of_two_bytes() -> None:
    redactor = Redactor(["hunter2"])
    assert redactor.text("00000000: 6875 6e74 6572 32    hunter2\n") == "00000000: ***\n"
    assert redactor.text("00000000: 0068 756e 7465 7232  .hunter2\n") == "00000000: 00***\n"


@settings(max_examples=40)
@given(printable_secrets)
def test_quoted_as_python_does(secret: str) -> None:
    assert secret not in Redactor([secret]).text(f"+ echo {shlex.quote(secret)}").replace(MASK, "\0") or secret in "+ echo ***"


def test_the_login_of_a_registry_in_a_kubernetes_secret() -> None:
    for name in ("u", "us", "use"):
        login = base64.b64encode(f"{name}:hunter2-very-secret".encode()).decode()
        for padding in ("", " ", "  "):
            config = base64.b64encode(f'{padding}{{"auths": {{"r.example": {{"auth": "{login}"}}}}}}'.encode()).decode()
            shown = Redactor(["hunter2-very-secret"]).text(config)
            known = base64.b64encode(base64.b64encode(b"hunter2-very-secret")).decode()
            assert MASK in shown
            assert len(shown) < len(config) - len(known) + 20


def test_a_secret_in_json_in_base64() -> None:
    for before in ("", "1", "12"):
        shown = Redactor(['a"quoted"secret']).text(
            base64.b64encode(f"{before}{json.dumps('a' + chr(34) + 'quoted' + chr(34) + 'secret')}".encode()).decode()
        )
        assert len(shown) < 16


@pytest.mark.parametrize("secret", ["p@ss\"w'rd$x\\y&<z>!~`#", "#a~b", "a:~b,c", "{a,b}^*?[c]"])
def test_printf_of_bash(secret: str) -> None:
    quoted = subprocess.run(["bash", "-c", 'printf %q "$1"', "bash", secret], capture_output=True, text=True, check=True).stdout
    assert Redactor([secret]).text(f"<{quoted}>") == "<***>"


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize(
    "secret", ["it's a 'secret'", 'with "double" $quotes`', "back\\slash\\es", "tab\tand\nline-two", "plain-token", "sémi;colon&"]
)
def test_traces_of_a_shell(shell: str, secret: str) -> None:
    script = 'set -x; : "$1"; : "--password=$1"'
    traced = subprocess.run([shell, "-c", script, "sh", secret], capture_output=True, text=True, check=True).stderr
    shown = Redactor([secret]).text(traced)
    assert shown.count(MASK) == 2, (traced, shown)
    assert not re.search(r"secret|quotes|slash|line-two|token|colon", shown.replace(MASK, ""))


def test_a_secret_that_ends_in_a_newline_is_masked_without_it() -> None:
    redactor = Redactor([b"hunter2-very-secret\n"])
    assert redactor.text("https://user:hunter2-very-secret@host") == "https://user:***@host"
    assert redactor.text(base64.b64encode(b"hunter2-very-secret\n").decode()) == "***"


def test_a_private_key_is_masked_line_by_line_whatever_its_length() -> None:
    lines = [f"MIIEvQIBADANBgkqhkiG9w0BAQEF{number:04}" for number in range(200)]
    key = "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----"])
    redactor = Redactor([key])
    assert redactor.text(f"12 | {lines[150]}") == "12 | ***"
    assert redactor.text("".join(lines)) == "***"


def test_a_value_that_is_not_utf_8() -> None:
    stream = Redactor([b"\xff\xfehunter2"]).byte_stream()
    assert stream.feed(b"a \xff\xfehunter2 b") + stream.close() == b"a *** b"
    assert Redactor([b"\xff\xfehunter2"]).text("a \ufffd\ufffdhunter2") == "a ***"


@given(st.text(st.characters(codec=None), max_size=20))
def test_any_text_passes_as_it_is(text: str) -> None:
    redactor = Redactor(["hunter2-very-secret"])
    assert redactor.text(text) == text
    assert cut(redactor, list(text)) == text


def test_what_is_held_back_is_bounded() -> None:
    stream = Redactor(["hunter2!"]).byte_stream()
    given_out = stream.feed(b"hunter" + b"\0" * (2 << 20))
    assert len(given_out) > 1 << 20
    assert given_out + stream.close() == b"hunter" + b"\0" * (2 << 20)


@given(st.lists(st.binary(min_size=1, max_size=5), min_size=1, max_size=5), st.binary(max_size=12))
def test_the_end_of_a_text_may_be_the_beginning_of_a_pattern(forms: list[bytes], data: bytes) -> None:
    starts = [start for start in range(len(data)) if any(form != data[start:] and form.startswith(data[start:]) for form in forms)]
    assert Patterns(forms).unfinished(data) == min(starts, default=len(data))


def test_long_patterns_too() -> None:
    form = b"ab" * 5000
    assert Patterns([form]).unfinished(b"x" + form[:9000]) == 1
    assert Patterns([form]).unfinished(b"x" + form[:100]) == 1
    assert [*Patterns([form]).find(b"x" + form)] == [Span(1, 10_001)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("git: https://me:tok_en@host/x.git: not found", "git: https://***@host/x.git: not found"),
        ("git: https://ghp_0123456789@host/x.git", "git: https://***@host/x.git"),
        ("ssh://git@host/x and git@host:x", "ssh://git@host/x and git@host:x"),
        ("http://host/a@b, mail me@example.com", "http://host/a@b, mail me@example.com"),
        ("postgres://u:p@db:5432/x?y=z", "postgres://***@db:5432/x?y=z"),
    ],
)
def test_credentials_in_addresses_are_masked(text: str, shown: str) -> None:
    assert without_passwords(text) == shown


def test_what_is_likely_a_secret_is_masked_in_a_report_of_a_defect() -> None:
    environ = {
        "GITHUB_TOKEN": "ghs_0123456789",
        "DB_PASSWORD": "correct-horse",
        "MY_KEY": "short",
        "KEYBOARD": "qwertyuiop",
        "HOME": "/home/x-y-z",
    }
    text = "ghs_0123456789 correct-horse short qwertyuiop /home/x-y-z"
    assert without_likely_secrets(text, environ) == "*** *** short qwertyuiop /home/x-y-z"


DUMPS = [
    ["xxd"],
    ["xxd", "-u"],
    ["xxd", "-g1"],
    ["hexdump", "-C"],
    ["hexdump"],
    ["od", "-tx1"],
    ["od", "-Ax", "-tx1z"],
    ["od", "-An", "-tx1"],
]


@pytest.mark.parametrize("command", [command for command in DUMPS if shutil.which(command[0])], ids=" ".join)
@pytest.mark.parametrize("before", [0, 7, 16])
@pytest.mark.parametrize("size", [1, 4096])
def test_hex_dumps(command: list[str], before: int, size: int) -> None:
    secret = "hunter2-very-secret-token-0123456789"
    written = b"." * before + secret.encode() + b"," * 20
    dump = subprocess.run(command, input=written, capture_output=True, check=True).stdout.decode()
    text = f"a line\n{dump}last line\n"
    redactor = Redactor([secret])
    shown = cut(redactor, [text[start : start + size] for start in range(0, len(text), size)])
    assert shown == redactor.text(text)
    assert shown.startswith("a line\n")
    assert shown.endswith("last line\n")
    assert MASK in shown
    left = re.sub(r"[^0-9a-f]", "", shown.lower())
    assert not any(secret[start : start + 3] in shown for start in range(len(secret) - 3))
    assert not any(secret[start : start + 3].encode().hex() in left for start in range(len(secret) - 3))
