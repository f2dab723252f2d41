"""The Python environment `.venv` in the checkout: exactly what requirements.lock says, and this project, editable."""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ci.machine.part import Machine

ESTIMATE_S = 60


class Environment:
    """Made again when requirements.lock, pyproject.toml or the interpreter changed."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._venv = machine.paths.venv

    def todo(self) -> list[str]:
        return (
            []
            if self._stamp().is_file() and self._stamp().read_text() == self._key()
            else ["Python environment .venv from requirements.lock"]
        )

    def provide(self) -> None:
        if not (self._venv / "bin/python").exists():
            self._machine.runner.output([sys.executable, "-m", "venv", str(self._venv)])
        checkout = self._machine.paths.checkout
        self._pip("Python packages", "--require-hashes", "--no-deps", "--requirement", str(checkout / "requirements.lock"))
        self._pip("this project, editable", "--no-build-isolation", "--no-deps", "--editable", str(checkout))
        self._stamp().write_text(self._key())

    def _pip(self, title: str, *words: str) -> None:
        command = [str(self._venv / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install", *words]
        log = self._machine.paths.logs / "pip.log"
        self._machine.runner.long(title, command, log=log, estimate_s=ESTIMATE_S)

    def _stamp(self) -> Path:
        return self._venv / "lockgate.stamp"

    def _key(self) -> str:
        """What decides the content; the checkout's path too, because an editable install points there."""
        checkout = self._machine.paths.checkout
        digest = hashlib.sha256(f"{sys.version}\n{checkout}\n".encode())
        for name in ("requirements.lock", "pyproject.toml"):
            digest.update((checkout / name).read_bytes())
        return digest.hexdigest()
