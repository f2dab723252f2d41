"""Output of programs as plain text."""

from __future__ import annotations

import re

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[PX^_][^\x1b\n]*(?:\x1b\\)?|[ -/]*[0-~])?")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def plain(text: str) -> str:
    """Output of a program without terminal control (ECMA-48 escape sequences, control characters).

    Tabs and newlines stay; a carriage return, with which progress bars write over themselves, starts a new line.
    """
    return _CONTROLS.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def one_line(text: str) -> str:
    """Text of others as one clean line."""
    return " ".join(plain(text).split())


def encodable(text: str) -> str:
    r"""Text as UTF-8 can hold it: lone surrogates, as in names of files that are not UTF-8, are written as escapes (`\udcff`)."""
    return text.encode("utf-8", "backslashreplace").decode()


def shortened(text: str, most: int) -> str:
    """Text as one line of at most `most` characters; what is left out is shown by an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
