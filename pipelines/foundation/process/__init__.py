"""Runs programs: the one place that starts processes other than containers.

`run` and `start` are for the event loop, `run_blocking` for threads and for code without a loop. A program gets no terminal, and a session
(so a process group) of its own unless the caller asks otherwise. It does not outlive a caller that is cancelled or runs into its deadline,
and a background process that keeps its pipes open does not keep the caller waiting.
"""

from pipelines.foundation.process.blocking import run_blocking
from pipelines.foundation.process.result import Completed, OutputTooLarge, ProcessError, ProcessTimeout, StopTimes
from pipelines.foundation.process.running import INHERIT, OPEN, Inherit, Open, Process, run, start

__all__ = [
    "INHERIT",
    "OPEN",
    "Completed",
    "Inherit",
    "Open",
    "OutputTooLarge",
    "Process",
    "ProcessError",
    "ProcessTimeout",
    "StopTimes",
    "run",
    "run_blocking",
    "start",
]
