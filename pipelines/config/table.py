"""What every table of a configuration is: it knows its keys, and has an example for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from pipelines.config.fields import Duration


class Table(BaseModel):
    """A table that knows its keys: an unknown one is an error, and types are not guessed.

    `EXAMPLES` has a value for every key that is not a table of its own; they are in the JSON schema (editors show them) and on the page
    docs/configuration.md. `TITLE` is the heading there of a table that stands inside others.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)

    EXAMPLES: ClassVar[Mapping[str, Any]] = {}
    TITLE: ClassVar[str] = ""


class Limited(Table):
    """A table of a step: what every step can limit."""

    timeout: Duration | None = Field(
        None, description="Wall time after which the step is stopped and counts as failed; the project's `timeout` by default."
    )
    retries: int = Field(
        2,
        ge=0,
        le=10,
        description="How often the step tries again after a transient error (network, registry). Verdicts are never retried.",
    )

    EXAMPLES: ClassVar[Mapping[str, Any]] = {"timeout": "10m", "retries": 2}


def examples_of(table: type[Table]) -> dict[str, Any]:
    """The examples of a table's own keys, then of those it has from other tables."""
    found: dict[str, Any] = {}
    for base in table.__mro__:
        found |= {key: value for key, value in vars(base).get("EXAMPLES", {}).items() if key not in found}
    return found
