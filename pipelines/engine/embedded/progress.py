"""What the engine is doing, shown to people: one line per finished piece of work on stderr."""

from __future__ import annotations

import codecs
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pipelines.engine.embedded.requester import REQUESTER
from pipelines.foundation.text import shortened

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.engine.embedded.sandbox.spec import Stream

WIDTH = 100  # characters of a name shown, so that a line stays a line
PAUSE_S = 0.5  # after which a line is taken for one that does not go on soon
LONGEST = 4096  # characters of a command's line that are passed on at once
TAGS = "LOCKGATE_ENGINE_TAGS"  # set: every line begins with RS, the requester's span id and a tab
RS = "\x1e"  # ASCII record separator: no program prints it by accident


class EngineProgress(Protocol):
    """A passive sink of events. It must neither block for long nor raise; secrets are masked before they come here."""

    def done(self, kind: str, name: str, seconds: float, *, cached: bool = False) -> None:
        """A piece of work (`exec`, `pull`, `copy` …) ended well after `seconds`."""

    def failed(self, kind: str, name: str, seconds: float, reason: str) -> None:
        """A piece of work ended badly; `reason` is one line."""

    def note(self, text: str) -> None:
        """Something worth knowing once, such as `no egress`."""

    def output(self, line: str) -> None:
        """A line that a running command printed."""

    def so_far(self, part: str) -> None:
        """What there is of a line a command stopped in the middle of: a test's name, a question. The line comes as a whole later."""


class Cancellable(Protocol):
    """Something that will happen, unless it is cancelled."""

    def cancel(self) -> None:
        """It will not."""


class TextWriter(Protocol):
    """What lines are written to: a text stream."""

    def write(self, text: str, /) -> object:
        """Take text."""

    def flush(self) -> object:
        """Hold nothing back."""


class LineProgress:
    """Plain lines: `exec: sh -c 'make test' 0.05s (cached)`. A broken pipe silences it: nobody reads, nothing is lost."""

    def __init__(self, stream: TextWriter | None = None, *, with_requester: bool | None = None) -> None:
        self._stream: TextWriter = stream if stream is not None else sys.stderr
        self._with_requester = TAGS in os.environ if with_requester is None else with_requester

    def done(self, kind: str, name: str, seconds: float, *, cached: bool = False) -> None:
        self._write(f"{kind}: {shortened(name, WIDTH)} {seconds:.2f}s{' (cached)' if cached else ''}")

    def failed(self, kind: str, name: str, seconds: float, reason: str) -> None:
        self._write(f"{kind}: {shortened(name, WIDTH)} {seconds:.2f}s failed: {shortened(reason, WIDTH)}")

    def note(self, text: str) -> None:
        self._write(f"note: {text}")

    def output(self, line: str) -> None:
        self._write(f"| {line}", flush=False)  # more of them come at once

    def so_far(self, part: str) -> None:
        if self._with_requester:  # people read lines; a client that draws can do more
            self._write(f"> {part}")

    def _write(self, line: str, *, flush: bool = True) -> None:
        tag = f"{RS}{REQUESTER.get()}\t" if self._with_requester else ""
        try:
            self._stream.write(f"{tag}{line}\n")
            if flush:
                self._stream.flush()
        except (OSError, ValueError):
            return


class NoProgress:
    """Swallows everything."""

    def done(self, kind: str, name: str, seconds: float, *, cached: bool = False) -> None: ...

    def failed(self, kind: str, name: str, seconds: float, reason: str) -> None: ...

    def note(self, text: str) -> None: ...

    def output(self, line: str) -> None: ...

    def so_far(self, part: str) -> None: ...


class NamedProgress(NoProgress):
    """Passes on what something prints, with its name before every line."""

    def __init__(self, progress: EngineProgress, name: str) -> None:
        self._progress = progress
        self._name = name

    def output(self, line: str) -> None:
        self._progress.output(f"{self._name}: {line}")


@dataclass(slots=True)
class LineSplitter:
    """Turns the chunks a command prints into whole lines for `progress`; call `close` for the last one.

    `call_later` calls a function after so many seconds (`loop.call_later`): with it, a line that does not go on for a while is passed on
    as it is.
    """

    progress: EngineProgress
    call_later: Callable[[float, Callable[[], None]], Cancellable] | None = None
    _timer: Cancellable | None = None
    _rest: dict[Stream, str] = field(default_factory=dict)
    _decoders: dict[Stream, codecs.IncrementalDecoder] = field(default_factory=dict)

    def add(self, stream: Stream, data: bytes) -> None:
        """Take a chunk of one of the two streams; whole lines in it are passed on at once."""
        decoder = self._decoders.setdefault(stream, codecs.getincrementaldecoder("utf-8")("replace"))
        *lines, rest = (self._rest.get(stream, "") + decoder.decode(data)).split("\n")
        if len(rest) > LONGEST:
            lines, rest = [*lines, rest], ""
        self._rest[stream] = rest
        for line in lines:
            self.progress.output(line[:LONGEST].rstrip("\r"))
        self._stop_waiting()
        if self.call_later is not None and any(self._rest.values()):
            self._timer = self.call_later(PAUSE_S, self._pause)

    def _pause(self) -> None:
        for rest in self._rest.values():
            if rest:
                self.progress.so_far(rest)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close(self) -> None:
        """The command has ended: pass on the rest of both streams as lines."""
        self._stop_waiting()
        for rest in self._rest.values():
            if rest:
                self.progress.output(rest)
        self._rest.clear()
