"""What of the configuration shapes the work of a built-in step, by names people know: to tell why a step would run again.

Values are short hashes, so that nothing of a configuration is kept elsewhere; references of images are kept as they are.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.foundation.regular_files import read_text
from pipelines.model import SecretRef
from pipelines.steps.common.tags import fill
from pipelines.steps.common.wrapper import SCRIPT
from pipelines.steps.image.build_secrets import secrets_of
from pipelines.steps.image.labels import labels_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipelines.model import Project, ServiceSpec, Source

BASE = "base image "
IMAGE = "image "
"""Beginnings of the names whose values are references."""
_JUDGING = frozenset(
    {
        "allow_fixture_database",
        "allow_unknown_age",
        "end_of_support",
        "fail_on",
        "max_age_days",
        "on_inconclusive",
        "thresholds",
        "waivers",
    }
)
_ELSEWHERE = frozenset({"name", "limits", "services", "service", "sources", "database", "image", "alias"})
_DIRECTIVE = re.compile(r"\s*#\s*(syntax|escape|check)\s*=", re.IGNORECASE)
Pairs = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Settings:
    """By name: what takes part in the `work`, and what is only `judged` by, when the work is done."""

    work: dict[str, str] = field(default_factory=dict)
    judged: dict[str, str] = field(default_factory=dict)


def settings_of(step_id: str, project: Project, source: Source) -> Settings | None:
    """The settings of a built-in step whose outcome an engine can remember; None for others (publish steps, a project's own)."""
    kind, _, name = step_id.partition(".")
    reader = _READERS.get(kind)
    try:
        found = dict(reader(name, project, source)) if reader is not None else None
    except KeyError:
        return None  # a step of the project's own that is called like ours
    if found is None:
        return None
    judged = {key: value for key, value in found.items() if key.partition("] ")[2].partition(".")[0] in _JUDGING}
    work = {key: value for key, value in found.items() if key not in judged}
    return Settings({"Lockgate's version": _version(), **work}, judged)


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("lockgate")
    except metadata.PackageNotFoundError:
        return "unknown"


def _image(name: str, project: Project, source: Source) -> Iterator[Pairs]:
    yield from _recipe(name, project, source)
    spec = project.images[name]
    yield f"[images.{name}] target", _short(spec.target)
    yield f"[images.{name}] platforms", _short(spec.platforms)


def _recipe(name: str, project: Project, source: Source) -> Iterator[Pairs]:
    """What all stages of an image are made by."""
    spec = project.images[name]
    context = Path(project.root) / spec.context
    for file in (spec.dockerfile, f"{spec.dockerfile}.dockerignore", ".dockerignore"):
        yield f"host file {_shown(context / file, project)}", _instructions(context / file)
    if spec.base:
        yield f"{BASE}{spec.base}", _reference(spec.base, project)
    for argument, value in spec.args.items():
        yield f"build argument {argument}", _short(fill(value, source))
    yield f"[images.{name}] context", _short(spec.context)
    yield f"[images.{name}] secrets", _short(sorted(secrets_of(spec, project)))


def _test(name: str, project: Project, source: Source) -> Iterator[Pairs]:
    spec = project.tests[name]
    yield from _recipe(spec.image.name, project, source)
    if spec.image.target is None:
        yield from _image(spec.image.name, project, source)
    yield "Lockgate's wrapper of commands", _short(SCRIPT)
    yield f"[tests.{name}] image", _short(dataclasses.astuple(spec.image))
    yield from _fields(f"[tests.{name}]", spec)
    yield from _services(f"[tests.{name}] services", spec.services, project, source)


def _scan(name: str, project: Project, source: Source) -> Iterator[Pairs]:
    spec = project.scan
    if spec is None:
        raise KeyError(name)
    yield from _fields("[scan]", spec)
    yield f"{IMAGE}{spec.image}", _reference(spec.image, project)
    if spec.database is not None:
        yield f"{IMAGE}{spec.database}", _reference(spec.database, project)
    image = project.images.get(name)
    if image is not None:
        yield from _image(name, project, source)
        base = _reference(image.base, project) if image.base else None
        yield from ((f"label {label}", _short(value)) for label, value in labels_of(image, source, base=base).items())


def _perf(name: str, project: Project, source: Source) -> Iterator[Pairs]:
    spec = project.perf[name]
    yield from _fields(f"[perf.{name}]", spec)
    yield f"[perf.{name}] alias", _short(spec.alias)
    yield f"{IMAGE}{spec.image}", _reference(spec.image, project)
    yield from _services(f"[perf.{name}] service", {spec.alias: spec.service}, project, source)


_READERS = {"image": _image, "test": _test, "scan": _scan, "perf": _perf}


def _services(where: str, services: Mapping[str, ServiceSpec], project: Project, source: Source) -> Iterator[Pairs]:
    for alias, spec in services.items():
        yield from _fields(f"{where}.{alias}", spec, but={"image"})
        yield f"{where}.{alias} image", _short(spec.image)
        if spec.image in project.images:
            yield from _image(spec.image, project, source)
        else:
            yield f"{IMAGE}{spec.image}", _reference(spec.image, project)


def _fields(where: str, spec: Any, but: Iterable[str] = ()) -> Iterator[Pairs]:
    """The fields of a part of the configuration, those that are tables one by one."""
    for one in dataclasses.fields(spec):
        value = getattr(spec, one.name)
        if one.name in _ELSEWHERE or one.name in but:
            continue
        if isinstance(value, Mapping):
            kind = "environment variable" if one.name == "env" else one.name
            yield from ((f"{where} {kind} {key}", _short(inner)) for key, inner in value.items())
        else:
            yield f"{where} {one.name}", _short(value)


def _reference(name: str, project: Project) -> str:
    locked = project.locked.get(name)
    return locked.reference if locked is not None else name


def _short(value: object) -> str:
    value = value.uri if isinstance(value, SecretRef) else value  # its own text leaves out the arguments of a command
    return hashlib.sha256(repr(value).encode(errors="surrogateescape")).hexdigest()[:16]


def _instructions(path: Path) -> str:
    """A Dockerfile or ignore file but its comments: they change nothing, unless they are directives or stand in a here-document."""
    try:
        text = read_text(path, errors="surrogateescape")
    except OSError:
        return "none"
    lines = text.splitlines()
    if "<<" not in text:
        lines = [line for line in lines if line.strip() and (not line.lstrip().startswith("#") or _DIRECTIVE.match(line))]
    return _short(lines)


def _shown(path: Path, project: Project) -> str:
    return str(path.relative_to(project.root)) if path.is_relative_to(project.root) else str(path)
