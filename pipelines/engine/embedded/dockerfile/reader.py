"""Reads a Dockerfile from standard input, writes its instructions to standard output as JSON.

Run as a program of its own: the official parser is a Go library, and Go's threads and signal handlers, or its crash on input it did not
expect, have no place in the engine's process.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import dockerfile  # type: ignore[import-not-found]  # a binary module without stubs

UNTERMINATED = "unterminated heredoc"
EMPTY = "file with no instructions"
LINE = re.compile(r"[^\n]*\n|[^\n]+")  # as Go counts lines: a lone CR or a Unicode line separator is no end of line
ONBUILD = re.compile(r"\s*ONBUILD\s+", re.IGNORECASE)


def main() -> None:
    """Answer ``{"nodes": […]}`` or ``{"error": reason, "line": first line of the instruction, or null}``."""
    text = sys.stdin.buffer.read().decode("utf-8", "replace")
    json.dump(read(text), sys.stdout)


def read(text: str) -> dict[str, Any]:
    """Parse, or say what is wrong and where."""
    fault = reason(text)
    if fault is not None:
        return {"error": fault, "line": None if fault == EMPTY else locate(LINE.findall(text), fault)}
    lines = LINE.findall(text)
    return {"nodes": [node(command, lines) for command in dockerfile.parse_string(text)]}


def node(command: dockerfile.Command, lines: list[str]) -> dict[str, Any]:
    """One instruction in the words of ``nodes.Node``."""
    heredocs = command.heredocs if command.sub_cmd is None else inner_heredocs("".join(lines[command.start_line - 1 : command.end_line]))
    return {
        "word": command.cmd,
        "args": command.value,
        "flags": command.flags,
        "json": command.json,
        "heredocs": [[heredoc.name, heredoc.content] for heredoc in heredocs],
        "text": command.original.split("\n", 1)[0].strip(),
        "line": command.start_line,
    }


def inner_heredocs(text: str) -> tuple[dockerfile.Heredoc, ...]:
    """The here-documents of the instruction inside an ONBUILD: the parser skips them, but does not give them."""
    if "<<" not in text:
        return ()
    commands = dockerfile.parse_string(ONBUILD.sub("", text, count=1))
    return tuple(heredoc for command in commands for heredoc in command.heredocs)


def reason(text: str) -> str | None:
    """The parser's complaint, which names no line."""
    try:
        dockerfile.parse_string(text)
    except dockerfile.GoParseError as error:
        return str(error)
    return None


def locate(lines: list[str], fault: str) -> int:
    """First line of the instruction that the parser refuses, counted from 1."""
    line = last_heredoc(lines) if fault == UNTERMINATED else first_failing(lines, fault)
    while (before := previous(lines, line)) and continues(lines[before - 1]):
        line = before
    return line


def previous(lines: list[str], line: int) -> int:
    """The last line before this one that is neither blank nor a comment (both may stand among continued lines), or 0."""
    return next((number for number in range(line - 1, 0, -1) if not re.match(r"\s*(#|$)", lines[number - 1])), 0)


def first_failing(lines: list[str], fault: str) -> int:
    """The shortest head of the file with the same complaint ends in the instruction at fault."""
    low, high = 1, len(lines)
    while low < high:
        middle = (low + high) // 2
        if reason("".join(lines[:middle])) == fault:
            high = middle
        else:
            low = middle + 1
    return low


def last_heredoc(lines: list[str]) -> int:
    """The last line that opens a here-document and before which all is well."""
    opening = [number for number, line in enumerate(lines, 1) if "<<" in line]
    return next(number for number in reversed(opening) if reason("".join(lines[: number - 1])) in {None, EMPTY})


def continues(line: str) -> bool:
    """Whether the instruction goes on after this line."""
    return line.rstrip().endswith(("\\", "`"))


if __name__ == "__main__":
    main()
