"""`lockgate engine run`: a command runs with an open session of the engine, in our process group and with our streams."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import TYPE_CHECKING

from pipelines.foundation.process.running import INHERIT, start

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.cli.options import Settings
    from pipelines.cli.terminal import Terminal
    from pipelines.engine.choice import Choice
    from pipelines.foundation.process.handle import Process

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
_OF_TERMINAL = frozenset({signal.SIGINT, signal.SIGQUIT})
NOT_FOUND, NOT_EXECUTABLE = 127, 126
_SIGNALLED = 128
"""An exit code above this is 128 plus the number of a signal."""


async def run_with_session(command: Sequence[str], here: Settings, choice: Choice) -> int:
    """Open a session of the engine, run the command on it, and return the command's exit code (128 + signal, if one ended it).

    Raises:
        EngineUnavailable: the engine does not start.
    """
    from pipelines.engine.connect import open_session
    from pipelines.engine.lifetime import Lifetime

    terminal = here.stderr()

    def log(line: str) -> None:
        if here.verbosity > 0 or line.startswith("note:"):
            terminal.line(terminal.paint(f"engine: {line}", dim=True))

    lifetime = Lifetime()
    async with open_session(choice, environ=here.environ, log=log, lifetime=lifetime) as session:
        code = await _run(command, {**here.environ, **session.variables(choice.kind)}, here, terminal)
        if code > _SIGNALLED:
            lifetime.shorten_waits(grace_s=2)  # after a signal the usual waiting times are too long
        return code


async def _run(command: Sequence[str], environ: dict[str, str], here: Settings, terminal: Terminal) -> int:
    with _forwarding() as to:
        try:
            process = await start(
                command, env=environ, cwd=here.directory, stdin=INHERIT, on_stdout=INHERIT, on_stderr=INHERIT, own_session=False
            )
        except OSError as error:
            terminal.line(f"{terminal.paint('error:', fg='red', bold=True)} {command[0]}: {error.strerror}")
            return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
        to.begin(process)
        try:
            return await process.wait()
        except BaseException:
            await process.stop()
            raise


class _Forward:
    """Sends the signals we get to the command, also those that came before it began; but not those that a terminal has already sent to the
    whole process group.
    """

    def __init__(self) -> None:
        self._process: Process | None = None
        self._early: list[signal.Signals] = []

    def begin(self, process: Process) -> None:
        self._process = process
        for signum in self._early:
            process.send(signum)

    def take(self, signum: signal.Signals) -> None:
        if signum in _OF_TERMINAL and _in_foreground():
            return
        if self._process is None:
            self._early.append(signum)
        else:
            self._process.send(signum)


@contextlib.contextmanager
def _forwarding() -> Iterator[_Forward]:
    loop, to = asyncio.get_running_loop(), _Forward()
    for signum in FORWARDED:
        loop.add_signal_handler(signum, to.take, signum)
    try:
        yield to
    finally:
        for signum in FORWARDED:
            loop.remove_signal_handler(signum)


def _in_foreground() -> bool:
    """Whether Ctrl-C in a terminal would reach us and the command alike."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
