"""What other projects of this user find: the images, the registry and the package settings, in the user's configuration folder.

It gives no permission: with a made-up vulnerability database, scans of other projects have no data.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from ci.machine import catalog, lock
from ci.machine.settings import HEAD, build_secrets, differs, write_private

if TYPE_CHECKING:
    from pathlib import Path

    from ci.machine.part import Machine
    from ci.machine.registry import Record
    from ci.machine.settings import PackageSettings


class HasRecord(Protocol):
    """The local registry, as far as it is asked here."""

    def record(self) -> Record | None: ...


class HasPackageSettings(Protocol):
    """Knows the settings that pip uses."""

    def package(self) -> PackageSettings: ...


class Shared:
    """Writes `images.lock`, `settings.toml` and `pip.conf`; what a person chose or wrote there is left alone."""

    def __init__(self, machine: Machine, registry: HasRecord, settings: HasPackageSettings) -> None:
        self._machine, self._registry, self._settings = machine, registry, settings
        self._folder = machine.paths.config
        self._lock = self._folder / "images.lock"

    def todo(self) -> list[str]:
        if self._registry.record() and not self._stale() and not self._missing():
            return []
        return [f"{self._folder}: images, registry and package settings for other projects of this user"]

    def provide(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        write_private(self._stale())
        missing = self._missing()
        if missing:
            lock.write([self._lock], {**lock.read(self._lock), **missing})

    def _missing(self) -> dict[str, lock.Locked]:
        """The images of this checkout that the user's lock does not name, or names with another image that nobody chose."""
        there, own = lock.read(self._lock), lock.read(lock.path(self._machine.paths.checkout))
        names = [name for name in catalog.load(self._machine.paths.checkout) if name in own]
        return {name: own[name] for name in names if there.get(name) != own[name] and not _chosen(there.get(name))}

    def _stale(self) -> dict[Path, str]:
        record = self._registry.record()
        if record is None:
            return {}
        package, secret = self._settings.package(), self._folder / "pip.conf"
        wanted = {secret: package.pip_conf, self._folder / "settings.toml": render(f"localhost:{record.port}", secret, package.bundle)}
        return {file: text for file, text in wanted.items() if differs(file, text)}


def render(registry: str, pip_conf: Path, bundle: Path | None) -> str:
    """The text of a settings.toml."""
    lines = [HEAD, "[registry]", f"url = {json.dumps(registry)}", "", "# For every image whose Dockerfile asks for the secret."]
    return "\n".join([*lines, "[build.secrets]", *build_secrets(pip_conf, bundle)]) + "\n"


def _chosen(locked: lock.Locked | None) -> bool:
    return locked is not None and locked.origin == lock.CHOSEN
