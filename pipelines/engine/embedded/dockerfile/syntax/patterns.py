r"""Shell patterns inside ``${x#p}``, ``${x%p}`` and ``${x/p/r}``: ``*`` any text, ``?`` one character, ``\\`` takes the next literally.

Rule: POSIX shell, "Pattern Matching Notation", without bracket expressions (as BuildKit has it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.engine.embedded import linear
from pipelines.engine.embedded.dockerfile.errors import Fault
from pipelines.engine.embedded.dockerfile.syntax.limit import ExpansionLimit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def trim_prefix(value: str, pattern: str, *, longest: bool) -> str:
    """``value`` without the shortest or longest head that matches."""
    return value[_head(value, _parts(pattern, greedy=longest)) :]


def trim_suffix(value: str, pattern: str, *, longest: bool) -> str:
    """``value`` without the shortest or longest tail that matches: both are read backwards."""
    length = _head(value[::-1], _parts(pattern, greedy=longest)[::-1])
    return value[: len(value) - length]


def replace(value: str, pattern: str, replacement: str, *, everywhere: bool, limit: int) -> str:
    """``value`` with the first match, or every match, replaced by a literal text.

    Raises:
        Fault: it gets longer than ``limit``, or the pattern is malformed.
    """
    data, put = linear.utf8(value), linear.utf8(replacement)
    budget = ExpansionLimit(limit)
    pieces: list[bytes] = []
    at = 0
    for span in _finder(_parts(pattern, greedy=True)).spans(data):
        pieces += [data[at : span.start], put]
        budget.spend(len(replacement))
        at = span.end
        if not everywhere:
            break
    return b"".join((*pieces, data[at:])).decode()


def _head(value: str, pieces: Sequence[str]) -> int:
    """Length of the head of ``value`` that matches; 0 if none does."""
    data = linear.utf8(value)
    found = next(_finder([r"\A", *pieces]).spans(data), None)
    return len(data[: found.end].decode()) if found else 0


def _finder(pieces: Iterable[str]) -> linear.Finder:
    return linear.Finder("".join(pieces))


def _parts(pattern: str, *, greedy: bool) -> list[str]:
    """The pieces of the regular expression, one for each thing that is matched."""
    pieces: list[str] = []
    rest = iter(pattern)
    for character in rest:
        if character == "*":
            pieces.append(".*" if greedy else ".*?")
        elif character == "?":
            pieces.append(".")
        elif character == "\\":
            pieces.append(linear.escape(_escaped(next(rest, ""), pattern)))
        else:
            pieces.append(linear.escape(character))
    return pieces


def _escaped(character: str, pattern: str) -> str:
    if character and character in "*?\\}/":
        return character
    raise Fault(f"invalid pattern ({pattern}) in substitution: invalid escape '\\{character}'")
