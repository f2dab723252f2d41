"""The tables of lockgate.toml: every key once, with its type, default and sentence. Only what has behaviour is here.

The JSON schema, the environment variables and the suggestions in messages come from these classes.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pipelines.config.fields import (
    Day,
    Duration,
    EnvName,
    Name,
    Number,
    Platform,
    Port,
    RegistryUrl,
    SecretUri,
    Size,
    Tag,
    Text,
)
from pipelines.model import EndOfSupport, EngineKind, Insecure, OnInconclusive, PublishWhen, Severity
from pipelines.model.project import PROCESSES, TIMEOUT_S


class Table(BaseModel):
    """A table that knows its keys: an unknown one is an error, and types are not guessed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Limited(Table):
    """A table of a step: what every step can limit."""

    timeout: Duration | None = Field(
        None, description="Wall time after which the step is stopped and counts as failed; the project's `timeout` by default."
    )
    retries: int = Field(
        2,
        ge=0,
        le=10,
        description="How often the step tries again after a transient error (network, registry). Verdicts are never retried.",
    )


class EngineTable(Table):
    """`[engine]`: which engine runs containers, and what containers may do; `engine = "embedded"` is short for `kind`."""

    kind: Annotated[EngineKind, Field(strict=False)] = Field(
        default=EngineKind.AUTO, description="Which engine runs containers: auto, dagger or embedded."
    )
    insecure: Annotated[Insecure, Field(strict=False)] = Field(
        default=Insecure.API,
        description="Who may start containers with all capabilities: none; api (insecureRootCapabilities of a program); "
        "all (RUN --security=insecure of a Dockerfile too).",
    )
    memory: Size | None = Field(
        default=None, description="Memory that all containers of a run may use together, such as 4GiB; no limit by default."
    )
    cpus: Annotated[Number, Field(gt=0)] | None = Field(
        default=None, description="Processors that all containers of a run may use together, such as 1.5; no limit by default."
    )
    processes: int = Field(default=PROCESSES, ge=64, description="Processes and threads that each container may have.")
    start_timeout: Duration | None = Field(
        default=None,
        description="How long an engine may take to open a session: 1m by default, 10m where a Dagger engine may have to be started first.",
    )


def _engine(value: object) -> object:
    if not isinstance(value, (str, dict)):
        raise ValueError("expected auto, dagger or embedded, or a table")  # noqa: TRY004 - what pydantic collects
    return {"kind": value} if isinstance(value, str) else value


class ProjectTable(Table):
    """`[project]`."""

    name: Name = Field(description="Name of the project; in pyproject.toml the default is the name in [project].")


class RegistryTable(Table):
    """`[registry]`: where images go."""

    url: RegistryUrl = Field(description="host[:port]/path without scheme.")
    username: Text | None = Field(
        None, description="User name for auth; without both, containers-auth.json is used, as by other container tools."
    )
    auth: SecretUri | None = Field(None, description="Secret URI of the password or token: env://NAME, file://PATH or cmd://COMMAND.")


class BuildTable(Table):
    """`[build]`: secrets that every image build may use."""

    secrets: dict[Text, SecretUri] = Field(
        {},
        description="Build secrets, by id, for every image whose Dockerfile asks for that id; secrets of an image take precedence.",
    )


class ImageTable(Limited):
    """`[images.NAME]`: an image built from a Dockerfile."""

    context: Text = Field(".", description="Build context, relative to this file.")
    dockerfile: Text = Field("Dockerfile", description="The Dockerfile, relative to the context.")
    target: Text | None = Field(None, description="The stage that ships; the last one by default.")
    base: Text | None = Field(
        None, description="Base image: a name (`lockgate images` lists them) or a reference; passed as the build argument BASE."
    )
    args: dict[EnvName, str] = Field({}, description="Build arguments.")
    platforms: list[Platform] = Field([], description="Platforms to build, such as linux/amd64; the engine's own by default.")
    secrets: dict[Text, SecretUri] = Field({}, description="Build secrets: id to secret URI, for RUN --mount=type=secret,id=ID.")
    labels: dict[Text, str] = Field({}, description="Labels beside the OCI ones taken from the commit.")


def _target(value: object) -> object:
    if not isinstance(value, (str, dict)):
        raise ValueError("expected an image of this project: a name, or { name, target }")  # noqa: TRY004 - what pydantic collects
    return {"name": value} if isinstance(value, str) else value


class TargetTable(Table):
    """The image something runs in."""

    name: Name = Field(description="An image of this project.")
    target: Text | None = Field(None, description="The stage of its Dockerfile; the one that ships by default.")


class ServiceTable(Table):
    """A service a step talks to."""

    image: Text = Field(description="An image of this project, or a reference.")
    port: Port = Field(description="The port it listens on.")
    target: Text | None = Field(None, description="The stage to run, for an image of this project.")
    command: list[str] = Field([], description="Command instead of the image's own.")
    env: dict[EnvName, str] = Field({}, description="Environment variables.")
    health: Annotated[str, Field(pattern="^/")] | None = Field(
        None, description="Path that answers 2xx or 3xx when the service is up; an open port by default."
    )
    deadline: Duration = Field(60.0, description="Time within which it must be up.")


class TestTable(Limited):
    """`[tests.NAME]`: a command in a stage of an image."""

    __test__ = False

    image: Annotated[TargetTable, BeforeValidator(_target, json_schema_input_type=str | TargetTable)] = Field(
        description="The image to run in: a name, or { name, target }."
    )
    command: list[str] = Field(min_length=1, description="Program and arguments; exit code 0 is a pass.")
    junit: Text | None = Field(
        None, description="Path of the JUnit report in the container; found in the command (--junitxml=) by default."
    )
    env: dict[EnvName, str] = Field({}, description="Environment variables.")
    secrets: dict[EnvName, SecretUri] = Field({}, description="Secrets as environment variables: name to secret URI.")
    services: dict[Name, ServiceTable] = Field({}, description="Services, reachable under their name.")


class WaiverTable(Table):
    """`[[scan.waivers]]`: a known finding that a person is responsible for."""

    id: Text = Field(description="Rule of the finding, such as CVE-2026-0001.")
    owner: Text = Field(description="Who is responsible for it.")
    reason: Text = Field(description="Why it is accepted.")
    expires: Day = Field(description="Last day it counts.")


class ScanTable(Limited):
    """`[scan]`: Trivy over every image and the sources."""

    fail_on: Annotated[Severity, Field(strict=False)] = Field(
        Severity.HIGH, description="Findings of this severity or worse fail the scan."
    )
    sources: bool = Field(True, description="Scan the project's files too.")
    waivers: list[WaiverTable] = Field([], description="Findings that are accepted until a day.")
    image: Text = Field("trivy", description="An image with Trivy: a name (`lockgate images` lists them) or a reference.")
    database: Text | None = Field(
        "trivy-db", description="Image with the vulnerability database: a name (`lockgate images` lists them) or a reference."
    )
    max_age_days: int = Field(7, ge=1, description="A scan with an older database has no data.")
    allow_fixture_database: bool = Field(False, description="Accept a database made of fixtures; reports say so.")
    allow_unknown_age: bool = Field(False, description="Accept a database of unknown age; reports say so.")
    end_of_support: Annotated[EndOfSupport, Field(strict=False)] = Field(
        EndOfSupport.WARN,
        description="What it means that an operating system is no longer supported by its maker: warn or fail. Its new vulnerabilities "
        "are not reported.",
    )
    on_inconclusive: Annotated[OnInconclusive, Field(strict=False)] = Field(
        OnInconclusive.FAIL, description="What no data means: fail, or pass with a warning."
    )


class ThresholdTable(Table):
    """Limits of a performance check."""

    p95_ms: Annotated[Number, Field(gt=0)] | None = Field(default=None, description="95th percentile of latency, milliseconds, at most.")
    error_rate: Annotated[Number, Field(ge=0, le=1)] | None = Field(default=None, description="Share of failed requests, 0 to 1, at most.")
    min_rps: Annotated[Number, Field(gt=0)] | None = Field(default=None, description="Requests per second, at least.")


class PerfTable(Limited):
    """`[perf.NAME]`: a k6 script against the candidate."""

    script: Text = Field(description="The k6 script, relative to this file.")
    service: ServiceTable = Field(description="The candidate as a service.")
    alias: Name = Field("service", description="Host name the script reaches the service under.")
    image: Text = Field("k6", description="Image with k6: a name (`lockgate images` lists them) or a reference.")
    thresholds: ThresholdTable = Field(ThresholdTable(), description="Limits that fail the check.")
    env: dict[EnvName, str] = Field({}, description="Environment variables of the script.")
    on_inconclusive: Annotated[OnInconclusive, Field(strict=False)] = Field(
        OnInconclusive.FAIL, description="What too little data means: fail, or pass with a warning."
    )


class PublishTable(Limited):
    """`[publish]`: push what passed, by digest."""

    when: Annotated[PublishWhen, Field(strict=False)] = Field(
        PublishWhen.CI, description="ci: only in CI; always; never. --publish and --no-publish override."
    )
    tags: list[Tag] = Field(["{version}"], description="Tags that never move; {version}, {revision}, {short} and {branch} are filled in.")
    moving: list[Tag] = Field([], description="Tags that may move, such as latest.")
    after: list[Text] | None = Field(
        None, description="What must pass first, by id or kind (test.unit, scan); by default every check, also those of lockgate.py."
    )


class SharedRegistryTable(Table):
    """`[registry]` of a user's or a machine's settings: credentials stay with the project or in containers-auth.json."""

    url: RegistryUrl = Field(description="host[:port]/path without scheme, for projects whose configuration does not name a registry.")


class SharedSettings(Table):
    """A settings.toml of the user or of the machine: what may hold for every project there. It cannot give permissions."""

    registry: SharedRegistryTable | None = Field(None, description="Where images go.")
    build: BuildTable = Field(BuildTable.model_validate({}), description="Secrets that every image build may use.")


class Document(Table):
    """A whole lockgate.toml."""

    engine: Annotated[EngineTable, BeforeValidator(_engine, json_schema_input_type=EngineKind | EngineTable)] = Field(
        EngineTable(), description="Which engine runs containers, and what containers may do: a kind (auto, dagger, embedded) or a table."
    )
    jobs: int | None = Field(
        None, ge=1, le=1000, description="How many steps run at the same time; by default one for each processor, at least 4."
    )
    keep_going: bool = Field(True, description="After a failure, run what does not depend on it; false stops everything.")
    timeout: Duration = Field(
        TIMEOUT_S, description="Wall time for every step that has no timeout of its own, also for steps in lockgate.py."
    )
    project: ProjectTable = Field(description="The project itself.")
    registry: RegistryTable | None = Field(None, description="Where images go.")
    build: BuildTable = Field(BuildTable.model_validate({}), description="Secrets that every image build may use.")
    images: dict[Name, ImageTable] = Field({}, description="Images by name: step image.NAME.")
    tests: dict[Name, TestTable] = Field({}, description="Test commands by name: step test.NAME.")
    scan: ScanTable | None = Field(None, description="Vulnerability scans: step scan.NAME for every image.")
    perf: dict[Name, PerfTable] = Field({}, description="Performance checks by name: step perf.NAME.")
    publish: PublishTable | None = Field(None, description="Publishing: step publish.NAME for every image.")

    def dump(self) -> dict[str, Any]:
        """Plain values as JSON and TOML know them, defaults included."""
        return self.model_dump(mode="json", exclude_none=True)
