"""The few questions we ask the machine, behind one small interface: tests answer them by hand."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where distributions put runc and ip; not on an ordinary user's PATH."""


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """What a program said: its exit code (127: not found, 124: too slow), stdout and stderr."""

    code: int
    out: str = ""
    err: str = ""


class Machine(Protocol):
    """The machine as probes see it."""

    @property
    def uid(self) -> int:
        """The effective user id."""

    @property
    def store(self) -> Path:
        """Where the embedded engine keeps its store; it need not exist yet."""

    def which(self, name: str) -> str | None:
        """Where a program is, looked for on PATH and in the system's folders."""

    def run(self, command: Sequence[str], *, timeout_s: float = 10.0) -> ProgramResult:
        """Run a program to its end."""

    def read(self, path: str) -> str | None:
        """A small text file, or None."""

    def can_open(self, path: str) -> str | None:
        """Why a file cannot be opened for reading and writing; None when it can."""

    def is_socket(self, path: str) -> bool:
        """Whether a socket is at the path."""


@dataclass(frozen=True, slots=True)
class ThisMachine:
    """The machine we run on, seen with the given environment's PATH."""

    environ: Mapping[str, str]

    @property
    def uid(self) -> int:
        return os.geteuid()

    @property
    def store(self) -> Path:
        from pipelines.engine.embedded.paths import store_dir

        return store_dir(self.environ, rootless=self.uid != 0)

    def which(self, name: str) -> str | None:
        path = self.environ.get("PATH", os.defpath)
        return shutil.which(name, path=os.pathsep.join([path, *_SYSTEM_FOLDERS]))

    def run(self, command: Sequence[str], *, timeout_s: float = 10.0) -> ProgramResult:
        from pipelines.foundation.process.blocking import run_blocking
        from pipelines.foundation.process.result import ProcessError, ProcessTimeout

        try:
            done = run_blocking(command, timeout_s=timeout_s)
        except FileNotFoundError as error:
            return ProgramResult(127, err=str(error))
        except ProcessTimeout:
            return ProgramResult(124, err=f"no answer within {timeout_s:g} s")
        except (OSError, ProcessError) as error:
            return ProgramResult(126, err=str(error))
        return ProgramResult(done.code, done.text, done.stderr.decode("utf-8", "replace"))

    def read(self, path: str) -> str | None:
        try:
            return Path(path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None

    def can_open(self, path: str) -> str | None:
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
        except OSError as error:
            return error.strerror
        return None

    def is_socket(self, path: str) -> bool:
        return Path(path).is_socket()
