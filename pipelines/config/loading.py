"""From files, environment and flags to one frozen `Project`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.config.convert import to_project
from pipelines.config.discover import LOCAL_FILE, discover, read_config
from pipelines.config.environment import from_environment, near_misses
from pipelines.config.files import read_toml
from pipelines.config.key_paths import key_path
from pipelines.config.keys import shape_at, typed
from pipelines.config.layers import Layers, flattened
from pipelines.config.lock import locked_images
from pipelines.config.origin import Layer, Origin
from pipelines.config.section import ONLY
from pipelines.config.shared import lay_shared
from pipelines.config.shorthand import full_path, written_out
from pipelines.config.validation import InvalidTables, Validator
from pipelines.config.validation_cache import cache_for
from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pipelines.config.discover import Found
    from pipelines.config.keys import Shape
    from pipelines.config.section import Section
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


def load(
    start: Path,
    *,
    sections: Iterable[Section],
    environ: Mapping[str, str],
    overrides: Mapping[str, object] | None = None,
    file: Path | None = None,
) -> Loaded:
    """Read the configuration nearest to `start` (a directory), or `file` when it is given (`--config`).

    `sections` are the tables of the kinds of step; without one, its tables are unknown keys. `overrides` are flags: dotted paths to values
    (`{"engine": "embedded", "publish.when": "never"}`); None values are not set, and texts become what the key wants (a number, an array).

    Raises:
        ConfigError: no configuration, a file that cannot be read, or wrong keys: one problem a line, as `path: message`.
    """
    sections = tuple(sections)
    found = read_config(file) if file is not None else discover(start)
    validator = Validator(sections, cache_for(sections, environ))
    layers, notes = _layers(found, environ, overrides or {}, validator)
    values = _validated(layers, found, validator)
    project = to_project(values, sections, found.path, locked_images(found.path.parent, environ))
    wrong = [
        line
        for section in sections
        for line in (*_alike(section, values), *section.problems(project), *_permissions(section, values, layers))
    ]
    if wrong:
        raise _wrong(found.path, wrong)
    paths = tuple(flattened(values))
    return Loaded(
        project=project,
        values={".".join(path): value for path, value in paths},
        provenance={".".join(path): layers.origin(path) or _DEFAULT for path, _ in paths},
        notes=notes,
    )


def _layers(
    found: Found, environ: Mapping[str, str], overrides: Mapping[str, object], validator: Validator
) -> tuple[Layers, tuple[str, ...]]:
    layers, shape, sections = Layers(), validator.shape(), validator.sections
    lay_shared(layers, environ, validator)
    if found.fallback_name is not None:
        layers.put(("project", "name"), found.fallback_name, Origin(Layer.FILE, f"{found.path} [project]"))
    layers.lay(written_out(found.tables, sections), Origin(Layer.FILE, str(found.path)))
    local = found.path.parent / LOCAL_FILE
    if local.is_file():
        layers.lay(written_out(read_toml(local), sections), Origin(Layer.LOCAL, str(local)))
    for path, name, value in tuple(from_environment(shape, layers.tables, environ)):
        layers.put(path, value, Origin(Layer.ENV, name))
    for key, value in overrides.items():
        if value is not None:
            _override(layers, shape, key, value)
    return layers, tuple(near_misses(shape, layers.tables, environ))


def _override(layers: Layers, shape: Shape, key: str, value: object) -> None:
    path = full_path(key_path(key))
    layers.put(path, typed(shape_at(shape, path), value) if isinstance(value, str) else value, Origin(Layer.FLAG, key))


def _validated(layers: Layers, found: Found, validator: Validator) -> Mapping[str, Any]:
    def elsewhere(path: tuple[str | int, ...]) -> str:
        origin = layers.origin(tuple(str(part) for part in path))
        if origin is None or origin.layer is Layer.FILE:
            return ""
        return "the command line" if origin.layer is Layer.FLAG else origin.where

    try:
        return validator.values(layers.tables, elsewhere)
    except InvalidTables as error:
        raise _wrong(found.path, error.lines) from error


def _alike(section: Section, values: Mapping[str, Any]) -> Iterator[str]:
    """One line for every two names that are one to variables (`LOCKGATE_TESTS_A_B_TIMEOUT`) and to parameters of steps (`test_a_b`)."""
    first: dict[str, str] = {}
    for name in values.get(section.key, ()) if section.named else ():
        other = first.setdefault(name.replace("-", "_"), name)
        if other != name:
            one, two = f"{section.key}.{other}", f"{section.key}.{name}"
            yield f"{two}: differs from {one} only in - and _, which variables and parameters cannot tell apart; rename one of them"


def _permissions(section: Section, values: Mapping[str, Any], layers: Layers) -> Iterator[str]:
    """One line for every permission that comes from a wrong place.

    A permission is for one checkout on one machine. If it could be given everywhere, it would hold for every project on the machine, or
    for everybody who has the project.
    """
    content = values.get(section.key) or {}
    for name, table in (content if section.named else {ONLY: content}).items():
        for key, permits in section.local_only.items():
            path = (section.key, name, key) if section.named else (section.key, key)
            origin = layers.origin(path)
            if table.get(key) is True and origin is not None and origin.layer is not Layer.LOCAL:
                yield f"{'.'.join(path)}: only {LOCAL_FILE} may {permits}; this value comes from {origin}"


def _wrong(path: Path, lines: Iterable[str]) -> ConfigError:
    problems = tuple(lines)
    count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
    return ConfigError(f"{path} has {count}", problems=problems, next_step=_NEXT)
