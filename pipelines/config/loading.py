"""From files, environment and flags to one frozen `Project`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.config.discover import LOCAL_FILE, discover, read_config
from pipelines.config.files import read_toml
from pipelines.config.layers import Layers, leaves
from pipelines.config.origin import Layer, Origin
from pipelines.config.shorthand import full_path, written_out
from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipelines.config.discover import Found
    from pipelines.config.tables import Document
    from pipelines.model import Project

_NEXT = "correct the keys above; `lockgate config schema` prints every key"
_DEFAULT = Origin(Layer.DEFAULT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A project and how it came to be. `values` and `provenance` have the same keys: dotted paths such as `tests.unit.command`."""

    project: Project
    values: Mapping[str, object]
    provenance: Mapping[str, Origin]
    notes: tuple[str, ...] = ()


def load(start: Path, *, environ: Mapping[str, str], overrides: Mapping[str, object] | None = None, file: Path | None = None) -> Loaded:
    """Read the configuration nearest to `start` (a directory), or `file` when it is given (`--config`).

    `overrides` are flags: dotted paths to values (`{"engine": "embedded", "publish.when": "never"}`); None values are not set.

    Raises:
        ConfigError: no configuration, a file that cannot be read, or wrong keys: one problem a line, as `path: message`.
    """
    found = read_config(file) if file is not None else discover(start)
    layers, notes = _layers(found, environ, overrides or {})
    document = _validate(layers, found)
    project = _project(document, found, layers, environ)
    values = {".".join(path): value for path, value in leaves(document.dump())}
    origins = {".".join(path): layers.origin(path) or _DEFAULT for path, _ in leaves(document.dump())}
    return Loaded(project=project, values=values, provenance=origins, notes=notes)


def _layers(found: Found, environ: Mapping[str, str], overrides: Mapping[str, object]) -> tuple[Layers, tuple[str, ...]]:
    from pipelines.config.environment import from_environment, near_misses
    from pipelines.config.shared import lay_shared

    layers = Layers()
    lay_shared(layers, environ)
    if found.fallback_name is not None:
        layers.put(("project", "name"), found.fallback_name, Origin(Layer.FILE, f"{found.path} [project]"))
    layers.lay(written_out(found.tables), Origin(Layer.FILE, str(found.path)))
    local = found.path.parent / LOCAL_FILE
    if local.is_file():
        layers.lay(written_out(read_toml(local)), Origin(Layer.LOCAL, str(local)))
    for path, name, value in tuple(from_environment(layers.tables, environ)):
        layers.put(path, value, Origin(Layer.ENV, name))
    for key, value in overrides.items():
        if value is not None:
            layers.put(full_path(tuple(key.split("."))), value, Origin(Layer.FLAG, key))
    return layers, tuple(near_misses(layers.tables, environ))


def _validate(layers: Layers, found: Found) -> Document:
    from pydantic import ValidationError

    from pipelines.config.problems import problems
    from pipelines.config.tables import Document

    def elsewhere(path: tuple[str | int, ...]) -> str:
        origin = layers.origin(tuple(str(part) for part in path))
        if origin is None or origin.layer is Layer.FILE:
            return ""
        return "the command line" if origin.layer is Layer.FLAG else origin.where

    try:
        return Document.model_validate(layers.tables)
    except ValidationError as error:
        raise _wrong(found.path, problems(error, elsewhere)) from error


def _project(document: Document, found: Found, layers: Layers, environ: Mapping[str, str]) -> Project:
    from pipelines.config.convert import to_project
    from pipelines.config.crosscheck import crosscheck
    from pipelines.config.lock import locked_images
    from pipelines.config.permission import permission

    project = to_project(document, found.path, locked_images(found.path.parent, environ))
    wrong = (*crosscheck(project), *permission(project, layers))
    if wrong:
        raise _wrong(found.path, wrong)
    return project


def _wrong(path: Path, lines: tuple[str, ...]) -> ConfigError:
    count = "one problem" if len(lines) == 1 else f"{len(lines)} problems"
    return ConfigError(f"{path} has {count}", problems=lines, next_step=_NEXT)
