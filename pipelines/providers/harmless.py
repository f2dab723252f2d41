"""Text of others, so that no log viewer takes a line of it for a command: a space goes in where the command would begin to be one."""

from __future__ import annotations

import re

_WORKFLOW = re.compile(r"^([^\S\n]*:)(?=:)", re.MULTILINE)
_HASHES = re.compile(r"(##[\w.-]{0,32})(?=\[)")
_SECTION = re.compile(r"(section_(?:start|end))(?=:)")


def harmless(text: str) -> str:
    """The text, changed so that no CI finds a command in it: GitHub's `::name::` at the beginning of a line, `##[name]` of GitHub and
    Azure, `##vso[…]`, `##teamcity[…]`, GitLab's `section_start:`.
    """
    return _SECTION.sub(r"\1 ", _HASHES.sub(r"\1 ", _WORKFLOW.sub(r"\1 ", text)))


class HarmlessStream:
    """The same for text that comes in pieces, each of which is given out at once: a space can still go in when a command goes on."""

    _LOOK_BACK = 64

    def __init__(self) -> None:
        self._line = ""  # what was fed of the line at work, or its end behind a character with which no command begins

    def feed(self, text: str) -> str:
        """The text to print for this piece."""
        before = harmless(self._line)
        whole = harmless(self._line + text)
        self._line = self._kept((self._line + text).rpartition("\n")[2])
        return whole[len(before) :]

    def _kept(self, line: str) -> str:
        """As much of a line as decides what becomes of what follows."""
        if len(line) <= self._LOOK_BACK:
            return line
        end = line[-self._LOOK_BACK :]
        return end if line.lstrip() in {"", ":"} else f"|{end}"
