"""What the engine says it answers, against the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pipelines.engine.embedded.api.fields  # noqa: F401 - registers them
from pipelines.engine.embedded.api.registry import registry

if TYPE_CHECKING:
    from pipelines.engine.embedded.api.schema import Schema


def test_every_field_and_argument_answered_is_in_the_schema(schema: Schema) -> None:
    for spec in registry:
        type_name, _, field_name = spec.name.partition(".")
        composite = schema.composite(type_name)
        assert composite is not None, spec.name
        assert field_name in composite.fields, spec.name
        assert spec.args <= composite.fields[field_name].args.keys(), spec.name


def test_what_every_session_needs_is_answered() -> None:
    answered = {spec.name for spec in registry}
    assert answered >= {
        "Query.container",
        "Query.directory",
        "Query.host",
        "Query.cacheVolume",
        "Query.setSecret",
        "Container.from",
        "Container.withExec",
        "Container.stdout",
        "Container.sync",
        "Container.publish",
        "Container.asService",
        "Directory.dockerBuild",
        "Directory.export",
        "File.contents",
        "Service.start",
    }
