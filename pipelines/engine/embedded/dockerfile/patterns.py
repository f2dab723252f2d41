r"""Shell patterns inside ``${x#p}``, ``${x%p}`` and ``${x/p/r}``: ``*`` any text, ``?`` one character, ``\\`` takes the next literally.

Rule: POSIX shell, "Pattern Matching Notation", without bracket expressions (as BuildKit has it).
"""

from __future__ import annotations

import re

from pipelines.engine.embedded.dockerfile.errors import Fault


def trim_prefix(value: str, pattern: str, *, longest: bool) -> str:
    """``value`` without the shortest or longest head that matches."""
    found = _compile(pattern, greedy=longest).match(value)
    return value[found.end() :] if found else value


def trim_suffix(value: str, pattern: str, *, longest: bool) -> str:
    """``value`` without the shortest or longest tail that matches."""
    whole = _compile(pattern, greedy=longest)
    starts = range(len(value) + 1) if longest else range(len(value), -1, -1)
    return next((value[:start] for start in starts if whole.fullmatch(value, start)), value)


def replace(value: str, pattern: str, replacement: str, *, everywhere: bool) -> str:
    """``value`` with the first match, or every match, replaced by a literal text."""
    return _compile(pattern, greedy=True).sub(lambda _: replacement, value, count=0 if everywhere else 1)


def _compile(pattern: str, *, greedy: bool) -> re.Pattern[str]:
    result, rest = "", iter(pattern)
    for character in rest:
        if character == "*":
            result += ".*" if greedy else ".*?"
        elif character == "?":
            result += "."
        elif character == "\\":
            result += re.escape(_escaped(next(rest, ""), pattern))
        else:
            result += re.escape(character)
    return re.compile(result)


def _escaped(character: str, pattern: str) -> str:
    if character and character in "*?\\}/":
        return character
    raise Fault(f"invalid pattern ({pattern}) in substitution: invalid escape '\\{character}'")
