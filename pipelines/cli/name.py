"""What this program is called where it was started, for help and for lines to copy."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPT = "lockgate"
MODULE = "python -m pipelines"
_COMMAND = re.compile(r"(?<![\w./-])lockgate(?= (?:run|plan|config|init|images|logs|doctor|engine)\b)")


def here() -> Path:
    """The current folder; the root where the current folder was removed meanwhile."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path("/")


def program_name(argv0: str, folder: Path) -> str:
    """`python -m pipelines` if started so, unless the folder holds another `pipelines` that would be taken for ours."""
    as_module = Path(argv0).name == "__main__.py"
    return MODULE if as_module and not shadows(folder) else SCRIPT


def shadows(folder: Path) -> bool:
    """Whether `python -m pipelines` in this folder would run something that is not ours."""
    own = Path(__file__).resolve().parents[1]
    there = folder / "pipelines"
    if there.is_dir():
        return not own.samefile(there)
    return there.with_suffix(".py").is_file()


def renamed(text: str, program: str) -> str:
    """The text with commands (`lockgate plan`) under the name this program was started by."""
    return text if program == SCRIPT else _COMMAND.sub(program, text)


def command_line(program: str, arguments: Sequence[str]) -> str:
    """A line to copy into a shell."""
    return f"{program} {shlex.join(arguments)}" if arguments else program


def shown(path: str | os.PathLike[str], base: Path | None = None) -> str:
    """A path as a person would write it: relative to the current folder where it is below, else as it is."""
    start = base or here()
    return os.path.relpath(path, start) if Path(path).is_relative_to(start) else str(path)
