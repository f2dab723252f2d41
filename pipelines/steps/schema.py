"""The JSON schema of lockgate.toml with the built-in kinds of step, shipped as a file so that printing it needs no validation library."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

FILE = "lockgate.schema.json"


def schema_text() -> str:
    """The JSON Schema of lockgate.toml that comes with the package, made of the tables of every kind of step; read from its file."""
    return resources.files("pipelines.steps").joinpath(FILE).read_text(encoding="utf-8")


def tool_schema(_tool: str) -> dict[str, Any]:
    """The shipped schema, for `validate-pyproject` (entry point `validate_pyproject.tool_schema`)."""
    schema: dict[str, Any] = json.loads(schema_text())
    # In pyproject.toml the name has a default: the distribution's.
    schema["required"] = [key for key in schema["required"] if key != "project"]
    return schema


def generate() -> str:
    """The schema made from the tables; the shipped file must be this text."""
    from pipelines.config.schema import schema_of
    from pipelines.steps.catalog import sections_of

    return schema_of(sections_of())


if __name__ == "__main__":  # `python -m pipelines.steps.schema` writes the file that is shipped
    from pathlib import Path

    Path(__file__).with_name(FILE).write_text(generate(), encoding="utf-8")
