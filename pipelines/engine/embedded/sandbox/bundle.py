"""The files a container is started from: its OCI bundle, in the session's memory file system and gone when the container has ended."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.sandbox.config import INIT_TARGET, oci_config
from pipelines.engine.embedded.sandbox.spec import Bind

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.engine.embedded.sandbox.config import HostSupport
    from pipelines.engine.embedded.sandbox.rootfs.users import ContainerUser
    from pipelines.engine.embedded.sandbox.spec import ContainerSpec, SecretFile


class Bundle:
    """A directory only we can enter; `binds` are the mounts it adds to those of the spec."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.binds: list[Bind] = []
        folder.mkdir(mode=0o700)

    def add_own_files(self, spec: ContainerSpec, init: Path | None) -> None:
        """Name resolution, secrets and the init program."""
        self._show("hosts", hosts_file(spec), "/etc/hosts")
        if spec.network is not None:
            self._show("resolv.conf", spec.network.resolv_conf, "/etc/resolv.conf")
        if init is not None:
            self.binds.append(Bind(init, INIT_TARGET, readonly=True))
        for number, secret in enumerate(spec.secrets):
            self._show_secret(f"secret-{number}", secret)

    def write_config(self, spec: ContainerSpec, user: ContainerUser, host: HostSupport) -> None:
        """Write `config.json`, last of all: it names the binds."""
        self.write_json(self.folder / "config.json", oci_config(spec, user, host, self.binds, f"/{self.folder.name}"))

    @staticmethod
    def write_json(path: Path, value: dict[str, Any]) -> None:
        """Write a value as a JSON file."""
        path.write_text(json.dumps(value))

    def _show(self, name: str, text: str, target: str) -> None:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o644)
        self.binds.append(Bind(path, target, readonly=True))

    def _show_secret(self, name: str, secret: SecretFile) -> None:
        path = self.folder / name
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(secret.data)
            os.fchown(fd, secret.uid, secret.gid)
            os.fchmod(fd, secret.mode)
        self.binds.append(Bind(path, secret.target, readonly=True))


def hosts_file(spec: ContainerSpec) -> str:
    """The text of /etc/hosts (hosts(5)): loopback, the container's own name, then its aliases."""
    own = spec.network.ip if spec.network is not None else "127.0.0.1"
    lines = ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback", f"{own}\t{spec.hostname}"]
    return "".join(f"{line}\n" for line in [*lines, *(f"{address}\t{name}" for name, address in spec.hosts.items())])
