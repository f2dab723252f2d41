"""Introspection, judged by what a client library makes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import graphql
import pytest

from pipelines.engine.embedded.api.schema.types import Composite, Enum, Schema

Ask = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def client_schema(ask: Ask) -> graphql.GraphQLSchema:
    query = graphql.get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True
    )
    answer = await ask(query)
    assert "errors" not in answer
    return graphql.build_client_schema(answer["data"])


async def test_a_client_builds_the_whole_schema_from_it(schema: Schema, client_schema: graphql.GraphQLSchema) -> None:
    graphql.assert_valid_schema(client_schema)
    for name, ours in schema.types.items():
        theirs = client_schema.type_map[name]
        if isinstance(ours, Composite):
            assert isinstance(theirs, graphql.GraphQLObjectType | graphql.GraphQLInterfaceType)
            assert {key: str(one.type) for key, one in theirs.fields.items()} == {key: str(one.type) for key, one in ours.fields.items()}
            assert isinstance(theirs, graphql.GraphQLInterfaceType) is ours.abstract
        elif isinstance(ours, Enum):
            assert isinstance(theirs, graphql.GraphQLEnumType)
            assert theirs.values.keys() == ours.members.keys()


async def test_defaults_and_interfaces_come_through(client_schema: graphql.GraphQLSchema) -> None:
    printed = graphql.print_type(client_schema.type_map["Container"])
    assert "type Container implements Exportable & Node & Syncer {" in printed
    assert "expect: ReturnType = SUCCESS" in printed
    assert "platformVariants: [ID!] = []" in printed
    assert 'owner: String = ""' in printed
    assert "permissions: Int = 420" in printed


async def test_an_interface_knows_its_types(ask: Ask) -> None:
    answer = await ask('{ __type(name: "Syncer") { kind possibleTypes { name } interfaces { name } } }')
    found = answer["data"]["__type"]
    assert found["kind"] == "INTERFACE"
    assert {"Container", "Directory", "File", "Service"} <= {one["name"] for one in found["possibleTypes"]}
    assert found["interfaces"] == [{"name": "Node"}]


async def test_types_can_be_followed_round_in_circles(ask: Ask) -> None:
    answer = await ask(
        '{ __type(name: "EnvVariable") { fields { name type { ofType { name fields { name } } } } } '
        '  missing: __type(name: "Nothing") { name } __typename }'
    )
    by_name = {one["name"]: one["type"]["ofType"] for one in answer["data"]["__type"]["fields"]}
    assert by_name["value"] == {"name": "String", "fields": None}
    assert answer["data"]["missing"] is None
    assert answer["data"]["__typename"] == "Query"


async def test_an_unknown_introspection_field_is_refused(ask: Ask) -> None:
    answer = await ask("{ __schema { kinds } }")
    assert answer["errors"][0]["message"] == 'Cannot query field "kinds" on type "__Schema".'


@pytest.mark.parametrize("query", ["{ __schema { types } }", '{ __type(name: "Query") }', "{ __schema { types { name { x } } } }"])
async def test_objects_need_a_selection_and_names_have_none(ask: Ask, query: str) -> None:
    (error,) = (await ask(query))["errors"]
    assert "selection of subfields" in error["message"]


async def test_wrapping_types_have_every_field_of_a_type(ask: Ask) -> None:
    answer = await ask('{ __type(name: "Container") { fields { type { fields { name } enumValues { name } isOneOf } } } }')
    assert {"fields": None, "enumValues": None, "isOneOf": None} in [one["type"] for one in answer["data"]["__type"]["fields"]]
