"""What of the configuration shapes an image, and a service made of one."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import LockgateError
from pipelines.foundation.regular_files import read_bytes
from pipelines.steps.common.references import resolve
from pipelines.steps.common.settings import BASE, IMAGE, fields, place, reference, short, state_of_file, step_settings
from pipelines.steps.common.tags import fill
from pipelines.steps.image.build_context import exclusions
from pipelines.steps.image.build_secrets import secrets_of
from pipelines.steps.image.labels import labels_of
from pipelines.steps.image.spec import images_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.model import Project, Source
    from pipelines.steps.common.service_spec import ServiceSpec
    from pipelines.steps.common.settings import Setting
    from pipelines.steps.definition import StepSettings
    from pipelines.steps.image.spec import ImageSpec

_DIRECTIVE = re.compile(r"[ \t]*#[ \t]*[a-z][a-z0-9]*[ \t]*=", re.IGNORECASE)
_BLANK = " \t\r"


def settings(spec: ImageSpec, project: Project, source: Source) -> StepSettings:
    """What shapes the step of an image."""
    return step_settings(image_settings(spec, project, source))


def image_settings(spec: ImageSpec, project: Project, source: Source) -> Iterator[Setting]:
    """What the image that ships is made by."""
    yield from stages_settings(spec, project, source)
    yield f"[images.{spec.name}] target", short(spec.target)
    yield f"[images.{spec.name}] platforms", short(spec.platforms)


def stages_settings(spec: ImageSpec, project: Project, source: Source) -> Iterator[Setting]:
    """What all stages of an image are made by."""
    context = Path(project.root) / spec.context
    for file in (spec.dockerfile, f"{spec.dockerfile}.dockerignore", ".dockerignore"):
        yield state_of_file(context / file)
        yield f"host file {_shown(context / file, project)}", _instructions(context / file)
    if spec.base:
        yield f"{BASE}{spec.base}", reference(spec.base, project)
    for argument, value in spec.args.items():
        yield f"build argument {argument}", short(fill(value, source))
    yield f"[images.{spec.name}] context", short((spec.context, place(context, project)))
    yield f"[images.{spec.name}] what is left out of its context", short(_left_out(context, spec.dockerfile))
    yield f"[images.{spec.name}] secrets", short(sorted(secrets_of(spec, project)))


def label_settings(spec: ImageSpec, project: Project, source: Source) -> Iterator[Setting]:
    """The labels of the image that ships. One of them is the digest of its inputs, to which a Dockerfile belongs with its comments."""
    base = reference(spec.base, project) if spec.base else None
    labels = labels_of(spec, source, base=base, inputs=_inputs(spec, project, source))
    yield from ((f"label {label}", short(value)) for label, value in labels.items())


def _inputs(spec: ImageSpec, project: Project, source: Source) -> str | None:
    from pipelines.steps.image.run import inputs_of

    try:
        base = resolve(project, spec.base, wanted_by=f"image {spec.name}") if spec.base else None
        return inputs_of(spec, project, source, base)
    except (LockgateError, OSError):
        return None  # the step itself says what is wrong


def services_settings(where: str, services: Mapping[str, ServiceSpec], project: Project, source: Source) -> Iterator[Setting]:
    """What services are made by; `where` is the table that has them by their names."""
    images = images_of(project)
    for alias, service in services.items():
        yield from fields(f"{where}.{alias}", service, but={"image"})
        yield f"{where}.{alias} image", short(service.image)
        if service.image in images:
            yield from image_settings(images[service.image], project, source)
        else:
            yield f"{IMAGE}{service.image}", reference(service.image, project)


def _instructions(path: Path) -> str:
    """A Dockerfile or ignore file but its comments: they change nothing, unless they stand in a here-document or are directives, which are
    before anything else in the file. Only what every reader of such files takes for the end of a line, or for a blank, counts as one here.
    """
    try:
        lines = read_bytes(path).decode(errors="surrogateescape").removeprefix("\ufeff").split("\n")
    except OSError:
        return "none"
    if any("<<" in line for line in lines):
        return short(lines)
    head = list(itertools.takewhile(_DIRECTIVE.match, lines))
    rest = (line for line in lines[len(head) :] if line.strip(_BLANK))
    return short((head, [line for line in rest if not line.lstrip(_BLANK).startswith("#")]))


def _left_out(context: Path, dockerfile: str) -> tuple[str, ...]:
    try:
        return exclusions(context, dockerfile)
    except OSError:
        return ()


def _shown(path: Path, project: Project) -> str:
    return str(path.relative_to(project.root)) if path.is_relative_to(project.root) else str(path)
