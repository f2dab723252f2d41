"""A section: the tables of a configuration that one kind of step reads. This room does not know the kinds; sections come from above."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines.model import SecretRef, StepLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pipelines.config.table import Table
    from pipelines.model import Project

ONLY = ""
"""The name of the table of a section that has just one."""


def _no_problems(_project: Project) -> Iterable[str]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Section:
    """A part of the configuration, and what becomes of it.

    Attributes:
        key: its key at the top of the file (`tests`).
        kind: the kind of step it is for; its values are in `Project.steps[kind]`, by name.
        description: one sentence about the key.
        example: a name for examples (`[tests.unit]`); None for a section that is a single table (`[scan]`).
        table: loads the class of a table. Called only when there is something to validate, since it needs pydantic.
        convert: makes the frozen value of a table: from its name, its values as JSON has them (defaults included, what is None left out),
            and the project's time limit in seconds.
        problems: what does not fit together, one line each as `path: message`, once all sections are converted.
        short_forms: keys whose value may be a word that stands for a table: for `{"image": "name"}`, `image = "shop"` is
            `image = { name = "shop" }`.
        local_only: keys that only `lockgate.local.toml` may set to true, and what each permits.
        later: keys that a later version will know.
    """

    key: str
    kind: str
    description: str
    example: str | None = None
    table: Callable[[], type[Table]]
    convert: Callable[[str, Mapping[str, Any], float], object]
    problems: Callable[[Project], Iterable[str]] = _no_problems
    short_forms: Mapping[str, str] = field(default_factory=dict)
    local_only: Mapping[str, str] = field(default_factory=dict)
    later: frozenset[str] = frozenset()

    @property
    def named(self) -> bool:
        """Whether it is a table of tables by name."""
        return self.example is not None


def limits_of(values: Mapping[str, Any], default_s: float) -> StepLimits:
    """The limits of a step's table (`pipelines.config.table.Limited`); `default_s` is the project's time limit in seconds."""
    return StepLimits(timeout_s=values.get("timeout", default_s), retries=values["retries"])


def secret_refs(uris: Mapping[str, str]) -> dict[str, SecretRef]:
    """References to secrets, by name, from their URIs."""
    return {name: SecretRef(uri) for name, uri in uris.items()}
