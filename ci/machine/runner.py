"""Running other programs: captured, or long with a clock and a log file; as root where that is needed."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

from ci.machine.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ci.machine.terminal import Voice

TAIL_LINES = 15
STOP_GRACE_S = 10


class Runner(Protocol):
    """How the parts of set-up run programs; tests bring their own."""

    def which(self, program: str) -> str | None: ...

    def output(self, args: Sequence[str], *, cwd: Path | None = None, timeout: float | None = None) -> str: ...

    def long(
        self,
        title: str,
        args: Sequence[str],
        *,
        log: Path,
        estimate_s: float,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdout: Path | None = None,
    ) -> None: ...

    def root(self, args: Sequence[str]) -> list[str]: ...


class Programs:
    """The real runner. Everything inherits the caller's environment, so proxies and package settings of the machine hold."""

    def __init__(self, environ: Mapping[str, str], voice: Voice) -> None:
        self._environ, self._voice = environ, voice

    def which(self, program: str) -> str | None:
        """The program's path; the system's own folders are searched too, which an ordinary user's PATH often lacks."""
        return shutil.which(program, path=f"{self._environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin")

    def output(self, args: Sequence[str], *, cwd: Path | None = None, timeout: float | None = None) -> str:
        """Standard output of a command that must succeed.

        Raises:
            SetupError: it is missing, failed (with its last lines), or ran longer than `timeout` seconds.
        """
        try:
            done = subprocess.run(args, cwd=cwd, env=dict(self._environ), capture_output=True, text=True, timeout=timeout, check=False)
        except FileNotFoundError as error:
            raise SetupError(f"{args[0]} is not installed", next_step="run ci/setup") from error
        except subprocess.TimeoutExpired as error:
            raise SetupError(f"{args[0]} did not answer within {timeout:g} s") from error
        if done.returncode:
            raise SetupError(f"{shlex.join(args[:3])} failed", cause=_tail(done.stderr) or f"exit code {done.returncode}")
        return done.stdout

    def long(
        self,
        title: str,
        args: Sequence[str],
        *,
        log: Path,
        estimate_s: float,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdout: Path | None = None,
    ) -> None:
        """Run a command that may take minutes; its output goes to `log` (or `stdout`), a clock to the terminal.

        Raises:
            SetupError: it failed; the message holds its last lines and names the log.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as files:
            sink = files.enter_context(log.open("wb"))
            out = files.enter_context(stdout.open("wb")) if stdout else sink
            environment = {**self._environ, **(env or {})}
            child = subprocess.Popen(args, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=sink)
            code = self._watch(child, title, estimate_s)
        if code:
            raise SetupError(
                f"{title} failed", cause=_tail(log.read_text(errors="replace")), next_step=f"read {log}, then run the same command again"
            )

    def root(self, args: Sequence[str]) -> list[str]:
        """The command as root: as it is, or through sudo (which asks for a password only on a terminal).

        Raises:
            SetupError: not root, and no sudo.
        """
        if os.geteuid() == 0:
            return list(args)
        if not self.which("sudo"):
            raise SetupError(
                f"{shlex.join(args[:3])} needs root", cause="this user is not root and there is no sudo", next_step="run ci/setup as root"
            )
        return ["sudo", *([] if sys.stdin.isatty() else ["-n"]), *args]

    def _watch(self, child: subprocess.Popen[bytes], title: str, estimate_s: float) -> int:
        clock = self._voice.clock(title, estimate_s)
        try:
            while True:
                try:
                    code = child.wait(timeout=1)
                except subprocess.TimeoutExpired:
                    clock.tick()
                else:
                    clock.stop("failed" if code else "done")
                    return code
        except BaseException:
            clock.stop("stopped")
            _stop(child)
            raise


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(timeout=STOP_GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _tail(text: str) -> str:
    return "\n       ".join(line for line in text.strip().splitlines()[-TAIL_LINES:])
