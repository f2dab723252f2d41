"""The table of publishing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from pipelines.config.fields import Tag, Text
from pipelines.config.table import Limited
from pipelines.steps.publish.spec import PublishWhen


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

    EXAMPLES: ClassVar[Mapping[str, Any]] = {
        "when": "ci",
        "tags": ["{version}"],
        "moving": ["latest"],
        "after": ["tests", "scan"],
    }
