"""What a Dockerfile asks for beyond an ordinary container: read before anything is built, on every engine.

The embedded engine refuses it too, also in the ONBUILD triggers of a base image. A Dagger engine grants it
(core/container.go, `insecureRootCapabilities` of its engine.json), and its triggers cannot be read from here.
"""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HARMLESS = {"security": ("sandbox",), "network": ("default", "none"), "device": ()}
"""The flags of RUN that lead out of the sandbox, and their values that do not."""
_FLAG = re.compile(r"--(?:security|network|device)\b", re.IGNORECASE)
_ONBUILD = re.compile(r"\s*ONBUILD\s+", re.IGNORECASE)


def asks(text: str) -> tuple[str, ...]:
    """What a Dockerfile asks for, as `line 3: RUN --security=insecure`, in the order of its lines.

    A flag with a variable counts as well, and so does any such flag in a file that cannot be parsed.
    """
    parser = importlib.import_module("dockerfile")  # BuildKit's own parser; it ships no types
    try:
        commands = tuple(parser.parse_string(text))
    except parser.GoParseError:
        return tuple(f"line {number}: {found[0]}" for number, line in enumerate(text.splitlines(), 1) if (found := _FLAG.search(line)))
    return tuple(dict.fromkeys(ask for command in commands for ask in _asks(command, parser)))


def _asks(command: Any, parser: Any) -> Iterator[str]:
    line = command.start_line
    word = command.cmd.upper()
    if word == "ONBUILD":
        trigger = parser.parse_string(_ONBUILD.sub("", command.original, count=1))
        yield from (f"line {line}: ONBUILD {_words(one)}" for one in trigger if _beyond(one.flags))
    elif word == "RUN" and _beyond(command.flags):
        yield f"line {line}: {_words(command)}"


def _words(command: Any) -> str:
    return " ".join([command.cmd.upper(), *_beyond(command.flags)])


def _beyond(flags: Sequence[str]) -> list[str]:
    """The flags that lead out of the sandbox."""
    parts = [(flag, *flag.removeprefix("--").partition("=")[::2]) for flag in flags]
    return [flag for flag, name, value in parts if name in _HARMLESS and value not in _HARMLESS[name]]
