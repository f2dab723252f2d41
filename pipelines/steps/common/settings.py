"""What of the configuration shapes the work of a built-in step, by names people know: to tell why a step would run again."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipelines.model import SecretRef
from pipelines.steps.definition import StepSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pipelines.model import Project

BASE = "base image "
IMAGE = "image "
"""Beginnings of the names whose values are references."""
_FILE = "state of file "
_NEVER = frozenset({"name", "limits"})
Setting = tuple[str, str]
"""A name, and a short hash or a reference."""


def step_settings(found: Iterable[Setting], judging: Iterable[str] = (), asked: tuple[str, ...] = ()) -> StepSettings:
    """The settings of a step. Keys of its table that are in `judging` take no part in the work: by them, what came out is judged."""
    every, judging = _together(found), frozenset(judging)
    judged = {name: value for name, value in every.items() if name.partition("] ")[2].partition(".")[0] in judging}
    files = {name: value for name, value in every.items() if name.startswith(_FILE)}
    work = {name: value for name, value in every.items() if name not in judged and name not in files}
    return StepSettings({"Lockgate's version": _version(), **work}, judged, asked, files)


def _together(found: Iterable[Setting]) -> dict[str, str]:
    """The settings by name. Two images of one step may have a build argument of the same name: each value counts."""
    values: dict[str, dict[str, None]] = {}
    for name, value in found:
        values.setdefault(name, {})[value] = None
    return {name: " ".join(each) for name, each in values.items()}


def fields(where: str, spec: Any, but: Iterable[str] = ()) -> Iterator[Setting]:
    """The fields of a part of the configuration, those that are tables one by one; without those in `but`."""
    left_out = _NEVER | frozenset(but)
    for one in dataclasses.fields(spec):
        value = getattr(spec, one.name)
        if one.name in left_out:
            continue
        if isinstance(value, Mapping):
            kind = "environment variable" if one.name == "env" else one.name
            yield from ((f"{where} {kind} {key}", short(inner)) for key, inner in value.items())
        else:
            yield f"{where} {one.name}", short(value)


def state_of_file(path: Path) -> Setting:
    """What the file system says of a file whose content is one of the settings: another state, and it was written in between."""
    try:
        info = path.stat()
    except OSError:
        return f"{_FILE}{path}", "none"
    return f"{_FILE}{path}", f"{info.st_dev} {info.st_ino} {info.st_size} {info.st_mtime_ns} {info.st_ctime_ns}"


def place(folder: Path, project: Project) -> str:
    """Where a folder of the host is, seen from the project's folder, links resolved: a link may lead elsewhere tomorrow."""
    return os.path.relpath(os.path.realpath(folder), os.path.realpath(project.root))


def reference(name: str, project: Project) -> str:
    """What the name of an image stands for now."""
    locked = project.locked.get(name)
    return locked.reference if locked is not None else name


def short(value: object) -> str:
    """A short hash of a value. The text of a reference to a secret leaves out the arguments of a command, so its URI is taken."""
    value = value.uri if isinstance(value, SecretRef) else value
    return hashlib.sha256(repr(value).encode(errors="surrogateescape")).hexdigest()[:16]


@functools.cache
def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("lockgate")
    except metadata.PackageNotFoundError:
        return "unknown"
