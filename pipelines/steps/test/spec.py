"""What the configuration says of tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.model import StepLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.model import Project, SecretRef
    from pipelines.steps.common.service_spec import ServiceSpec
    from pipelines.steps.image.spec import ImageTarget

NAME = "test"
"""The name of this kind of step."""


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
    limits: StepLimits = field(default_factory=StepLimits)


def configured_tests(project: Project) -> Mapping[str, TestSpec]:
    """The tests of a project, by name."""
    return project.steps.get(NAME, {})
