"""A Dockerfile as instructions, read as BuildKit's parser reads it (frontend/dockerfile/parser): lines joined, comments and heredocs apart.

It is for those who look at a Dockerfile from outside. The embedded engine, which builds, uses the official parser, a binary module that
does not exist for every platform.
"""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BOM = "\ufeff"
_SPACE = re.compile(r"[\t\v\f\r ]+")
_DIRECTIVE = re.compile(r"#[ \t]*([a-zA-Z][a-zA-Z0-9]*)[ \t]*=[ \t]*(.+?)[ \t]*")
_HEREDOC = re.compile(r"\d*<<(-?)([^<]+)")
_WORD = re.compile(r"""(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+""")
_WITH_HEREDOCS = frozenset({"ADD", "COPY", "RUN"})
TRIGGER = "ONBUILD"


class NotADockerfile(ValueError):  # noqa: N818 - names what the text is not
    """The text cannot be read; the message says why and in which line."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction: its name in capitals, its `--flags` without quotes, what follows them, and the number of its first line."""

    name: str
    flags: tuple[str, ...]
    text: str
    line: int

    @property
    def tokens(self) -> tuple[str, ...]:
        """What follows the flags, split at white space."""
        return tuple(self.text.split())

    @property
    def array(self) -> tuple[str, ...] | None:
        """What follows as the JSON array of strings that it is; None for anything else."""
        try:
            value = json.loads(self.text) if self.text.startswith("[") else None
        except (ValueError, RecursionError):
            return None
        return tuple(value) if isinstance(value, list) and all(isinstance(word, str) for word in value) else None

    def trigger(self) -> Instruction | None:
        """The instruction that an ONBUILD holds; None for another instruction, or where there is none."""
        return _instruction(self.text, self.line) if self.name == TRIGGER and self.text else None


def read(text: str) -> tuple[Instruction, ...]:
    """The instructions of a Dockerfile, in order.

    Raises:
        NotADockerfile: a heredoc has no end.
    """
    return tuple(_Reader(text.removeprefix(_BOM)).instructions())


@dataclass(frozen=True, slots=True)
class StageText:
    """A stage: the image or stage that its FROM names, its own name (empty when it has none), and the instructions after FROM."""

    base: str
    name: str
    instructions: tuple[Instruction, ...]


def stages_of(instructions: Sequence[Instruction]) -> tuple[StageText, ...]:
    """The stages of a Dockerfile in order; what is before the first FROM belongs to none."""
    starts = [number for number, one in enumerate(instructions) if one.name == "FROM"]
    return tuple(_stage(instructions[start:end]) for start, end in itertools.pairwise((*starts, len(instructions))))


def _stage(instructions: Sequence[Instruction]) -> StageText:
    first, *rest = instructions
    base, *named = first.tokens or ("",)
    name = named[1] if len(named) == 2 and named[0].upper() == "AS" else ""  # noqa: PLR2004 - FROM base AS name
    return StageText(base, name, tuple(rest))


class _Reader:
    """Goes through the lines once."""

    def __init__(self, text: str) -> None:
        self._lines = [line.removesuffix("\r") for line in text.split("\n")]
        self._next = 0
        escape = re.escape(_escape(self._lines))
        self._continues = re.compile(rf"(?:(?<=[^{escape}])|^){escape}[ \t]*$")

    def instructions(self) -> Iterator[Instruction]:
        while self._next < len(self._lines):
            first = self._next + 1
            line = self._joined()
            if line.strip():
                instruction = _instruction(line, first)
                yield instruction
                self._skip_heredocs(instruction)

    def _joined(self) -> str:
        """The next line with those that continue it; empty for a comment or nothing."""
        line, ended = self._trimmed("" if _is_comment(self._lines[self._next]) else self._lines[self._next].lstrip())
        self._next += 1
        while not ended and self._next < len(self._lines):
            raw = self._lines[self._next]
            self._next += 1
            if not raw.strip() or _is_comment(raw):
                continue
            more, ended = self._trimmed(raw)
            line += more
        return line

    def _trimmed(self, line: str) -> tuple[str, bool]:
        """A line without its continuation character, and whether it ends the instruction."""
        found = self._continues.search(line)
        return (line, True) if found is None else (line[: found.start()], False)

    def _skip_heredocs(self, instruction: Instruction) -> None:
        subject = instruction.trigger() or instruction
        if subject.name not in _WITH_HEREDOCS:
            return
        for word in _WORD.findall(instruction.text):
            found = _HEREDOC.fullmatch(word)
            name = re.sub(r"[\"'\\]", "", found[2]) if found else ""
            if found and name:
                self._skip_to(name, instruction, tabs=bool(found[1]))

    def _skip_to(self, end: str, instruction: Instruction, *, tabs: bool) -> None:
        while self._next < len(self._lines):
            line = self._lines[self._next]
            self._next += 1
            if (line.lstrip("\t") if tabs else line) == end:
                return
        raise NotADockerfile(f"line {instruction.line}: the heredoc {end} has no end")


def _escape(lines: list[str]) -> str:
    """The escape character that a directive in the first lines names; a backslash by default."""
    for line in lines:
        found = _DIRECTIVE.fullmatch(line.strip())
        if found is None:
            break
        if found[1].lower() == "escape":
            return found[2] if found[2] in {"\\", "`"} else "\\"
    return "\\"


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _instruction(line: str, number: int) -> Instruction:
    name, *rest = _SPACE.split(line.strip(), 1)
    text, flags = _flags(rest[0].strip() if rest else "")
    return Instruction(name.upper(), flags, text.strip(), number)


def _flags(text: str) -> tuple[str, tuple[str, ...]]:
    """What follows the flags, and the flags, their quotes and escapes resolved (BuildKit's extractBuilderFlags)."""
    flags: list[str] = []
    at = 0
    while True:
        at += len(text) - at - len(text[at:].lstrip())
        if not text.startswith("--", at):
            return text[at:], tuple(flags)
        word, at = _flag(text, at)
        if word == "--":
            return text[at:], tuple(flags)
        flags.append(word)


def _flag(text: str, at: int) -> tuple[str, int]:
    """One word from here, and where it ends."""
    word, quote = "", ""
    while at < len(text) and (quote or not text[at].isspace()):
        sign = text[at]
        at += 1
        if quote and sign == quote:
            quote = ""
        elif not quote and sign in "\"'":
            quote = sign
        elif sign == "\\":
            word, at = word + text[at : at + 1], at + 1
        else:
            word += sign
    return word, min(at, len(text))
