"""Reads a Dockerfile from standard input, writes its instructions to standard output as JSON.

Run as a program of its own: the official parser is a Go library, and Go's threads and signal handlers, or its crash on input it did not
expect, must stay out of the engine's process.
"""

from __future__ import annotations

import json
import re
import sys
import time
from typing import Any

import dockerfile  # type: ignore[import-not-found]  # a binary module without stubs

UNTERMINATED = "unterminated heredoc"
SEARCH_S = 5.0
EMPTY = "file with no instructions"
LINE = re.compile(r"[^\n]*\n|[^\n]+")  # as Go counts lines: a lone CR or a Unicode line separator does not end a line
ONBUILD = re.compile(r"\s*ONBUILD\s+", re.IGNORECASE)
ESCAPE = "# escape=`\n"
BACKQUOTE = re.compile(r"\ufeff?(\s*#\s*(syntax|check)\s*=.*\n)*\s*#\s*escape\s*=\s*`", re.IGNORECASE)


def main() -> None:
    """Answer ``{"nodes": […]}`` or ``{"error": reason, "line": first line of the instruction, or null}``."""
    text = sys.stdin.buffer.read().decode("utf-8", "replace")
    json.dump(read(text), sys.stdout)


def read(text: str) -> dict[str, Any]:
    """Parse, or say what is wrong and where."""
    fault = reason(text)
    if fault is not None:
        return {"error": fault, "line": None if fault == EMPTY else _Search(LINE.findall(text), fault).line()}
    lines = LINE.findall(text)
    head = ESCAPE if BACKQUOTE.match(text) else ""
    nodes = []
    for command in dockerfile.parse_string(text):
        try:
            nodes.append(node(command, lines, head))
        except dockerfile.GoParseError as error:
            return {"error": str(error), "line": command.start_line}
    return {"nodes": nodes}


def node(command: dockerfile.Command, lines: list[str], head: str) -> dict[str, Any]:
    """One instruction with the fields of ``ParsedInstruction``; `head` is the directive that one taken out of the file needs."""
    heredocs = command.heredocs
    if command.sub_cmd is not None:
        heredocs = inner_heredocs("".join(lines[command.start_line - 1 : command.end_line]), head)
    return {
        "word": command.cmd or "",  # an escape character at the end of the file has no word
        "args": command.value,
        "flags": command.flags,
        "json": command.json,
        "heredocs": [[heredoc.name, heredoc.content] for heredoc in heredocs],
        "text": (command.original or "").split("\n", 1)[0].strip(),
        "line": command.start_line,
    }


def inner_heredocs(text: str, head: str) -> tuple[dockerfile.Heredoc, ...]:
    """The here-documents of the instruction inside an ONBUILD: the parser skips them, but does not give them."""
    if "<<" not in text:
        return ()
    commands = dockerfile.parse_string(head + ONBUILD.sub("", text, count=1))
    return tuple(heredoc for command in commands for heredoc in command.heredocs)


def reason(text: str) -> str | None:
    """The parser's message, which does not name a line."""
    try:
        dockerfile.parse_string(text)
    except dockerfile.GoParseError as error:
        return str(error)
    return None


class _Search:
    """Looks for the instruction that the parser refuses, by parsing beginnings of the file; it gives up when that takes too long.

    Args:
        lines: of the file.
        fault: the parser's message.
    """

    def __init__(self, lines: list[str], fault: str) -> None:
        self._lines = lines
        self._fault = fault
        self._deadline = time.monotonic() + SEARCH_S

    def line(self) -> int | None:
        """Its first line, counted from 1; None after giving up."""
        try:
            line = self._last_heredoc() if self._fault == UNTERMINATED else self._first_failing()
        except TimeoutError:
            return None
        while (before := previous(self._lines, line)) and continues(self._lines[before - 1]):
            line = before
        return line

    def _first_failing(self) -> int:
        """The shortest beginning of the file with the same message ends in the instruction that is wrong."""
        low, high = 1, len(self._lines)
        while low < high:
            middle = (low + high) // 2
            if self._reason(middle) == self._fault:
                high = middle
            else:
                low = middle + 1
        return low

    def _last_heredoc(self) -> int:
        """The last line that opens a here-document and before which all is well."""
        opening = [number for number, line in enumerate(self._lines, 1) if "<<" in line]
        return next((number for number in reversed(opening) if self._reason(number - 1) in {None, EMPTY}), 1)

    def _reason(self, count: int) -> str | None:
        if time.monotonic() > self._deadline:
            raise TimeoutError
        return reason("".join(self._lines[:count]))


def previous(lines: list[str], line: int) -> int:
    """The last line before this one that is neither blank nor a comment (both may stand among continued lines), or 0."""
    return next((number for number in range(line - 1, 0, -1) if not re.match(r"\s*(#|$)", lines[number - 1])), 0)


def continues(line: str) -> bool:
    """Whether the instruction goes on after this line."""
    return line.rstrip().endswith(("\\", "`"))


if __name__ == "__main__":
    main()
