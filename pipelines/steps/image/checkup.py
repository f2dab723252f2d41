"""What an image needs before it can be built: its base images, its Dockerfile, and the stages that are asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.foundation.dockerfile import NotADockerfile, read, stages_of
from pipelines.foundation.regular_files import read_text
from pipelines.foundation.similar import did_you_mean
from pipelines.steps.image.spec import images_of
from pipelines.steps.image.uses import stages_used
from pipelines.steps.interface import CheckResult, CheckState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.model import Project
    from pipelines.steps.image.spec import ImageSpec

_VARIABLE = re.compile(r"[$\\]")


def base_images(project: Project) -> Iterator[str]:
    """The images that images of the project begin with: those of the configuration, and those that Dockerfiles name."""
    for image in images_of(project).values():
        yield from [image.base] if image.base else []
        yield from _first_images(project.root / image.context / image.dockerfile)


def _first_images(dockerfile: Path) -> Iterator[str]:
    """The images that a Dockerfile begins its stages with, without those that a build argument names."""
    try:
        stages = stages_of(read(read_text(dockerfile, errors="replace")))
    except (OSError, NotADockerfile):
        return
    named = {stage.name.lower() for stage in stages} | {"scratch", ""}
    yield from (stage.base for stage in stages if stage.base.lower() not in named and not _VARIABLE.search(stage.base))


def dockerfiles(project: Project) -> Iterator[CheckResult]:
    """Dockerfiles that are not there or cannot be read, and those without a stage that is asked for."""
    for image in images_of(project).values():
        wrong = _wrong(project, image)
        if wrong is not None:
            yield CheckResult(f"image {image.name}", CheckState.FAILED, *wrong)


def _wrong(project: Project, image: ImageSpec) -> tuple[str, str] | None:
    """What is wrong with an image's Dockerfile, and what to do; None where its stages can be read and are those that are asked for."""
    file = project.root / image.context / image.dockerfile
    if not file.is_file():
        return f"there is no Dockerfile at {file}", f"write one, or set `dockerfile` in [images.{image.name}]"
    try:
        stages = [stage.name.lower() for stage in stages_of(read(read_text(file, errors="replace")))]
    except (OSError, NotADockerfile) as error:
        return f"{file} cannot be read: {error}", "correct the Dockerfile"
    known = {name for name in stages if name} | {str(number) for number in range(len(stages))}
    wanted = (*([image.target] if image.target else []), *stages_used(project, image.name))
    missing = next((target for target in wanted if target.lower() not in known), None)
    if missing is None:
        return None
    return f"{file} has no stage {missing}{did_you_mean(missing, filter(None, stages))}", "correct `target` in the configuration"
