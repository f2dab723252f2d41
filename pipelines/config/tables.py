"""The tables of lockgate.toml that are for the whole project. Those of steps are beside the steps. Only what has behaviour is here.

The JSON schema, the environment variables and the suggestions in messages come from these classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from pipelines.config.fields import Duration, Name, Number, RegistryUrl, SecretUri, Size, Text
from pipelines.config.table import Table
from pipelines.model import EngineKind, Insecure
from pipelines.model.project import PROCESSES, TIMEOUT_S


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

    EXAMPLES: ClassVar[Mapping[str, Any]] = {
        "kind": "auto",
        "insecure": "api",
        "memory": "4GiB",
        "cpus": 2,
        "processes": 4096,
        "start_timeout": "2m",
    }


def _engine(value: object) -> object:
    if not isinstance(value, (str, dict)):
        raise ValueError("expected auto, dagger or embedded, or a table")  # noqa: TRY004 - what pydantic collects
    return {"kind": value} if isinstance(value, str) else value


class ProjectTable(Table):
    """`[project]`."""

    name: Name = Field(description="Name of the project; in pyproject.toml the default is the name in [project].")

    EXAMPLES: ClassVar[Mapping[str, Any]] = {"name": "shop"}


class RegistryTable(Table):
    """`[registry]`: where images go."""

    url: RegistryUrl = Field(description="host[:port]/path without scheme.")
    username: Text | None = Field(
        None, description="User name for auth; without both, containers-auth.json is used, as by other container tools."
    )
    auth: SecretUri | None = Field(None, description="Secret URI of the password or token: env://NAME, file://PATH or cmd://COMMAND.")

    EXAMPLES: ClassVar[Mapping[str, Any]] = {"url": "registry.example.com/team", "username": "robot", "auth": "env://REGISTRY_TOKEN"}


class BuildTable(Table):
    """`[build]`: secrets that every image build may use."""

    secrets: dict[Text, SecretUri] = Field(
        {},
        description="Build secrets, by id, for every image whose Dockerfile asks for that id; secrets of an image take precedence.",
    )

    EXAMPLES: ClassVar[Mapping[str, Any]] = {"secrets": {"pip": "file://~/.config/pip/pip.conf"}}


class SharedRegistryTable(Table):
    """`[registry]` of a user's or a machine's settings: credentials stay with the project or in containers-auth.json."""

    url: RegistryUrl = Field(description="host[:port]/path without scheme, for projects whose configuration does not name a registry.")


class SharedSettings(Table):
    """A settings.toml of the user or of the machine: what may hold for every project there. It cannot give permissions."""

    registry: SharedRegistryTable | None = Field(None, description="Where images go.")
    build: BuildTable = Field(BuildTable.model_validate({}), description="Secrets that every image build may use.")


class ProjectWide(Table):
    """A lockgate.toml without the sections of steps (`pipelines.config.document` adds them)."""

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

    EXAMPLES: ClassVar[Mapping[str, Any]] = {"jobs": 4, "keep_going": True, "timeout": "30m"}
