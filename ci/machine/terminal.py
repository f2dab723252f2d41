"""What set-up says: plain lines, one question, and a clock beside long work."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

REWIND = "\r\x1b[2K"
QUIET_SECONDS = 30  # between two progress lines where lines cannot be rewritten (a CI log)


class Voice(Protocol):
    """How the parts of set-up speak."""

    def say(self, text: str) -> None: ...

    def confirm(self, question: str) -> bool: ...

    def clock(self, title: str, estimate_s: float) -> Clock: ...


class Clock:
    """One line of progress: elapsed and estimated time; rewritten on a terminal, repeated every half minute elsewhere."""

    def __init__(self, title: str, estimate_s: float, *, terminal: bool) -> None:
        self._title, self._estimate, self._terminal = title, estimate_s, terminal
        self._start = self._last = time.monotonic()

    def tick(self) -> None:
        """Call about once a second."""
        now = time.monotonic()
        text = f"  {self._title}: {elapsed(now - self._start, self._estimate)}"
        if self._terminal:
            print(f"{REWIND}{text}", end="", flush=True)
        elif now - self._last >= QUIET_SECONDS:
            self._last = now
            print(text, flush=True)

    def stop(self, outcome: str) -> None:
        """Leave one final line with the time it took."""
        rewind = REWIND if self._terminal else ""
        print(f"{rewind}  {self._title}: {outcome} after {minutes(time.monotonic() - self._start)}", flush=True)


class Terminal:
    """The voice on standard output."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._asks = sys.stdin.isatty() and not environ.get("YES") and not environ.get("CI")
        self._rewrites = sys.stdout.isatty() and environ.get("TERM") != "dumb"

    def say(self, text: str) -> None:
        print(text, flush=True)

    def confirm(self, question: str) -> bool:
        """Ask on a terminal; elsewhere, and with YES or CI set, the answer is yes."""
        return not self._asks or input(f"{question} [y/N] ").strip().lower().startswith("y")

    def clock(self, title: str, estimate_s: float) -> Clock:
        return Clock(title, estimate_s, terminal=self._rewrites)


def elapsed(seconds: float, estimate_s: float) -> str:
    """`45 s of about 6 m 30 s`; past the estimate `7 m 10 s, longer than expected: about 6 m 30 s on two idle cores`."""
    if seconds <= estimate_s:
        return f"{minutes(seconds)} of about {minutes(estimate_s)}"
    return f"{minutes(seconds)}, longer than expected: about {minutes(estimate_s)} on two idle cores"


def minutes(seconds: float) -> str:
    """`45 s`, `6 m 30 s`."""
    whole, rest = divmod(round(seconds), 60)
    return f"{whole} m {rest:02d} s" if whole else f"{rest} s"
