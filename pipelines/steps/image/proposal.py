"""The image that `lockgate init` proposes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.steps.first_look.project_facts import pick
from pipelines.steps.first_look.toml_text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.steps.first_look.project_facts import ProjectFacts

_SHIPS = ("runtime", "release", "production", "prod", "final", "app")


def propose(seen: ProjectFacts) -> Iterator[list[str]]:
    """The project's image, of the stage that most likely ships."""
    ships = pick(seen.stages, _SHIPS)
    lines = [f"[images.{seen.name}]"]
    lines += [f"dockerfile = {quoted(str(seen.dockerfile))}"] if seen.dockerfile != "Dockerfile" else []
    lines += [f"target = {quoted(ships.name)}"] if ships else []
    if seen.base_argument:
        lines.append('base = "python"  # a name (`lockgate images` lists them) or a reference; passed as the build argument BASE')
    yield lines
