"""What may be done with an output stream: colour, redrawing, characters beyond ASCII, width.

Colour is decided by the first of these that is set: the flag, NO_COLOR, FORCE_COLOR (each counts when it is not empty), TERM=dumb; else
by whether the stream is a terminal. Redrawing needs a terminal that a person looks at: not dumb, not in CI, and not under `dagger run`,
which draws itself.
"""

from __future__ import annotations

import codecs
import shutil
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_COLORS = {"red": 31, "green": 32, "yellow": 33, "blue": 34, "cyan": 36}
_NARROWEST = 20


class When(StrEnum):
    """The values of --color."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Progress(StrEnum):
    """The values of --progress."""

    AUTO = "auto"
    LIVE = "live"
    PLAIN = "plain"


def _as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Terminal:
    """A stream and what may be done with it."""

    stream: TextIO
    color: bool
    live: bool
    unicode: bool
    width: int
    harmless: Callable[[str], str] = _as_it_is
    """Changes text so that a CI's log viewer does not take it for a command."""
    data: bool = False
    """What is printed is what the command is for: it is an error when that cannot be written. Other lines are lost on a full disk."""

    def paint(self, text: str, *, fg: str | None = None, bold: bool = False, dim: bool = False) -> str:
        """The text in colour, where colour is wanted."""
        codes = [*(["1"] if bold else []), *(["2"] if dim else []), *([str(_COLORS[fg])] if fg else [])]
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self.color and codes and text else text

    def line(self, text: str = "") -> None:
        """Print a line at once; characters the stream cannot hold are replaced, and a reader that closed early does not stop us.

        Raises:
            OSError: a line of data cannot be written.

        No CI takes the line for a command, whoever wrote the text; our own commands are printed by `command`.
        """
        self.command(self.harmless(text))

    def document(self, text: str) -> None:
        """As `line`, for JSON: it stays the same value, and no CI sees a command of its own in it (`##[error]`)."""
        self.command(text.replace("##", "\\u0023#"))

    def command(self, text: str) -> None:
        """As `line`, for the lines of a provider that are commands to the CI."""
        encoding = self.stream.encoding or "utf-8"
        try:
            self.stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")
            self.stream.flush()
        except BrokenPipeError:
            return
        except OSError:
            if self.data:
                raise


def inspect(
    stream: TextIO, environ: Mapping[str, str], *, color: When = When.AUTO, progress: Progress = Progress.AUTO, data: bool = False
) -> Terminal:
    """Decide for a stream; `data` as in `Terminal`."""
    from pipelines.providers import detect

    tty = stream.isatty()
    dumb = environ.get("TERM") == "dumb"
    return Terminal(
        stream=stream,
        color=_color(color, environ, dumb=dumb, tty=tty),
        live=_live(progress, environ, dumb=dumb, tty=tty),
        unicode=_is_unicode(stream),
        width=_width(environ),
        harmless=detect(environ).harmless,
        data=data,
    )


def _color(flag: When, environ: Mapping[str, str], *, dumb: bool, tty: bool) -> bool:
    if flag is not When.AUTO:
        return flag is When.ALWAYS
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return tty and not dumb


def _live(flag: Progress, environ: Mapping[str, str], *, dumb: bool, tty: bool) -> bool:
    if flag is not Progress.AUTO:
        return flag is Progress.LIVE
    if not tty or dumb:
        return False
    from pipelines.providers import detect

    return not under_dagger_run(environ) and not detect(environ).in_ci


def under_dagger_run(environ: Mapping[str, str]) -> bool:
    """Whether another program opened the session we work in, as `dagger run` does, and draws its progress. With -s it does
    not, but we cannot see that.
    """
    from pipelines.engine.choice import SESSION_KIND, SESSION_PORT

    return bool(environ.get(SESSION_PORT)) and not environ.get(SESSION_KIND)


def _is_unicode(stream: TextIO) -> bool:
    try:
        return codecs.lookup(stream.encoding or "ascii").name == "utf-8"
    except LookupError:
        return False


def _width(environ: Mapping[str, str]) -> int:
    columns = environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns) > 0:
        return max(int(columns), _NARROWEST)
    return max(shutil.get_terminal_size().columns, _NARROWEST)
