"""A container's process: started without a shell, waited for without a thread.

It is apart from `pipelines.foundation.process`, which is for programs of the machine: it shares the session of the engine, takes over
descriptors that are open already, is waited for by pidfd, also when it is a descendant that was left to us, and is ended by the rules of
pid namespaces.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: by `signal` (then `code` is 128 + its number) or by itself with `code`."""

    code: int
    signal: int | None


def start(argv: list[str], *, executable: str, env: Mapping[str, str], stdio: tuple[int, int, int]) -> int:
    """Start a program and give its pid, from any thread; `Child` waits for it.

    It stays in our session: the scheduler of a busy machine makes the first steps of a new one wait (autogroups).

    Args:
        argv: its arguments, its name first.
        executable: the program's path.
        env: its environment.
        stdio: descriptors that become its 0, 1 and 2.

    Raises:
        OSError: it cannot be executed.
    """
    stdin, stdout, stderr = stdio
    # Signals that Python ignores are put back (restore_signals); os.posix_spawn would leave two more of them ignored.
    started = subprocess.Popen(argv, executable=executable, env=env, stdin=stdin, stdout=stdout, stderr=stderr)
    started.returncode = 0  # it is ours to wait for: Popen is not to do it when it is collected
    return started.pid


def spawn(argv: list[str], *, executable: str, env: Mapping[str, str], stdio: tuple[int, int, int]) -> Child:
    """Start a program as `start` does, in the event loop's thread."""
    return Child(start(argv, executable=executable, env=env, stdio=stdio))


class Child:
    """A child process, or a descendant that was left to us (we are a subreaper): made in the event loop's thread, once per pid."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._fd = os.pidfd_open(pid)
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[Ended] = self._loop.create_future()
        self._loop.add_reader(self._fd, self._reap)

    async def wait(self) -> Ended:
        """How it ended. May be called by many, before and after; cancelling it does not touch the process."""
        return await asyncio.shield(self._ended)

    @property
    def running(self) -> bool:
        """Whether it has not ended yet, as far as the event loop knows."""
        return not self._ended.done()

    def send(self, number: int) -> None:
        """Send a signal; nothing happens when it has ended."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._fd, number)

    def handles(self, number: int) -> bool:
        """Whether a signal may do something: it has a handler, or is blocked and read by other means (signalfd).

        The first process of a pid namespace ignores all other signals, except SIGKILL.
        """
        try:
            lines = Path(f"/proc/{self.pid}/status").read_text(errors="replace").splitlines()
        except OSError:
            return False
        masks = [int(line.split()[1], 16) for line in lines if line.startswith(("SigCgt:", "SigBlk:"))]
        return any(mask & 1 << (number - 1) for mask in masks)

    def _reap(self) -> None:
        self._loop.remove_reader(self._fd)
        try:
            result = os.waitid(os.P_PIDFD, self._fd, os.WEXITED)
        except ChildProcessError:
            result = None  # somebody else reaped it: how it ended is lost
        os.close(self._fd)
        self._ended.set_result(_ended(result))


def _ended(result: os.waitid_result | None) -> Ended:
    if result is None:
        return Ended(255, None)
    if result.si_code == os.CLD_EXITED:
        return Ended(result.si_status, None)
    return Ended(128 + result.si_status, result.si_status)
