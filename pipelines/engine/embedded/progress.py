"""What the engine is doing, told to people: one line per finished piece of work on stderr."""

from __future__ import annotations

import sys
from typing import Protocol, TextIO

WIDTH = 100  # characters of a name shown, so that a line stays a line


class Progress(Protocol):
    """A passive sink of events. It must neither block for long nor raise; secrets are masked before they come here."""

    def done(self, kind: str, name: str, seconds: float, *, cached: bool = False) -> None:
        """A piece of work (`exec`, `pull`, `copy` …) ended well after `seconds`."""

    def failed(self, kind: str, name: str, seconds: float, reason: str) -> None:
        """A piece of work ended badly; `reason` is one line."""

    def note(self, text: str) -> None:
        """Something worth knowing once, such as `no egress`."""


class Lines:
    """Plain lines: `exec: sh -c 'make test' 0.05s (cached)`. A broken pipe silences it: nobody reads, nothing is lost."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr

    def done(self, kind: str, name: str, seconds: float, *, cached: bool = False) -> None:
        self._write(f"{kind}: {_short(name)} {seconds:.2f}s{' (cached)' if cached else ''}")

    def failed(self, kind: str, name: str, seconds: float, reason: str) -> None:
        self._write(f"{kind}: {_short(name)} {seconds:.2f}s failed: {_short(reason)}")

    def note(self, text: str) -> None:
        self._write(f"note: {text}")

    def _write(self, line: str) -> None:
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return


class Silent:
    """Swallows everything."""

    def done(self, kind: str, name: str, seconds: float, *, cached: bool = False) -> None: ...

    def failed(self, kind: str, name: str, seconds: float, reason: str) -> None: ...

    def note(self, text: str) -> None: ...


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
