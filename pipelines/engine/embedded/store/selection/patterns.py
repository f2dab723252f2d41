r"""Path patterns as Dagger and BuildKit understand them: include and exclude lists, globs, names.

Rules: the pattern language of `.dockerignore` (docs.docker.com, "Dockerignore files"): `*` and `?` stay within a name, `**` spans folders,
`[…]` is a set, `\` takes the next character literally, `!` at the start takes back what earlier patterns matched. Patterns are relative to
where the walk begins, and cleaned (`./a//b/` is `a/b`).
"""

from __future__ import annotations

import itertools
import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from pipelines.engine.embedded import linear
from pipelines.engine.embedded.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


State = tuple[bool, ...]  # for each pattern of a list: whether it matched the folder a path lies in
_SPECIAL = re.compile(r"[*\[\]?\\]")
_SHOWN = 200  # characters of a refused pattern that a message repeats
_TOGETHER = 20_000  # characters of regular expressions that are joined to one


class Pattern:
    """One pattern, compiled.

    Attributes:
        negated: it began with `!`.
        matches: whether it matches a whole path (relative, without slashes at its ends).
        prefix: the folder all matches lie in, with a slash at its end; empty when the pattern begins with a wildcard.
    """

    def __init__(self, text: str) -> None:
        cleaned = posixpath.normpath(text.strip())
        self.negated = cleaned.startswith("!")
        if self.negated:
            cleaned = cleaned[1:]
        if not cleaned:
            raise InvalidInput('illegal exclusion pattern: "!"')
        _check(cleaned)
        self.regex = _translate(cleaned)
        self.matches = _compiled(self.regex, cleaned)
        literal = itertools.takewhile(lambda part: not _SPECIAL.search(part), cleaned.split("/"))
        self.prefix = "".join(f"{part}/" for part in literal)

    def may_match_below(self, folder: str) -> bool:
        """Whether it could match something in `folder`, which it does not match itself."""
        inner = folder + "/"
        return self.prefix.startswith(inner) or inner.startswith(self.prefix)


class PatternList:
    """Patterns in order: the last one that has something to say about a path decides.

    What matches a folder matches all below it, unless a later `!` pattern takes it back.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self.patterns = [Pattern(text) for text in patterns if text.strip()]
        self.negations = [pattern for pattern in self.patterns if pattern.negated]
        self._plain = [pattern for pattern in self.patterns if not pattern.negated]
        self._unions = [linear.whole(union) for union in _unions([pattern.regex for pattern in self._plain])]

    def match(self, path: str, parent: State = ()) -> tuple[bool, State]:
        """Whether `path` matches, given the state of its folder; and the state for what lies in it, should it be a folder."""
        if not self.negations:
            matched = parent[:1] == (True,) or any(matches(path) for matches in self._unions)
            return matched, (matched,)
        matched = False
        state = []
        for index, pattern in enumerate(self.patterns):
            hit = bool(parent) and parent[index]
            if not hit and pattern.negated == matched:
                hit = pattern.matches(path)
            if hit:
                matched = not pattern.negated
            state.append(hit)
        return matched, tuple(state)

    def may_match_below(self, folder: str) -> bool:
        """Whether something in `folder`, which does not match, could."""
        return any(pattern.may_match_below(folder) for pattern in self._plain)

    def may_take_back_below(self, folder: str) -> bool:
        """Whether something in `folder`, which matches, could be taken back."""
        return any(pattern.may_match_below(folder) for pattern in self.negations)


class FilterDecision(NamedTuple):
    """What a filter says of one path.

    Attributes:
        included: it belongs to the result (its folders then do too).
        descend: if it is a folder, something below may be included.
        state: for the paths directly below it.
    """

    included: bool
    descend: bool
    state: tuple[State, State]


START: tuple[State, State] = ((), ())  # the state for paths directly below the root


class Filter:
    """Include and exclude lists together.

    Args:
        include: keep only what matches one of these; empty: everything.
        exclude: leave out what matches one of these.

    Raises:
        InvalidInput: a pattern is malformed.
    """

    def __init__(self, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> None:
        self._include = PatternList(include)
        self._exclude = PatternList(exclude)
        self.everything = not self._include.patterns and not self._exclude.patterns

    def visit(self, path: str, parent: tuple[State, State]) -> FilterDecision:
        """Judge a path relative to the root of the walk; `parent` is its folder's state."""
        included, descend = True, True
        include_state: State = ()
        exclude_state: State = ()
        if self._include.patterns:
            included, include_state = self._include.match(path, parent[0])
            descend = included or self._include.may_match_below(path)
        if self._exclude.patterns:
            excluded, exclude_state = self._exclude.match(path, parent[1])
            if excluded:
                included = False
                descend = descend and self._exclude.may_take_back_below(path)
        return FilterDecision(included, descend, (include_state, exclude_state))


def name_pattern(pattern: str) -> Callable[[str], bool]:
    r"""A test for names: `*`, `?`, `[…]` and `\`; two stars are two times one."""
    _check(pattern)
    return _compiled("".join(_tokens(pattern, spanning=False)), pattern)


def _translate(pattern: str) -> str:
    """The regular expression of a cleaned pattern."""
    tail = pattern.removeprefix("**")
    if tail == pattern or _SPECIAL.search(tail):
        return "".join(_tokens(pattern, spanning=True))
    if tail.startswith("/"):
        return f"(?:.*/)?{re.escape(tail[1:])}"
    return f".*{re.escape(tail)}"  # two stars and a literal: whatever ends with it, also in the middle of a name


def _tokens(pattern: str, *, spanning: bool) -> Iterable[str]:
    """The parts of the regular expression; `spanning`: `**` means any number of folders."""
    at = 0
    while at < len(pattern):
        rest = pattern[at:]
        if spanning and rest in {"**", "**/"}:
            yield ".*"
            return
        if spanning and rest.startswith("**"):
            yield "(?:.*/)?"
            at += 3 if rest.startswith("**/") else 2
        elif rest[0] in "*?":
            yield "[^/]*" if rest[0] == "*" else "[^/]"
            at += 1
        elif rest[0] == "[":
            end = _set_end(pattern, at)
            yield _set(pattern[at + 1 : end - 1])
            at = end
        elif rest[0] == "\\":
            yield re.escape(rest[1])
            at += 2
        else:
            yield re.escape(rest[0])
            at += 1


def _set(inner: str) -> str:
    """A `[…]` without its brackets, as a regular expression."""
    negated = inner.startswith("^")
    text, at = "", 1 if negated else 0
    while at < len(inner):
        if inner[at] == "\\":
            at += 1
            text += re.escape(inner[at])
        else:
            text += "-" if inner[at] == "-" else re.escape(inner[at])
        at += 1
    return f"[{'^' if negated else ''}{text}]"


def _set_end(pattern: str, start: int) -> int:
    """Where the set that begins at `start` ends. Raises InvalidInput when it is malformed."""
    at = start + 1
    if pattern[at : at + 1] == "^":
        at += 1
    count = 0
    while at < len(pattern):
        if pattern[at] == "]" and count:
            return at + 1
        at = _set_character(pattern, at)
        if pattern[at : at + 1] == "-":
            at = _set_character(pattern, at + 1)
        count += 1
    raise _malformed(pattern)


def _set_character(pattern: str, at: int) -> int:
    """Where the character of a set that begins at `at` ends."""
    if pattern[at : at + 1] in {"", "-", "]"}:
        raise _malformed(pattern)
    at += 2 if pattern[at] == "\\" else 1
    if at >= len(pattern):
        raise _malformed(pattern)
    return at


def _check(pattern: str) -> None:
    """Raise InvalidInput when a pattern is malformed: a set that does not end, a backslash before nothing."""
    at = 0
    while at < len(pattern):
        if pattern[at] == "[":
            at = _set_end(pattern, at)
        elif pattern[at] == "\\":
            if at + 1 == len(pattern):
                raise _malformed(pattern)
            at += 2
        else:
            at += 1


def _compiled(regex: str, pattern: str) -> Callable[[str], bool]:
    try:
        return linear.whole(regex)
    except linear.BadPattern as error:  # a range that ends before it begins, or too large
        raise _malformed(pattern) from error


def _unions(regexes: Iterable[str]) -> Iterator[str]:
    """All of them in as few regular expressions as their size allows: one test costs as much for many patterns as for one."""
    union = ""
    for regex in regexes:
        if len(union) > _TOGETHER:
            yield union
            union = ""
        union += f"|(?:{regex})" if union else f"(?:{regex})"
    if union:
        yield union


def _malformed(pattern: str) -> InvalidInput:
    return InvalidInput(
        f"syntax error in pattern {_shown(pattern)!r}: every [ needs its ], every range its order, every \\ a character after it"
    )


def _shown(pattern: str) -> str:
    return pattern if len(pattern) <= _SHOWN else pattern[: _SHOWN - 1] + "…"
