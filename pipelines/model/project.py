"""A project as configuration describes it: frozen values, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipelines.model.secret import SecretRef


class EngineKind(StrEnum):
    """Which engine a run asks for."""

    AUTO = "auto"
    DAGGER = "dagger"
    EMBEDDED = "embedded"


class Insecure(StrEnum):
    """Who may start containers with all capabilities of the machine.

    `none`: nobody. `api`: a program that asks for it (`insecureRootCapabilities`). `all`: Dockerfiles too (`RUN --security=insecure`).
    """

    NONE = "none"
    API = "api"
    ALL = "all"


PROCESSES = 4096
"""Processes and threads that a container may have by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSpec:
    """`[engine]`: which engine a run asks for, and what its containers may do.

    `memory` (bytes) and `cpus` bound all containers of a session together, `processes` (threads count too) each container by itself. The
    embedded engine keeps these limits where it can have control groups; a Dagger engine has its own configuration. `start_s` is how
    long the engine may take to open a session; None for the default of its kind.
    """

    kind: EngineKind = EngineKind.AUTO
    insecure: Insecure = Insecure.API
    memory: int | None = None
    cpus: float | None = None
    processes: int = PROCESSES
    start_s: float | None = None


TIMEOUT_S = 1800.0
"""Wall time, in seconds, of a step without a limit of its own: longer than steps usually take, shorter than the limit of most CI jobs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLimits:
    """Limits every step can set: `timeout_s` seconds of wall time (None: the project's), `retries` on transient errors only."""

    timeout_s: float | None = None
    retries: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Where images go. `url` is `host[:port]/path` without scheme; `auth` where the password is (else containers-auth.json)."""

    url: str
    username: str | None = None
    auth: SecretRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedImage:
    """What a short image name stands for on this machine: a reference with digest; its origin is `official`, `built` or `chosen`.

    `fixture` marks made-up data, `artifact` an OCI artifact that its own tool downloads (then the reference may be a tag). `layer` says
    which lock knows the name: the project's, the user's, the machine's or the package's own; `where` is that file.
    """

    name: str
    reference: str
    origin: str
    fixture: bool = False
    artifact: bool = False
    layer: str = "project"
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Everything configuration says. Paths in it are relative to `root`."""

    name: str
    root: Path
    config_file: Path | None = None
    engine: EngineSpec = EngineSpec()
    jobs: int | None = None
    keep_going: bool = True
    timeout_s: float = TIMEOUT_S
    """Seconds of wall time of a step that has no limit of its own."""
    registry: Registry | None = None
    build_secrets: Mapping[str, SecretRef] = field(default_factory=dict)
    """Secrets offered to every build whose Dockerfile asks for their id; those of an image itself count more."""
    locked: Mapping[str, LockedImage] = field(default_factory=dict)
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What the configuration says of steps: by the kind, then by the name of the table (empty for a kind that has just one), as the value
    that the kind makes of it. Each kind's `spec.py` has a function that gives them by their own type."""
