"""/dev/net/tun: rootless containers reach the network through it, and some machines keep it to root."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ci.machine.part import Machine

EVERYBODY = 0o666


class Tun:
    """Opens the device to ordinary users, as most distributions ship it; a machine without it is left alone."""

    def __init__(self, machine: Machine, device: Path = Path("/dev/net/tun")) -> None:
        self._machine, self._device = machine, device

    def todo(self) -> list[str]:
        closed = self._device.exists() and stat.S_IMODE(self._device.stat().st_mode) & EVERYBODY != EVERYBODY
        return [f"open {self._device} to ordinary users (mode 0666), for rootless networks"] if closed else []

    def provide(self) -> None:
        self._machine.runner.output(self._machine.runner.root(["chmod", "0666", str(self._device)]))
