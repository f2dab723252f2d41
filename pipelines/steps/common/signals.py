"""Exit codes of commands that a signal ended, in words."""

from __future__ import annotations

import signal


def signal_name(number: int) -> str:
    """`SIGKILL (out of memory, perhaps)`, `SIGSEGV`, `signal 63`."""
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
    return name + (" (out of memory, perhaps)" if number == signal.SIGKILL else "")
