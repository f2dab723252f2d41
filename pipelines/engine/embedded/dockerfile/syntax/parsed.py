from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heredoc:
    """A here-document as it stands in the file: its word and its raw body."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class ParsedInstruction:
    """One instruction, split as the official parser splits it; nothing is expanded yet.

    Attributes:
        name: the instruction in capitals.
        word: the instruction as written.
        args: its arguments; for the shell form of RUN, CMD and ENTRYPOINT the one command line.
        flags: ``--name=value`` words before the arguments.
        json: the arguments were a JSON array (exec form).
        text: the instruction on one line, continuation lines joined, without here-document bodies.
        line: its first line, counted from 1.
    """

    name: str
    word: str
    args: tuple[str, ...]
    flags: tuple[str, ...]
    json: bool
    heredocs: tuple[Heredoc, ...]
    text: str
    line: int
