"""The table of a service that a step talks to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from pipelines.config.fields import Duration, EnvName, Port, Text
from pipelines.config.table import Table


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

    TITLE: ClassVar[str] = "A service"
    EXAMPLES: ClassVar[Mapping[str, Any]] = {
        "image": "shop",
        "target": "runtime",
        "port": 8000,
        "command": ["python", "-m", "shop"],
        "env": {"SHOP_LOG": "debug"},
        "health": "/healthz",
        "deadline": "60s",
    }
