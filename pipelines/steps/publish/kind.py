"""Publishing as a kind of step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.steps.interface import Kind
from pipelines.steps.publish.definition import definitions
from pipelines.steps.publish.section import SECTION
from pipelines.steps.publish.spec import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.steps.first_look.project_facts import ProjectFacts


def _propose(_seen: ProjectFacts) -> Iterable[list[str]]:
    return (["# Publishing needs [registry] above.", "# [publish]", '# when = "ci"'],)


KIND = Kind(name=NAME, section=SECTION, definitions=definitions, propose=_propose)
