"""From files, environment and flags to one frozen `Project`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipelines.config.origin import Origin
    from pipelines.model import Project


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
    raise NotImplementedError
