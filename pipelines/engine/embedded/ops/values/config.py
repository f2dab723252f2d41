"""An image's configuration, as the OCI image spec (v1.1, config.md) has it, in values that compare and never change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Pairs = tuple[tuple[str, str], ...]


def put(pairs: Pairs, name: str, value: str) -> Pairs:
    """The pairs with `name` set: in its place if it is there, at the end if not."""
    if any(key == name for key, _ in pairs):
        return tuple((key, value if key == name else old) for key, old in pairs)
    return (*pairs, (name, value))


def drop(pairs: Pairs, name: str) -> Pairs:
    """The pairs without `name`."""
    return tuple(pair for pair in pairs if pair[0] != name)


def get(pairs: Pairs, name: str) -> str | None:
    """What the first pair of that name holds; None where no pair has it."""
    return next((value for key, value in pairs if key == name), None)


@dataclass(frozen=True, slots=True)
class ExposedPort:
    """A port a container listens on; `protocol` is TCP or UDP."""

    port: int
    protocol: str = "TCP"
    description: str | None = None
    skip_healthcheck: bool = False

    @property
    def key(self) -> str:
        """As the OCI config spells it."""
        return f"{self.port}/{self.protocol.lower()}"


@dataclass(frozen=True, slots=True)
class Config:
    """What a container starts with. `entrypoint` and `cmd` are None when the image sets none; `healthcheck` is Docker's object."""

    env: Pairs = ()
    user: str = ""
    workdir: str = ""
    entrypoint: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    labels: Pairs = ()
    ports: tuple[ExposedPort, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str | None = None
    shell: tuple[str, ...] | None = None
    onbuild: tuple[str, ...] = ()
    healthcheck: tuple[tuple[str, Any], ...] | None = None
    annotations: Pairs = ()

    def with_env(self, name: str, value: str) -> Config:
        """The configuration with a variable set."""
        return replace(self, env=put(self.env, name, value))

    def to_oci(self) -> dict[str, Any]:
        """The `config` object of an OCI image configuration."""
        fields: dict[str, Any] = {
            "Env": [f"{name}={value}" for name, value in self.env],
            "User": self.user,
            "WorkingDir": self.workdir,
            "Entrypoint": list(self.entrypoint) if self.entrypoint is not None else None,
            "Cmd": list(self.cmd) if self.cmd is not None else None,
            "Labels": dict(self.labels),
            "ExposedPorts": {port.key: {} for port in self.ports},
            "Volumes": {volume: {} for volume in self.volumes},
            "StopSignal": self.stop_signal,
            "Shell": list(self.shell) if self.shell is not None else None,
            "OnBuild": list(self.onbuild),
            "Healthcheck": {key: list(value) if isinstance(value, tuple) else value for key, value in self.healthcheck or ()},
        }
        return {key: value for key, value in fields.items() if value}

    @classmethod
    def from_oci(cls, config: Mapping[str, Any], annotations: Mapping[str, str] | None = None) -> Config:
        """From the `config` object of an OCI image configuration (any member may be missing or null)."""
        health = config.get("Healthcheck")
        return cls(
            env=_pairs(config.get("Env") or ()),
            user=config.get("User") or "",
            workdir=config.get("WorkingDir") or "",
            entrypoint=_words(config.get("Entrypoint")),
            cmd=_words(config.get("Cmd")),
            labels=tuple((config.get("Labels") or {}).items()),
            ports=tuple(_port(key) for key in config.get("ExposedPorts") or {}),
            volumes=tuple(config.get("Volumes") or {}),
            stop_signal=config.get("StopSignal"),
            shell=_words(config.get("Shell")),
            onbuild=tuple(config.get("OnBuild") or ()),
            healthcheck=_frozen(health) if health else None,
            annotations=tuple((annotations or {}).items()),
        )


EMPTY = Config()


def _words(value: Iterable[str] | None) -> tuple[str, ...] | None:
    return tuple(value) if value is not None else None


def _pairs(lines: Iterable[str]) -> Pairs:
    pairs: Pairs = ()
    for line in lines:
        name, _, value = line.partition("=")
        pairs = put(pairs, name, value)
    return pairs


def _port(key: str) -> ExposedPort:
    number, _, protocol = key.partition("/")
    return ExposedPort(int(number), (protocol or "tcp").upper())


def _frozen(value: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((key, tuple(item) if isinstance(item, list) else item) for key, item in value.items())
