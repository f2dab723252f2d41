from __future__ import annotations

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.engine.embedded.dockerfile.errors import Fault
from pipelines.engine.embedded.dockerfile.syntax.expand import Expander

VARIABLES = {
    "X": "one",
    "EMPTY": "",
    "SPACES": " a  b ",
    "DOLLAR": "$X",
    "PATH": "/usr/bin:/bin",
    "FILE": "/src/app.tar.gz",
    "ÄÖ": "umlaut",
}
EXPANDED = {
    "plain": "plain",
    "a b": "a b",
    "'a b'": "a b",
    '"a b"': "a b",
    "a\\ b": "a b",
    "a'b'\"c\"d": "abcd",
    "$X": "one",
    "${X}": "one",
    "$X.$X": "one.one",
    "$Xy": "",
    "${X}y": "oney",
    "$UNSET": "",
    "$": "$",
    "$.": "$.",
    "a$": "a$",
    "100%": "100%",
    "\\$X": "$X",
    "\\${X}": "${X}",
    "\\\\$X": "\\one",
    "'$X'": "$X",
    '"$X"': "one",
    "\"'$X'\"": "'one'",
    '"\\$X"': "$X",
    '"a\\b"': "a\\b",
    '"a\\"b"': 'a"b',
    "'a\\b'": "a\\b",
    "end\\": "end",
    "$DOLLAR": "$X",
    "$1": "",
    "$12a": "a",
    "$@b": "b",
    "${1:-x}": "x",
    "$ÄÖ": "umlaut",
    "${UNSET:-x}": "x",
    "${UNSET-x}": "x",
    "${EMPTY:-x}": "x",
    "${EMPTY-x}": "",
    "${X:-x}": "one",
    "${X:+x}": "x",
    "${X+x}": "x",
    "${EMPTY:+x}": "",
    "${EMPTY+x}": "x",
    "${UNSET:+x}": "",
    "${X:?no}": "one",
    "${EMPTY?no}": "",
    "${UNSET:-$X}": "one",
    "${UNSET:-${EMPTY:-${X}}}": "one",
    "${UNSET:-'a b'}": "a b",
    "${UNSET:-a\\}b}": "a}b",
    "${X:+${X}:}/bin": "one:/bin",
    "${PATH#*:}": "/bin",
    "${PATH%:*}": "/usr/bin",
    "${FILE##*/}": "app.tar.gz",
    "${FILE%%.*}": "/src/app",
    "${FILE%.gz}": "/src/app.tar",
    "${FILE#nope}": "/src/app.tar.gz",
    "${FILE#/s?c}": "/app.tar.gz",
    "${UNSET#a}": "",
    "${PATH/bin/x}": "/usr/x:/bin",
    "${PATH//bin/x}": "/usr/x:/x",
    "${PATH//\\//_}": "_usr_bin:_bin",
    "${X/o*/}": "",
}
REFUSED = {
    "'open": 'failed to process "\'open": unexpected end of statement while looking for matching single-quote',
    '"open': 'failed to process ""open": unexpected end of statement while looking for matching double-quote',
    "${": "failed to process \"${\": syntax error: missing '}'",
    "${X": "failed to process \"${X\": syntax error: missing '}'",
    "${X:-a": "failed to process \"${X:-a\": syntax error: missing '}'",
    "${X/a": "failed to process \"${X/a\": syntax error: missing '/' in ${}",
    "${}": 'failed to process "${}": syntax error: bad substitution',
    "${:-a}": 'failed to process "${:-a}": syntax error: bad substitution',
    "${X=a}": 'failed to process "${X=a}": unsupported modifier (=) in substitution',
    "${X:=a}": 'failed to process "${X:=a}": unsupported modifier (:=) in substitution',
    "${X:#a}": 'failed to process "${X:#a}": unsupported modifier (:#) in substitution',
    "${X.}": 'failed to process "${X.}": unsupported modifier (.) in substitution',
    "${UNSET?}": 'failed to process "${UNSET?}": UNSET: is not allowed to be unset',
    "${UNSET:?give one}": 'failed to process "${UNSET:?give one}": UNSET: give one',
    "${EMPTY:?}": 'failed to process "${EMPTY:?}": EMPTY: is not allowed to be empty',
    "${X#\\a}": "failed to process \"${X#\\a}\": invalid pattern (\\a) in substitution: invalid escape '\\a'",
}
WORDS = {
    "a b": ("a", "b"),
    " a\t b ": ("a", "b"),
    "'a b' c": ("a b", "c"),
    "a\\ b c": ("a b", "c"),
    "$SPACES": ("a", "b"),
    '"$SPACES"': (" a  b ",),
    "x$SPACES": ("x", "a", "b"),
    "x${UNSET:-y z}w": ("xy", "zw"),
    "": (),
    "$EMPTY": (),
}
LETTERS = st.text("ab/", max_size=6)


@pytest.mark.parametrize(("text", "expected"), EXPANDED.items())
def test_word(text: str, expected: str) -> None:
    assert Expander(VARIABLES).word(text) == expected


@pytest.mark.parametrize(("text", "message"), REFUSED.items())
def test_refused(text: str, message: str) -> None:
    with pytest.raises(Fault) as caught:
        Expander(VARIABLES).word(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(("text", "expected"), WORDS.items())
def test_words(text: str, expected: tuple[str, ...]) -> None:
    assert Expander(VARIABLES).split_words(text) == expected


def test_backtick_as_escape() -> None:
    expander = Expander(VARIABLES, escape="`")
    assert expander.word("C:\\x`$X") == "C:\\x$X"


def test_heredoc_leaves_quotes_and_knows_escaped_dollars() -> None:
    assert Expander(VARIABLES).heredoc("it's \"$X\" \\$X ${UNSET:-'d'}\n") == "it's \"one\" $X 'd'\n"


@given(st.text())
def test_single_quotes_keep_any_text(text: str) -> None:
    quoted = "'" + text.replace("'", "'\\''") + "'"
    assert Expander({"x": "no"}).word(quoted) == text


@given(st.text())
def test_escapes_keep_any_text(text: str) -> None:
    assert Expander({"x": "no"}).word("".join("\\" + character for character in text)) == text


@given(st.text())
def test_a_value_is_never_expanded_again(value: str) -> None:
    assert Expander({"V": value}).word('<$V><"$V"><${V:-d}>') == f"<{value}><{value}><{value or 'd'}>"


@given(st.lists(st.text(min_size=1).filter(lambda text: "'" not in text)))
def test_quoted_words_are_split_and_kept(words: list[str]) -> None:
    assert Expander().split_words(" ".join(f"'{word}'" for word in words)) == tuple(words)


@given(st.text())
def test_any_text_is_expanded_or_refused(text: str) -> None:
    try:
        Expander(VARIABLES).word(text)
    except Fault:
        return


@settings(max_examples=150, deadline=None)
@given(value=st.none() | LETTERS, operator=st.sampled_from([":-", "-", ":+", "+", "#", "##", "%", "%%"]), word=st.text("ab/*?", max_size=5))
@example(value="aab", operator="##", word="a*")
@example(value="aba/", operator="%", word="*/")
def test_same_as_a_shell(value: str | None, operator: str, word: str) -> None:
    text = f"${{V{operator}{word}}}"
    environment = {} if value is None else {"V": value}
    done = subprocess.run(["/bin/sh", "-c", f'printf %s "{text}"'], env=environment, capture_output=True, text=True, check=True)
    assert Expander(environment).word(text) == done.stdout


@given(value=LETTERS, pattern=st.text("ab?", min_size=1, max_size=3), replacement=st.text("xy", max_size=2))
def test_replacement_takes_matches_from_the_left(value: str, pattern: str, replacement: str) -> None:
    expected, rest = "", value
    while rest:
        if len(rest) >= len(pattern) and all(want in ("?", have) for want, have in zip(pattern, rest, strict=False)):
            expected, rest = expected + replacement, rest[len(pattern) :]
        else:
            expected, rest = expected + rest[0], rest[1:]
    assert Expander({"V": value}).word(f"${{V//{pattern}/{replacement}}}") == expected
