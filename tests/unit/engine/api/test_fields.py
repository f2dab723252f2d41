"""What the engine says it answers, against the schema."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import graphql
import pytest

import pipelines.engine.embedded.api.fields  # noqa: F401 - registers them
from pipelines.engine.embedded.api.registry import registry

if TYPE_CHECKING:
    from pipelines.engine.embedded.api.schema.types import Schema

REFERENCE = Path(os.environ.get("LOCKGATE_SHARED", Path(__file__).parents[5] / "shared")) / "dagger" / "schema-0.21.8.graphql"
NEWER = {"Query.git": frozenset({"keepGitDir"})}  # arguments a later SDK still sends


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


def test_every_field_and_argument_answered_is_in_a_real_engines_schema() -> None:
    if not REFERENCE.is_file():
        pytest.skip(f"needs {REFERENCE.name}: set LOCKGATE_SHARED to the folder that has it in `dagger`")
    real = graphql.build_schema(REFERENCE.read_text())
    for spec in registry:
        type_name, _, field_name = spec.name.partition(".")
        found = real.type_map[type_name]
        assert isinstance(found, graphql.GraphQLObjectType | graphql.GraphQLInterfaceType), spec.name
        assert field_name in found.fields, spec.name
        assert spec.args - NEWER.get(spec.name, frozenset()) <= found.fields[field_name].args.keys(), spec.name
