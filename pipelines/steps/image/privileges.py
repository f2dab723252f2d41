"""What a Dockerfile asks for beyond an ordinary container: read before anything is built, on every engine.

The embedded engine refuses it too, also in the ONBUILD triggers of a base image. A Dagger engine grants it
(core/container.go, `insecureRootCapabilities` of its engine.json), and its triggers cannot be read from here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.foundation.dockerfile import NotADockerfile, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.foundation.dockerfile import Instruction

_HARMLESS = {"security": ("sandbox",), "network": ("default", "none"), "device": ()}
"""The flags of RUN that lead out of the sandbox, and their values that do not."""
_FLAG = re.compile(r"--(?:security|network|device)\b", re.IGNORECASE)


def asks(text: str) -> tuple[str, ...]:
    """What a Dockerfile asks for, as `line 3: RUN --security=insecure`, in the order of its lines.

    A flag with a variable counts as well, and so does any such flag in a file that cannot be parsed.
    """
    try:
        instructions = read(text)
    except NotADockerfile:
        return tuple(f"line {number}: {found[0]}" for number, line in enumerate(text.splitlines(), 1) if (found := _FLAG.search(line)))
    return tuple(dict.fromkeys(ask for instruction in instructions for ask in _asks(instruction)))


def _asks(instruction: Instruction) -> Iterator[str]:
    subject = instruction.trigger() or instruction
    if subject.name == "RUN" and _beyond(subject.flags):
        on_build = "ONBUILD " if subject is not instruction else ""
        yield f"line {instruction.line}: {on_build}{' '.join(['RUN', *_beyond(subject.flags)])}"


def _beyond(flags: Sequence[str]) -> list[str]:
    """The flags that lead out of the sandbox."""
    parts = [(flag, *flag.removeprefix("--").partition("=")[::2]) for flag in flags]
    return [flag for flag, name, value in parts if name in _HARMLESS and value not in _HARMLESS[name]]
