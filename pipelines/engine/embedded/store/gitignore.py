"""`.gitignore` files of a tree, with the ones of the folders above it."""

from __future__ import annotations

import os
import stat
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import re

_LARGEST = 1 << 20  # bytes of a .gitignore that are read


class Rule(NamedTuple):
    """One line of a `.gitignore`.

    Attributes:
        start: length of the path of the folder it is in, with its slash: what it matches is what comes after.
        regex: matches ignored paths, folders given with a slash at the end.
        ignores: False for lines that begin with `!`.
    """

    start: int
    regex: re.Pattern[str]
    ignores: bool


class Ignore:
    """The rules in force in one folder, nearest last.

    The last rule that matches a path or a folder above it decides, so that `!` takes back files of ignored folders too, as in Dagger.
    """

    def __init__(self, rules: tuple[Rule, ...] = ()) -> None:
        self.rules = rules
        self.takes_back = any(not rule.ignores for rule in rules)

    @classmethod
    def above(cls, top: str, rel: str) -> Ignore:
        """The rules for the entries of a folder: from the `.gitignore` files of `top` and of every folder down to `top/rel`."""
        ignore = cls().inside(top, "")
        path = ""
        for part in [part for part in rel.split("/") if part]:
            path += part + "/"
            ignore = ignore.inside(os.path.join(top, path), path)
        return ignore

    @classmethod
    def within(cls, top: str, base: str) -> tuple[Ignore, str]:
        """The rules for the entries of the folder `base` below `top`, and its path from there, as `select` takes them."""
        inner = os.path.relpath(base, top)
        prefix = "" if inner == "." else inner + "/"
        return cls.above(top, prefix), prefix

    def inside(self, folder: str, rel: str) -> Ignore:
        """The rules for the entries of a folder, given those for its own folder.

        Args:
            folder: where it is.
            rel: its path from the top, ending with a slash, or empty for the top.
        """
        rules = [*_rules(_lines(os.path.join(folder, ".gitignore")), len(rel))]
        return Ignore((*self.rules, *rules)) if rules else self

    def ignored(self, rel: str, *, is_folder: bool) -> bool:
        """Whether an entry is ignored; `rel` is its path from the top."""
        path = rel + "/" if is_folder else rel
        for rule in reversed(self.rules):
            if rule.regex.search(path[rule.start :]):
                return rule.ignores
        return False


def _rules(lines: list[str], start: int) -> list[Rule]:
    return [Rule(start, *compiled) for line in lines if (compiled := _compiled(line)) is not None]


@lru_cache(maxsize=4096)
def _compiled(line: str) -> tuple[re.Pattern[str], bool] | None:
    from pathspec.patterns.gitignore import GitIgnorePatternError
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    try:
        pattern = GitIgnoreSpecPattern(line)
    except GitIgnorePatternError:
        return None  # git takes no notice of such a line either
    return None if pattern.regex is None or pattern.include is None else (pattern.regex, pattern.include)


def _lines(path: str) -> list[str]:
    """Lines of a `.gitignore`; none if there is none. One that is a link is not read, as in git: it may lead anywhere."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return []
    try:
        text = os.read(fd, _LARGEST).decode(errors="surrogateescape") if stat.S_ISREG(os.fstat(fd).st_mode) else ""
    finally:
        os.close(fd)
    return [line.strip() for line in text.splitlines()]
