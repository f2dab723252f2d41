"""Env files: lines of NAME=VALUE, values as a shell would read them in double quotes: quotes go, `$name` and `${name…}` are replaced.

A name stands for what the file says, else for what the client's environment says. What a shell would run (`$(…)`, backquotes) is refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.engine.embedded.dockerfile.errors import Fault
from pipelines.engine.embedded.dockerfile.syntax.expand import Expander
from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.ops.values import config as pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.engine.embedded.ops.values.config import Pairs

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
COMMAND = re.compile(r"\$\((?!\()|`")
SHELL = re.compile(r"\$\(\(|\$\{#")
BRACES = re.compile(r"(?<!\$)\{([^{}]*)\}")
"""Arithmetic, lengths, and braces that a shell expands: what we do not do we do not pass on as it is, either."""
EXPORT = re.compile(r"export[ \t]+")
LONGEST = 1 << 20  # characters of a variable, what it refers to included: few lines can refer to each other without end
SINGLE = re.compile(r"'[^']*'|\\.", re.DOTALL)
QUOTED = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"|\\.", re.DOTALL)


@dataclass(slots=True)
class ValueBudget:
    """How much one variable may still grow."""

    left: int = LONGEST

    def spend(self, name: str, value: str) -> None:
        """Raises InvalidInput when nothing is left."""
        self.left -= len(value) + 1
        if self.left < 0:
            raise InvalidInput(f"{name}: it has more than {LONGEST} characters once the variables in it are replaced")


@dataclass(frozen=True, slots=True)
class EnvFile:
    """Variables in order, values as they are written; of several with one name the last counts."""

    raw: Pairs = ()

    @classmethod
    def parse(cls, text: str) -> EnvFile:
        """Read a file. Empty lines and lines that begin with `#` are skipped; a name alone is an empty variable.

        Raises:
            InvalidInput: a line that is not an assignment, or leaves a quote open.
        """
        found = cls()
        for line in (line.strip() for line in text.splitlines()):
            if line and not line.startswith("#"):
                name, _, value = EXPORT.sub("", line, count=1).partition("=") if EXPORT.match(line) else line.partition("=")
                found = found.put(name, value)
        return found

    def put(self, name: str, value: str) -> EnvFile:
        """With a variable, its value as a line of a file would have it."""
        line = f"{name}={value}"
        if not NAME.fullmatch(name):
            raise InvalidInput(f"parse error: {_quoted(line)}: not a bare assignment")
        mark = _open_quote(value)
        if mark:
            raise InvalidInput(f"parse error: {_quoted(line)}: reached EOF without closing quote {mark}")
        return EnvFile(pairs.put(self.raw, name, value))

    def without(self, name: str) -> EnvFile:
        """Without a variable; equal to this file where it has none of that name."""
        return EnvFile(pairs.drop(self.raw, name))

    def namespace(self, prefix: str) -> EnvFile:
        """The variables whose names begin so, without that beginning; case and underscores do not count in it."""
        wanted = prefix.replace("_", "").casefold()
        inner: Pairs = ()
        for name, value in self.raw:
            rest = _after(name, wanted)
            if rest:
                inner = pairs.put(inner, rest, value)
        return EnvFile(inner)

    def value(self, name: str) -> str:
        """A variable's value, expanded; empty when there is none.

        Raises:
            InvalidInput: it needs a variable that is nowhere, or a command.
        """
        return self._expand(name, frozenset(), ValueBudget()) if pairs.get(self.raw, name) is not None else ""

    def variables(self) -> Pairs:
        """All variables, expanded."""
        return tuple((name, self.value(name)) for name, _ in self.raw)

    def text(self) -> str:
        """As a file."""
        return "".join(f"{name}={value}\n" for name, value in self.raw)

    def lookup(self, name: str, on_the_way: frozenset[str], budget: ValueBudget) -> str | None:
        """What a name stands for. A variable that is being expanded itself stands for nothing."""
        if name in on_the_way:
            return None
        return self._expand(name, on_the_way, budget) if pairs.get(self.raw, name) is not None else os.environ.get(name)

    def _expand(self, name: str, on_the_way: frozenset[str], budget: ValueBudget) -> str:
        value = pairs.get(self.raw, name) or ""
        budget.spend(name, value)
        if COMMAND.search(SINGLE.sub("", value)):
            raise InvalidInput(f"{name}: unexpected command substitution in {_quoted(value)}")
        if _needs_a_shell(QUOTED.sub("", value)):
            raise InvalidInput(f"{name}: {_quoted(value)} needs a shell: put it in single quotes if it is meant as it is")
        try:
            return Expander(_Names(self, on_the_way | {name}, budget)).word(value)
        except Fault as fault:
            raise InvalidInput(f"{name}: {fault}") from None
        except KeyError as error:
            raise InvalidInput(f"{name}: {error.args[0]}: unbound variable") from None


class _Names(Mapping[str, str]):
    """What names stand for while one variable is expanded; a name that stands for nothing is an error, but where a default is given."""

    def __init__(self, file: EnvFile, on_the_way: frozenset[str], budget: ValueBudget) -> None:
        self._file = file
        self._on_the_way = on_the_way
        self._budget = budget

    def __getitem__(self, name: str) -> str:
        value = self._file.lookup(name, self._on_the_way, self._budget)
        if value is None:
            raise KeyError(name)
        return value

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        """With a default (the expander gives one for a plain `$name`) a name must be known; without, None says that it is not."""
        return self._file.lookup(name, self._on_the_way, self._budget) if default is None else self[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._file.raw))

    def __len__(self) -> int:
        return len(self._file.raw)


def _after(name: str, wanted: str) -> str:
    """What of a name follows a beginning, underscores between them left out; empty if it begins otherwise."""
    at = 0
    for letter in wanted:
        while name[at : at + 1] == "_":
            at += 1
        if name[at : at + 1].casefold() != letter:
            return ""
        at += 1
    return name[at:].lstrip("_")


def _needs_a_shell(text: str) -> bool:
    return SHELL.search(text) is not None or any("," in inner or ".." in inner for inner in BRACES.findall(text))


def _open_quote(value: str) -> str:
    """The quote a value leaves open, if it does."""
    mark, escaped = "", False
    for letter in value:
        if escaped:
            escaped = False
        elif letter == "\\" and mark != "'":
            escaped = True
        elif letter in "'\"" and mark in ("", letter):
            mark = "" if mark else letter
    return mark


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
