"""The steps of a project, and its configuration, with a set of kinds: the built-in ones unless others are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines import config
from pipelines.steps.interface import RunOptions
from pipelines.steps.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pipelines.config import Loaded, Section
    from pipelines.model import Project, Source
    from pipelines.steps.definition import StepDef
    from pipelines.steps.interface import Kind


def sections_of(kinds: Iterable[Kind] = KINDS) -> tuple[Section, ...]:
    """The sections of a configuration file that kinds of step read."""
    return tuple(kind.section for kind in kinds)


def load(
    start: Path,
    *,
    environ: Mapping[str, str],
    overrides: Mapping[str, object] | None = None,
    file: Path | None = None,
    kinds: Iterable[Kind] = KINDS,
) -> Loaded:
    """Read the configuration nearest to `start` (a directory), or `file` when it is given (`--config`).

    `overrides` are flags: dotted paths to values (`{"engine": "embedded", "publish.when": "never"}`); None values are not set, and texts
    become what the key wants (a number, an array).

    Raises:
        ConfigError: no configuration, a file that cannot be read, or wrong keys: one problem a line, as `path: message`.
    """
    return config.load(start, sections=sections_of(kinds), environ=environ, overrides=overrides, file=file)


def builtin(project: Project, *, source: Source, options: RunOptions | None = None, kinds: Sequence[Kind] = KINDS) -> tuple[StepDef, ...]:
    """Every step the configuration asks for, in the order people read them.

    Raises:
        ConfigError: publish is asked for and no registry is configured.
    """
    return tuple(step for kind in kinds for step in kind.definitions(project, source, options or RunOptions()))
