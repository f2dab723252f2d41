"""The schema read from the SDK's client, against facts about the API, the client itself, and a real engine's schema where one is there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import graphql
import pytest

from pipelines.engine.embedded.api.schema.json_format import from_json, to_json
from pipelines.engine.embedded.api.schema.sdk import Derived, find_sdk
from pipelines.engine.embedded.api.schema.sdk_schema import read_schema
from pipelines.engine.embedded.api.schema.types import UNSET, Composite, Enum, Field, Input, Schema, parse_ref
from pipelines.engine.embedded.errors import EmbeddedUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[4]
REFERENCE = Path(os.environ.get("LOCKGATE_SHARED", ROOT.parent / "shared")) / "dagger" / "schema-0.21.8.graphql"
NEWER = {("Query.git", "keepGitDir"), ("Query.envFile", "expand"), ("File.asEnvFile", "expand")}  # arguments a later SDK still sends


def field(schema: Schema, name: str) -> Field:
    type_name, _, field_name = name.partition(".")
    composite = schema.composite(type_name)
    assert composite is not None
    return composite.fields[field_name]


@pytest.mark.parametrize(
    ("name", "type_", "args"),
    [
        ("Container.stdout", "String!", {}),
        ("Container.envVariable", "String", {"name": "String!"}),
        ("Container.envVariables", "[EnvVariable!]!", {}),
        ("Container.mounts", "[String!]!", {}),
        ("Container.exitCode", "Int!", {}),
        ("Container.sync", "ID!", {}),
        ("Container.id", "ID!", {}),
        ("Container.rootfs", "Directory!", {}),
        ("Container.platform", "Platform!", {}),
        ("Container.withRootfs", "Container!", {"directory": "ID!"}),
        (
            "Container.withFiles",
            "Container!",
            {"path": "String!", "sources": "[ID!]!", "permissions": "Int", "owner": "String", "expand": "Boolean"},
        ),
        ("Container.exportImage", "Void!", None),
        ("Container.up", "Void", None),
        ("Service.start", "ID!", {}),
        ("Service.stop", "ID!", {"kill": "Boolean"}),
        ("Query.node", "Node", {"id": "ID!"}),
        ("Query.loadContainerFromID", "Container!", {"id": "ContainerID!"}),
        ("Query.http", "File!", None),
    ],
)
def test_types_are_read(schema: Schema, name: str, type_: str, args: dict[str, str] | None) -> None:
    found = field(schema, name)
    assert str(found.type) == type_
    assert args is None or {key: str(one.type) for key, one in found.args.items()} == args


@pytest.mark.parametrize(
    ("name", "argument", "default"),
    [
        ("Container.withExec", "args", UNSET),
        ("Container.withExec", "expect", "SUCCESS"),
        ("Container.withExec", "stdin", ""),
        ("Container.withExec", "expand", False),
        ("Container.withNewFile", "permissions", 420),
        ("Container.asTarball", "platformVariants", []),
        ("Container.asTarball", "forcedCompression", UNSET),
        ("Container.asTarball", "mediaTypes", "OCIMediaTypes"),
        ("Query.cacheVolume", "sharing", "SHARED"),
    ],
)
def test_defaults_are_read(schema: Schema, name: str, argument: str, default: object) -> None:
    assert field(schema, name).args[argument].default == default


@pytest.mark.parametrize(
    ("name", "argument", "expected"),
    [
        ("Container.withDirectory", "source", "Directory"),
        ("Container.publish", "platformVariants", "Container"),
        ("Query.loadSecretFromID", "id", "Secret"),
        ("Query.node", "id", "Node"),
        ("Container.withExec", "args", ""),
    ],
)
def test_it_is_known_what_object_an_id_must_stand_for(schema: Schema, name: str, argument: str, expected: str) -> None:
    assert field(schema, name).args[argument].object == expected


def test_interfaces_are_found_by_their_fields(schema: Schema) -> None:
    interfaces = {name: one.interfaces for name in ("Container", "Service", "Secret", "Syncer", "Node") if (one := schema.composite(name))}
    assert interfaces == {
        "Container": ("Exportable", "Node", "Syncer"),
        "Service": ("Node", "Syncer"),
        "Secret": ("Node",),
        "Syncer": ("Node",),
        "Node": (),
    }


def test_an_enum_alias_stands_for_the_member_the_client_sends(schema: Schema) -> None:
    enum = schema.types["ImageLayerCompression"]
    assert isinstance(enum, Enum)
    assert enum.members["GZIP"] == enum.members["Gzip"]


def test_every_object_type_can_be_loaded(schema: Schema) -> None:
    for name, type_ in schema.types.items():
        if isinstance(type_, Composite) and name not in {"Query", "Node"}:
            assert str(field(schema, f"Query.load{name}FromID").type) == f"{name}!"


def test_every_name_used_is_a_type(schema: Schema) -> None:
    for type_ in schema.types.values():
        if isinstance(type_, Composite | Input):
            for one in type_.fields.values():
                assert one.type.name in schema.types
                assert all(argument.type.name in schema.types for argument in getattr(one, "args", {}).values())


def test_json_holds_all_of_it(schema: Schema) -> None:
    assert from_json(json.loads(json.dumps(to_json(schema)))) == schema


@pytest.mark.parametrize("text", ["String", "String!", "[ID!]!", "[[Int]!]"])
def test_type_references_are_written_as_read(text: str) -> None:
    assert str(parse_ref(text)) == text


def test_a_client_that_is_none_is_refused(tmp_path: Path) -> None:
    module = tmp_path / "gen.py"
    module.write_text("class Query(Root):\n    def x(self) -> 1: self._select('x', [])\n")
    with pytest.raises(EmbeddedUnavailable, match="reinstall dagger-io"):
        read_schema(module, "1")


def test_the_schema_is_remembered_and_damage_repaired(schema: Schema, tmp_path: Path) -> None:
    derived = Derived(find_sdk(), tmp_path)
    assert derived.schema() == schema
    (kept,) = tmp_path.rglob("schema.json")
    assert from_json(json.loads(kept.read_bytes())) == schema
    kept.write_text("{")
    assert derived.schema() is derived.schema()  # a second thread that asks reads nothing
    assert Derived(find_sdk(), tmp_path).schema() == schema
    assert json.loads(kept.read_bytes())["version"] == schema.version


def test_answers_are_kept_by_request_and_not_without_bound(tmp_path: Path) -> None:
    derived = Derived(find_sdk(), tmp_path)
    for number in range(50):
        derived.keep(b"request %d" % number, b"answer %d" % number)
    known = [derived.answer(b"request %d" % number) for number in range(50)]
    assert known[0] == b"answer 0"
    assert 1 <= sum(one is not None for one in known) < 50


def test_a_folder_that_cannot_be_written_is_no_error(schema: Schema, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    derived = Derived(find_sdk(), blocked)
    assert derived.schema() == schema
    derived.keep(b"request", b"answer")
    assert derived.answer(b"request") is None


def reference() -> graphql.GraphQLSchema:
    if not REFERENCE.is_file():
        pytest.skip("no schema of a real engine here")
    return graphql.build_schema(REFERENCE.read_text())


def signatures(real: graphql.GraphQLSchema) -> Iterator[tuple[str, graphql.GraphQLField]]:
    for name, type_ in real.type_map.items():
        if isinstance(type_, graphql.GraphQLObjectType | graphql.GraphQLInterfaceType) and not name.startswith("_"):
            yield from ((f"{name}.{key}", one) for key, one in type_.fields.items())


def test_every_field_is_as_in_a_real_engines_schema(schema: Schema) -> None:
    """But for one thing a client does not tell: whether an object may be null."""
    for name, real in signatures(reference()):
        ours = field(schema, name)
        is_object = isinstance(schema.types[ours.type.name], Composite)
        assert str(ours.type).rstrip("!" if is_object else "") == str(real.type).rstrip("!" if is_object else ""), name
        assert {(key, str(one.type), written(one.ast_node)) for key, one in real.args.items()} == {
            (key, str(one.type), hashable(one.default)) for key, one in ours.args.items() if (name, key) not in NEWER
        }, name


def written(argument: graphql.InputValueDefinitionNode | None) -> Any:
    assert argument is not None
    value = argument.default_value
    default = UNSET if value is None else graphql.value_from_ast_untyped(value)
    return hashable(default)


def hashable(default: Any) -> Any:
    return tuple(default) if isinstance(default, list) else default


def test_enums_inputs_and_interfaces_are_as_in_a_real_engines_schema(schema: Schema) -> None:
    for name, real in reference().type_map.items():
        ours = schema.types.get(name)
        if isinstance(real, graphql.GraphQLEnumType) and not name.startswith("__"):
            assert isinstance(ours, Enum)
            assert ours.members.keys() == real.values.keys()
        elif isinstance(real, graphql.GraphQLInputObjectType):
            assert isinstance(ours, Input)
            assert {(key, str(one.type), written(one.ast_node)) for key, one in real.fields.items()} == {
                (key, str(one.type), hashable(one.default)) for key, one in ours.fields.items()
            }
        elif isinstance(real, graphql.GraphQLObjectType | graphql.GraphQLInterfaceType) and not name.startswith("_"):
            assert isinstance(ours, Composite)
            assert set(ours.interfaces) == {one.name for one in real.interfaces}, name
