"""The table of tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from pipelines.config.fields import EnvName, Name, SecretUri, Text
from pipelines.config.table import Limited
from pipelines.steps.common.service_table import ServiceTable
from pipelines.steps.image.table import TargetTable


def _target(value: object) -> object:
    if not isinstance(value, (str, dict)):
        raise ValueError("expected an image of this project: a name, or { name, target }")  # noqa: TRY004 - what pydantic collects
    return {"name": value} if isinstance(value, str) else value


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

    EXAMPLES: ClassVar[Mapping[str, Any]] = {
        "image": TargetTable.EXAMPLES,
        "command": ["pytest", "-q", "--junitxml=/tmp/junit.xml"],
        "junit": "/tmp/junit.xml",  # noqa: S108 - in a container
        "env": {"SHOP_URL": "http://shop:8000"},
        "secrets": {"API_KEY": "env://API_KEY"},
        "services": {"shop": ServiceTable.EXAMPLES},
    }
