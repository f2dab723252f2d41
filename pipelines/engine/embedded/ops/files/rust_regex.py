r"""Patterns of ripgrep, written in Rust's syntax (docs.rs/regex, "Syntax"), translated to the syntax of RE2.

Most of both is the same. What is not is translated (`\d`, `\w` and `\s` know all of Unicode in Rust, but ASCII only in RE2; `\u{…}`), or
refused by name where RE2 has nothing like it or would read something else. One difference stays: next to letters outside ASCII, `\b` and
`\B` see no word.
"""

from __future__ import annotations

import re

from pipelines.engine.embedded.errors import InvalidInput

DIGIT = r"\p{Nd}"
SPACE = r"\t-\r \x{85}\p{Z}"  # Unicode's White_Space
NO_SPACE = (
    r"\x{0}-\x{8}\x{e}-\x{1f}!-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}"
    r"\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff}"
)
WORD = (  # Alphabetic, marks, decimal numbers, connectors and joiners (Unicode Technical Standard 18, annex C)
    r"\pL\pM\p{Nd}\p{Nl}\p{Pc}\x{200c}\x{200d}\x{24b6}-\x{24e9}\x{1f130}-\x{1f149}\x{1f150}-\x{1f169}\x{1f170}-\x{1f189}"
)
INSIDE = {"d": DIGIT, "D": r"\P{Nd}", "s": SPACE, "S": NO_SPACE, "w": WORD}
OUTSIDE = {"d": DIGIT, "D": r"\P{Nd}", "s": f"[{SPACE}]", "S": f"[{NO_SPACE}]", "w": f"[{WORD}]", "W": f"[^{WORD}]"}
ESCAPES = frozenset("aftnrvAzbBpPx")
"""Letters that mean the same to both after a backslash."""
LONGEST_CODE = 6  # hexadecimal digits of the last Unicode character
SURROGATES = (0xD800, 0xDFFF)

_TOKEN = re.compile(
    r"""
    \\(?P<code>u\{[0-9A-Fa-f]+\}|u[0-9A-Fa-f]{4}|U\{[0-9A-Fa-f]+\}|U[0-9A-Fa-f]{8})
    | \\[bpPx]\{[^}]*\} | \\(?P<escape>.)
    | (?P<flags>\(\?[A-Za-z-]+[:)])
    | (?P<count>\{)(?P<counted>\d+(?:,\d*)?\})?
    | (?P<set>\[)
    | .
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_SET = re.compile(
    r"""
    \\(?P<code>u\{[0-9A-Fa-f]+\}|u[0-9A-Fa-f]{4}|U\{[0-9A-Fa-f]+\}|U[0-9A-Fa-f]{8})
    | \\[pPx]\{[^}]*\} | \\(?P<escape>.) | \[:\^?[a-z]+:\] | (?P<operator>&&|~~|--|\[) | (?P<end>\]) | .
    """,
    re.VERBOSE | re.DOTALL,
)


def to_re2(pattern: str) -> str:
    """The same pattern for RE2.

    Raises:
        InvalidInput: it is malformed, or only ripgrep itself can read it.
    """
    result: list[str] = []
    at = 0
    while at < len(pattern):
        found = _TOKEN.match(pattern, at) or _lonely_backslash(pattern)
        if found["set"]:
            text, at = _set(pattern, found.end())
        else:
            text, at = _part(found), found.end()
        result.append(text)
    return "".join(result)


def _part(found: re.Match[str]) -> str:
    whole = found[0]
    if found["code"]:
        return _code(found["code"])
    if found["escape"]:
        return _escape(found["escape"], OUTSIDE)
    if whole.startswith("\\b{") or (found["flags"] and set("xuR") & set(whole)):
        raise _foreign(whole)
    if found["count"] and not found["counted"]:
        raise InvalidInput("regex parse error: a { that stands for itself is written \\{")
    return whole


def _set(pattern: str, at: int) -> tuple[str, int]:
    """A set `[…]` whose bracket ends at `at`, and where it ends."""
    start = at + (pattern[at : at + 1] == "^")
    negated, at = start > at, start
    inner, no_word = "", False
    while at < len(pattern):
        found = _IN_SET.match(pattern, at) or _lonely_backslash(pattern)
        if found["end"] and at > start:
            return _closed(inner, negated=negated, no_word=no_word), found.end()
        if found["operator"]:
            raise _foreign(found[0])
        if found["escape"] == "W":
            no_word = True
        else:
            inner += _member(found)
        at = found.end()
    raise InvalidInput("regex parse error: unclosed character class")


def _member(found: re.Match[str]) -> str:
    if found["code"]:
        return _code(found["code"])
    if found["escape"]:
        return _escape(found["escape"], INSIDE)
    return r"\]" if found["end"] else found[0]


def _closed(inner: str, *, negated: bool, no_word: bool) -> str:
    if not no_word:
        return f"[{'^' if negated else ''}{inner}]"
    if negated:
        raise _foreign(r"[^\W]")
    return f"(?:[^{WORD}]|[{inner}])" if inner else f"[^{WORD}]"


def _escape(letter: str, classes: dict[str, str]) -> str:
    if letter in classes:
        return classes[letter]
    if letter in "<>":
        raise _foreign("\\" + letter)
    if letter.isalnum() and letter not in ESCAPES:
        raise InvalidInput(f"regex parse error: unrecognized escape sequence \\{letter}")
    return "\\" + letter


def _code(text: str) -> str:
    digits = text[1:].strip("{}").lstrip("0") or "0"
    if len(digits) > LONGEST_CODE or SURROGATES[0] <= int(digits, 16) <= SURROGATES[1]:
        raise InvalidInput(f"regex parse error: \\{text} is not a Unicode character")
    return f"\\x{{{digits}}}"


def _lonely_backslash(pattern: str) -> re.Match[str]:
    raise InvalidInput(f"regex parse error: {pattern[-20:]!r}: incomplete escape sequence, reached end of pattern prematurely")


def _foreign(what: str) -> InvalidInput:
    return InvalidInput(f"search: {what!r} in a pattern needs a Dagger engine: here RE2 reads what it shares with Rust's engine")
