"""The JSON schema of a configuration file, out of the classes of its tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.config.section import Section

_TITLE = "lockgate.toml"


def schema_of(sections: Iterable[Section]) -> str:
    """The schema of a file with these sections, as JSON text."""
    from pydantic.json_schema import GenerateJsonSchema, models_json_schema

    from pipelines.config.document import document_of, tables_in
    from pipelines.config.table import examples_of

    document = document_of(tuple(sections))
    _, made = models_json_schema([(document, "validation")], schema_generator=GenerateJsonSchema)
    definitions = made["$defs"]
    for table in tables_in(document):
        for key, example in examples_of(table).items():
            definitions[table.__name__]["properties"][key]["examples"] = [example]
    root = definitions.pop(document.__name__)
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
