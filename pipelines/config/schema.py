"""The JSON schema of lockgate.toml, shipped as a file so that printing it needs no validation library."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

FILE = "lockgate.schema.json"
_TITLE = "lockgate.toml"


def schema_text() -> str:
    """The shipped schema as JSON text."""
    return resources.files("pipelines.config").joinpath(FILE).read_text(encoding="utf-8")


def tool_schema(_tool: str) -> dict[str, Any]:
    """The shipped schema, for `validate-pyproject` (entry point `validate_pyproject.tool_schema`)."""
    schema: dict[str, Any] = json.loads(schema_text())
    # In pyproject.toml the name has a default: the distribution's.
    schema["required"] = [key for key in schema["required"] if key != "project"]
    return schema


def generate() -> str:
    """The schema made from the tables; the shipped file must be this text."""
    from pydantic.json_schema import GenerateJsonSchema, models_json_schema

    from pipelines.config.examples import EXAMPLES
    from pipelines.config.tables import Document

    _, document = models_json_schema([(Document, "validation")], schema_generator=GenerateJsonSchema)
    definitions = document["$defs"]
    for table, examples in EXAMPLES.items():
        for key, example in examples.items():
            definitions[table.__name__]["properties"][key]["examples"] = [example]
    root = definitions.pop("Document")
    schema = {"$schema": GenerateJsonSchema.schema_dialect, **root, "title": _TITLE, "$defs": definitions}
    return json.dumps(_tidy(schema), indent=2) + "\n"


def _tidy(node: Any) -> Any:
    """Drop what only repeats: generated titles, and null, which TOML does not have."""
    if isinstance(node, list):
        return [_tidy(part) for part in node]
    if not isinstance(node, dict):
        return node
    tidy = {key: _tidy(value) for key, value in node.items() if not (key == "title" and isinstance(value, str) and value != _TITLE)}
    if tidy.get("default", ...) is None:
        del tidy["default"]
    if "patternProperties" in tidy:
        tidy["additionalProperties"] = False  # a name of another form is an error, not a free key
    options = [option for option in tidy.get("anyOf", []) if option != {"type": "null"}]
    if len(options) == 1:
        del tidy["anyOf"]
        return {**options[0], **tidy}
    return {**tidy, "anyOf": options} if options else tidy


if __name__ == "__main__":  # `python -m pipelines.config.schema` writes the file that is shipped
    from pathlib import Path

    Path(__file__).with_name(FILE).write_text(generate(), encoding="utf-8")
