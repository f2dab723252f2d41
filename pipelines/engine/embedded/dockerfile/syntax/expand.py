"""Words of a Dockerfile: quotes, escapes, ``$name`` and ``${name…}``.

The rules are those of the Dockerfile reference ("Environment replacement") and of BuildKit: POSIX parameter expansion with
``${x:-y}`` ``${x-y}`` ``${x:+y}`` ``${x+y}`` ``${x:?y}`` ``${x?y}`` ``${x#p}`` ``${x##p}`` ``${x%p}`` ``${x%%p}`` ``${x/p/r}`` and
``${x//p/r}``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.engine.embedded.dockerfile.errors import Fault
from pipelines.engine.embedded.dockerfile.syntax.limit import DEEPEST, ExpansionLimit
from pipelines.engine.embedded.dockerfile.syntax.patterns import replace, trim_prefix, trim_suffix

if TYPE_CHECKING:
    from collections.abc import Mapping

END = ""  # what peeking past the last character gives; no character equals it
SPACE = re.compile(r"\s")
SHOWN = 200  # characters of a word in a message
SPECIAL = "@*#?-$!"
MODIFIERS = "+-?#%"


@dataclass(frozen=True, slots=True)
class Expander:
    r"""Expands words with the variables an instruction sees.

    Attributes:
        variables: what ``$name`` stands for.
        escape: the file's escape character, ``\\`` or `````.
        keep_quotes: leave quotes in the result (to tell ``<<"EOF"`` from ``<<EOF``).
        budget: what the result may still take.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    escape: str = "\\"
    keep_quotes: bool = False
    budget: ExpansionLimit = field(default_factory=ExpansionLimit)

    def word(self, text: str) -> str:
        """The text as one word: white space stays, also what a variable brings."""
        return self._scan(text)[0]

    def split_words(self, text: str) -> tuple[str, ...]:
        """The text split at unquoted white space, also at that which a variable brings."""
        return tuple(self._scan(text)[1])

    def heredoc(self, text: str) -> str:
        r"""The body of a here-document: variables and ``\\$`` only; quotes are ordinary characters."""
        return self._run(_Scanner(text, self.variables, "\\", self.budget, quotes=False))[0]

    def _scan(self, text: str) -> tuple[str, list[str]]:
        try:
            return self._run(_Scanner(text, self.variables, self.escape, self.budget, keep_quotes=self.keep_quotes))
        except Fault as fault:
            shown = text if len(text) <= SHOWN else text[:SHOWN] + "…"
            raise Fault(f'failed to process "{shown}": {fault}') from None

    def _run(self, scanner: _Scanner) -> tuple[str, list[str]]:
        result = scanner.until(END)
        self.budget.spend(len(result[0]))
        return result


@dataclass(slots=True)
class _Words:
    """Collects words beside the text they come from."""

    done: list[str] = field(default_factory=list)
    current: list[str] = field(default_factory=list)

    def plain(self, text: str) -> None:
        parts = SPACE.split(text)
        self.current.append(parts[0])
        for part in parts[1:]:
            self.flush()
            self.current.append(part)

    def quoted(self, text: str) -> None:
        self.current.append(text)

    def flush(self) -> None:
        if word := "".join(self.current):
            self.done.append(word)
        self.current = []


class _Scanner:
    """One pass over one text, from left to right."""

    def __init__(
        self,
        text: str,
        variables: Mapping[str, str],
        escape: str,
        budget: ExpansionLimit,
        *,
        quotes: bool = True,
        keep_quotes: bool = False,
    ) -> None:
        self.budget = budget
        self.depth = 0
        self.text = text
        self.at = 0
        self.variables = variables
        self.escape = escape
        self.quotes = quotes
        self.keep_quotes = keep_quotes

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        character = self.peek()
        self.at += 1
        return character

    def until(self, stop: str, *, keep_escapes: bool = False) -> tuple[str, list[str]]:
        """Everything up to ``stop`` (which is consumed), as one text and as words."""
        result: list[str] = []
        size, words = 0, _Words()
        while (character := self.peek()) != stop:
            if character == END:
                raise Fault(f"unexpected end of statement while looking for matching {stop}")
            piece = self._piece(character, keep_escapes=keep_escapes)
            result.append(piece)
            size += len(piece)
            self.budget.check(size)
            if character == self.escape or (self.quotes and character in "'\""):
                words.quoted(piece)
            else:
                words.plain(piece)
        self.at += 1
        words.flush()
        return "".join(result), words.done

    def _piece(self, character: str, *, keep_escapes: bool) -> str:
        if character == "$":
            return self._dollar(keep_escapes=keep_escapes)
        if self.quotes and character == "'":
            return self._single()
        if self.quotes and character == '"':
            return self._double(keep_escapes=keep_escapes)
        self.at += 1
        if character != self.escape:
            return character
        return (character if keep_escapes else "") + self.take()

    def _single(self) -> str:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise Fault("unexpected end of statement while looking for matching single-quote")
        inner, self.at = self.text[self.at + 1 : end], end + 1
        return f"'{inner}'" if self.keep_quotes else inner

    def _double(self, *, keep_escapes: bool) -> str:
        self.at += 1
        pieces: list[str] = []
        size = 0
        while (character := self.peek()) != '"':
            if character == END:
                raise Fault("unexpected end of statement while looking for matching double-quote")
            pieces.append(self._dollar(keep_escapes=keep_escapes) if character == "$" else self._inside_double(keep_escapes=keep_escapes))
            size += len(pieces[-1])
            self.budget.check(size)
        self.at += 1
        result = "".join(pieces)
        return f'"{result}"' if self.keep_quotes else result

    def _inside_double(self, *, keep_escapes: bool) -> str:
        character = self.take()
        if character != self.escape or self.peek() == END:
            return "" if character == self.escape else character
        kept = character if keep_escapes else ""
        if self.peek() in ('"', "$", self.escape):
            return kept + self.take()
        return kept + character

    def _dollar(self, *, keep_escapes: bool) -> str:
        self.at += 1
        if self.peek() == "{":
            self.at += 1
            return self._braces(keep_escapes=keep_escapes)
        name = self._name()
        return self.variables.get(name, "") if name else "$"

    def _name(self) -> str:
        start = self.at
        first = self.peek()
        if first.isdecimal():
            while self.peek().isdecimal():
                self.at += 1
        elif first != END and first in SPECIAL:
            self.at += 1
        else:
            while self.peek().isalpha() or self.peek().isdecimal() or self.peek() == "_":
                self.at += 1
        return self.text[start : self.at]

    def _braces(self, *, keep_escapes: bool) -> str:
        if self.peek() == END:
            raise Fault("syntax error: missing '}'")
        if self.peek() in "{}:":
            raise Fault("syntax error: bad substitution")
        name = self._name()
        operator = self.take()
        if operator == "}":
            return self.variables.get(name, "")
        if operator == "/":
            return self._replace(name)
        if operator == END:
            raise Fault("syntax error: missing '}'")
        return self._modify(name, operator, keep_escapes=keep_escapes)

    def _modify(self, name: str, operator: str, *, keep_escapes: bool) -> str:
        colon = operator == ":"
        if colon:
            operator = self.take()
        sign = ":" * colon + operator
        if operator == END:
            raise Fault("syntax error: missing '}'")
        if operator not in MODIFIERS or (colon and operator in "#%"):
            raise Fault(f"unsupported modifier ({sign}) in substitution")
        word = self._rest("}", keep_escapes=keep_escapes or operator in "#%")
        value = self.variables.get(name)
        if operator in "#%":
            return _trim(value or "", operator, word)
        return _choose(name, None if colon and not value else value, operator, word, present=value is not None)

    def _replace(self, name: str) -> str:
        everywhere = self.peek() == "/"
        self.at += everywhere
        pattern = self._rest("/", keep_escapes=True)
        replacement = self._rest("}", keep_escapes=True)
        return replace(self.variables.get(name, ""), pattern, replacement, everywhere=everywhere, limit=self.budget.remaining)

    def _rest(self, stop: str, *, keep_escapes: bool) -> str:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Fault(f"more than {DEEPEST} substitutions inside each other")
        try:
            result = self.until(stop, keep_escapes=keep_escapes)[0]
        except Fault:
            if self.at >= len(self.text):
                raise Fault(f"syntax error: missing '{stop}'" + (" in ${}" if stop == "/" else "")) from None
            raise
        self.depth -= 1
        return result


def _choose(name: str, value: str | None, operator: str, word: str, *, present: bool) -> str:
    """``-``, ``+`` and ``?``: ``value`` is None where it counts as unset, which with a colon includes the empty one."""
    if operator == "-":
        return word if value is None else value
    if operator == "+":
        return "" if value is None else word
    if value is None:
        raise Fault(f"{name}: " + (word or ("is not allowed to be empty" if present else "is not allowed to be unset")))
    return value


def _trim(value: str, operator: str, pattern: str) -> str:
    longest = pattern.startswith(operator)
    trim = trim_prefix if operator == "#" else trim_suffix
    return trim(value, pattern[longest:], longest=longest)
