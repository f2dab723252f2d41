"""Debian packages: what the engine runs containers, moves images and makes networks with."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ci.machine.errors import SetupError

if TYPE_CHECKING:
    from ci.machine.part import Machine

ESTIMATE_S = 60
SERVICE = "docker-registry.service"  # the package starts it on every interface, port 5000; ours listens on loopback only

NEEDED = (
    "ca-certificates",
    "catatonit",
    "debian-archive-keyring",
    "docker-registry",
    "git",
    "iproute2",
    "iptables",
    "make",
    "mmdebstrap",
    "nftables",
    "passt",
    "runc",
    "skopeo",
    "slirp4netns",
    "uidmap",
)
NOT_IN = {"ubuntu 22.04": {"passt"}}  # slirp4netns makes rootless networks there


class Packages:
    """Missing ones are installed with apt; those that are there are left as they are."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def todo(self) -> list[str]:
        missing = self._missing()
        if not missing:
            return []
        lines = [f"Debian packages: {' '.join(missing)}"]
        if self._masks(missing):
            lines.append(f"keep the system's own {SERVICE} from starting (systemctl mask)")
        return lines

    def provide(self) -> None:
        missing = self._missing()
        if self._masks(missing):
            self._machine.runner.output(self._machine.runner.root(["systemctl", "mask", SERVICE]))
        self._apt("Debian package lists", "update")
        self._apt(f"{len(missing)} Debian packages", "install", "--yes", "--no-install-recommends", *missing)

    def _missing(self) -> list[str]:
        wanted = {*NEEDED, *_venv_package()} - NOT_IN.get(self._machine.system, set())
        return sorted(wanted - self._installed(wanted))

    def _installed(self, wanted: set[str]) -> set[str]:
        query = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n"]
        try:
            lines = self._machine.runner.output(query).splitlines()
        except SetupError:  # no dpkg database to read: everything counts as missing
            return set()
        return {name for name, _, status in (line.partition(" ") for line in lines) if status == "installed" and name in wanted}

    def _masks(self, missing: list[str]) -> bool:
        return "docker-registry" in missing and Path("/run/systemd/system").is_dir()

    def _apt(self, title: str, *words: str) -> None:
        runner = self._machine.runner
        command = runner.root(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", *words])
        runner.long(title, command, log=self._machine.paths.logs / f"apt-{words[0]}.log", estimate_s=ESTIMATE_S)


def _venv_package() -> set[str]:
    """Debian splits venv off its Python; other Pythons have it."""
    if importlib.util.find_spec("ensurepip") or not sys.executable.startswith("/usr/bin/"):
        return set()
    return {f"python{sys.version_info.major}.{sys.version_info.minor}-venv"}
