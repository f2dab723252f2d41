"""The tables of images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from pipelines.config.fields import EnvName, Name, Platform, SecretUri, Text
from pipelines.config.table import Limited, Table


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

    EXAMPLES: ClassVar[Mapping[str, Any]] = {
        "context": ".",
        "dockerfile": "Dockerfile",
        "target": "runtime",
        "base": "python",
        "args": {"REVISION": "{revision}"},
        "platforms": ["linux/amd64"],
        "secrets": {"npm": "env://NPM_TOKEN"},
        "labels": {"com.example.team": "shop"},
    }


class TargetTable(Table):
    """The image something runs in."""

    name: Name = Field(description="An image of this project.")
    target: Text | None = Field(None, description="The stage of its Dockerfile; the one that ships by default.")

    TITLE: ClassVar[str] = "The image of a test"
    EXAMPLES: ClassVar[Mapping[str, Any]] = {"name": "shop", "target": "test"}
