"""What the configuration says of publishing."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pipelines.config.section import ONLY
from pipelines.model import StepLimits
from pipelines.steps.common.tags import TagTemplates

if TYPE_CHECKING:
    from pipelines.model import Project

NAME = "publish"
"""The name of this kind of step."""


class PublishWhen(StrEnum):
    """When publish steps run: in CI only, always, or never; `--publish` / `--no-publish` override."""

    CI = "ci"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishSpec(TagTemplates):
    """`[publish]`: tags beside the version; an immutable tag that would move is refused.

    `after` names the steps that must pass first, by id or kind; None stands for every check.
    """

    when: PublishWhen = PublishWhen.CI
    after: tuple[str, ...] | None = None
    limits: StepLimits = field(default_factory=StepLimits)


def publish_of(project: Project) -> PublishSpec | None:
    """How a project is published; None where it is not."""
    return project.steps.get(NAME, {}).get(ONLY)
