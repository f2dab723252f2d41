"""`.gitignore` files of a tree, with the ones of the folders above it."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from pipelines.engine.embedded import linear
from pipelines.foundation.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable

_LARGEST = 1 << 20  # bytes of a .gitignore that are read
_FOLDER = "(?P<ps_d>/)"  # pathspec's mark for the slash of a folder: a name may be there only once in a pattern


class IgnoreRule(NamedTuple):
    """One line of a `.gitignore`.

    Attributes:
        regex: found in ignored paths, folders given with a slash at the end.
        matches: whether it is in a path.
        ignores: False for lines that begin with `!`.
    """

    regex: str
    matches: Callable[[str], bool]
    ignores: bool


class IgnoreFile(NamedTuple):
    """The lines of one `.gitignore`.

    Attributes:
        start: length of the path of the folder it is in, with its slash: what its lines match is what comes after.
        rules: its lines.
        concerns: whether any of them matches a path: one test, whatever their number.
    """

    start: int
    rules: tuple[IgnoreRule, ...]
    concerns: Callable[[str], bool]


class IgnoreRules:
    """The `.gitignore` files in force in one folder, nearest last.

    The last rule that matches a path or a folder above it decides, so that `!` takes back files of ignored folders too, as in Dagger.
    """

    def __init__(self, files: tuple[IgnoreFile, ...] = ()) -> None:
        self.files = files
        self.takes_back = any(not rule.ignores for file in files for rule in file.rules)

    @classmethod
    def above(cls, top: str, rel: str) -> IgnoreRules:
        """The rules for the entries of a folder: from the `.gitignore` files of `top` and of every folder down to `top/rel`."""
        ignore = cls().inside(top, "")
        path = ""
        for part in [part for part in rel.split("/") if part]:
            path += part + "/"
            ignore = ignore.inside(os.path.join(top, path), path)
        return ignore

    @classmethod
    def within(cls, top: str, base: str) -> tuple[IgnoreRules, str]:
        """The rules for the entries of the folder `base` below `top`, and its path from there, as `select` takes them."""
        inner = os.path.relpath(base, top)
        prefix = "" if inner == "." else inner + "/"
        return cls.above(top, prefix), prefix

    def inside(self, folder: str, rel: str) -> IgnoreRules:
        """The rules for the entries of a folder, given those for its own folder.

        Args:
            folder: where it is.
            rel: its path from the top, ending with a slash, or empty for the top.
        """
        rules = tuple(rule for line in _lines(os.path.join(folder, ".gitignore")) if (rule := _rule(line)) is not None)
        return IgnoreRules((*self.files, IgnoreFile(len(rel), rules, _any(rules)))) if rules else self

    def ignored(self, rel: str, *, is_folder: bool) -> bool:
        """Whether an entry is ignored; `rel` is its path from the top."""
        path = rel + "/" if is_folder else rel
        for file in reversed(self.files):
            below = path[file.start :]
            if file.concerns(below):
                return next(rule.ignores for rule in reversed(file.rules) if rule.matches(below))
        return False


def _any(rules: tuple[IgnoreRule, ...]) -> Callable[[str], bool]:
    try:
        return linear.anywhere("|".join(f"(?:{rule.regex})" for rule in rules))
    except linear.BadPattern:  # too large together
        return lambda path: any(rule.matches(path) for rule in rules)


@lru_cache(maxsize=4096)
def _rule(line: str) -> IgnoreRule | None:
    from pathspec.patterns.gitignore import GitIgnorePatternError
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    try:
        regex, ignores = GitIgnoreSpecPattern.pattern_to_regex(line)
        if regex is None or ignores is None:
            return None
        regex = regex.replace(_FOLDER, "/")
        return IgnoreRule(regex, linear.anywhere(regex), ignores)
    except (GitIgnorePatternError, linear.BadPattern):
        return None  # git takes no notice of such a line either


def _lines(path: str) -> list[str]:
    """Lines of a `.gitignore`; none if there is none. One that is a link is not read, as in git: it may lead anywhere."""
    try:
        fd = open_regular(path)
    except OSError:
        return []
    try:
        text = os.read(fd, _LARGEST).decode(errors="surrogateescape")
    finally:
        os.close(fd)
    return [line.strip() for line in text.splitlines()]
