"""A project as configuration describes it: frozen values, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pipelines.model.finding import Severity
from pipelines.model.verdict import EndOfSupport, OnInconclusive

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipelines.model.finding import Waiver
    from pipelines.model.secret import SecretRef


class PublishWhen(StrEnum):
    """When publish steps run: in CI only, always, or never; `--publish` / `--no-publish` override."""

    CI = "ci"
    ALWAYS = "always"
    NEVER = "never"


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
"""Processes and threads a container may have, where nobody says otherwise."""


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
"""Wall time of a step that nobody limited: half an hour, longer than any step that is at work, shorter than a CI's patience."""


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
class ImageSpec:
    """`[images.NAME]`: a multi-stage Dockerfile. `secrets` are build secrets by id; `args` are build arguments."""

    name: str
    context: str = "."
    dockerfile: str = "Dockerfile"
    target: str | None = None
    base: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    secrets: Mapping[str, SecretRef] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    limits: StepLimits = StepLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageTarget:
    """The image (and stage of it) something runs in."""

    name: str
    target: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """A service bound by name: an image of this project or a foreign reference, its port, and how to know it is up.

    `health` is a path answered with 2xx or 3xx over HTTP; without it, an open port is enough. It must be well within `deadline_s` seconds.
    """

    image: str
    port: int
    target: str | None = None
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    health: str | None = None
    deadline_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSpec:
    """`[tests.NAME]`: a command in a stage; JUnit is read from `junit` (a path in the container; else the one the command names)."""

    __test__ = False  # a value, whatever pytest makes of its name

    name: str
    image: ImageTarget
    command: tuple[str, ...]
    junit: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, SecretRef] = field(default_factory=dict)
    services: Mapping[str, ServiceSpec] = field(default_factory=dict)
    limits: StepLimits = StepLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSpec:
    """`[scan]`: Trivy over every image and the sources. `database` names an image (of images.lock, or a reference) that carries it;
    `allow_fixture_database` and `allow_unknown_age` let such a database count by name.
    """

    fail_on: Severity = Severity.HIGH
    sources: bool = True
    waivers: tuple[Waiver, ...] = ()
    image: str = "trivy"
    database: str | None = "trivy-db"
    max_age_days: int = 7
    allow_fixture_database: bool = False
    allow_unknown_age: bool = False
    end_of_support: EndOfSupport = EndOfSupport.WARN
    on_inconclusive: OnInconclusive = OnInconclusive.FAIL
    limits: StepLimits = StepLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Limits of a performance check: 95th percentile latency in milliseconds, share of failed requests (0 to 1), requests per second."""

    p95_ms: float | None = None
    error_rate: float | None = None
    min_rps: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PerfSpec:
    """`[perf.NAME]`: a k6 script against a service made of the candidate image."""

    name: str
    script: str
    service: ServiceSpec
    alias: str = "service"
    image: str = "k6"
    thresholds: Thresholds = Thresholds()
    env: Mapping[str, str] = field(default_factory=dict)
    on_inconclusive: OnInconclusive = OnInconclusive.FAIL
    limits: StepLimits = StepLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishSpec:
    """`[publish]`: tags beside the version; an immutable tag that would move is refused.

    `after` names the steps that must pass first, by id or kind; None stands for every check.
    """

    when: PublishWhen = PublishWhen.CI
    tags: tuple[str, ...] = ("{version}",)
    moving: tuple[str, ...] = ()
    after: tuple[str, ...] | None = None
    limits: StepLimits = StepLimits()


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
    images: Mapping[str, ImageSpec] = field(default_factory=dict)
    tests: Mapping[str, TestSpec] = field(default_factory=dict)
    scan: ScanSpec | None = None
    perf: Mapping[str, PerfSpec] = field(default_factory=dict)
    publish: PublishSpec | None = None
    build_secrets: Mapping[str, SecretRef] = field(default_factory=dict)
    """Secrets offered to every build whose Dockerfile asks for their id; those of an image itself count more."""
    locked: Mapping[str, LockedImage] = field(default_factory=dict)
