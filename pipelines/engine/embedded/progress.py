"""What the engine is doing, told to people: one line per finished piece of work on stderr."""

from __future__ import annotations

import codecs
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TextIO

from pipelines.engine.embedded.asker import ASKER

if TYPE_CHECKING:
    from pipelines.engine.embedded.sandbox.spec import Stream

WIDTH = 100  # characters of a name shown, so that a line stays a line
LONGEST = 4096  # characters of a command's line that are passed on at once
TAGS = "LOCKGATE_ENGINE_TAGS"  # set: every line begins with RS, the asker's span id and a tab, for a client that tells its askers apart
RS = "\x1e"  # ASCII record separator: no program prints it by accident


class Progress(Protocol):
    """A passive sink of events. It must neither block for long nor raise; secrets are masked before they come here."""

    def done(self, kind: str, name: str, seconds: float, *, cached: bool = False) -> None:
        """A piece of work (`exec`, `pull`, `copy` …) ended well after `seconds`."""

    def failed(self, kind: str, name: str, seconds: float, reason: str) -> None:
        """A piece of work ended badly; `reason` is one line."""

    def note(self, text: str) -> None:
        """Something worth knowing once, such as `no egress`."""

    def output(self, line: str) -> None:
        """A line that a running command printed."""


class Lines:
    """Plain lines: `exec: sh -c 'make test' 0.05s (cached)`. A broken pipe silences it: nobody reads, nothing is lost."""

    def __init__(self, stream: TextIO | None = None, *, tagged: bool | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._tagged = TAGS in os.environ if tagged is None else tagged

    def done(self, kind: str, name: str, seconds: float, *, cached: bool = False) -> None:
        self._write(f"{kind}: {_short(name)} {seconds:.2f}s{' (cached)' if cached else ''}")

    def failed(self, kind: str, name: str, seconds: float, reason: str) -> None:
        self._write(f"{kind}: {_short(name)} {seconds:.2f}s failed: {_short(reason)}")

    def note(self, text: str) -> None:
        self._write(f"note: {text}")

    def output(self, line: str) -> None:
        self._write(f"| {line}")

    def _write(self, line: str) -> None:
        tag = f"{RS}{ASKER.get()}\t" if self._tagged else ""
        try:
            self._stream.write(f"{tag}{line}\n")
            self._stream.flush()
        except (OSError, ValueError):
            return


class Silent:
    """Swallows everything."""

    def done(self, kind: str, name: str, seconds: float, *, cached: bool = False) -> None: ...

    def failed(self, kind: str, name: str, seconds: float, reason: str) -> None: ...

    def note(self, text: str) -> None: ...

    def output(self, line: str) -> None: ...


@dataclass(slots=True)
class LineFeed:
    """Turns the chunks a command prints into whole lines for `progress`; call `close` for the last one."""

    progress: Progress
    _rest: dict[Stream, str] = field(default_factory=dict)
    _decoders: dict[Stream, codecs.IncrementalDecoder] = field(default_factory=dict)

    def add(self, stream: Stream, data: bytes) -> None:
        decoder = self._decoders.setdefault(stream, codecs.getincrementaldecoder("utf-8")("replace"))
        *lines, rest = (self._rest.get(stream, "") + decoder.decode(data)).split("\n")
        if len(rest) > LONGEST:
            lines, rest = [*lines, rest], ""
        self._rest[stream] = rest
        for line in lines:
            self.progress.output(line[:LONGEST].rstrip("\r"))

    def close(self) -> None:
        for rest in self._rest.values():
            if rest:
                self.progress.output(rest)
        self._rest.clear()


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
