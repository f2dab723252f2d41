"""A schema as JSON and back, for the cache: types written as in GraphQL's schema language."""

from __future__ import annotations

from typing import Any

from pipelines.engine.embedded.api.schema.types import UNSET, Argument, Composite, Enum, Field, Input, Scalar, Schema, Type, parse_ref


def to_json(schema: Schema) -> dict[str, Any]:
    """The schema as a JSON object; `from_json` makes an equal one of it."""
    return {"version": schema.version, "types": {name: _type(type_) for name, type_ in schema.types.items()}}


def from_json(data: dict[str, Any]) -> Schema:
    """The schema that `to_json` wrote.

    Raises:
        KeyError, TypeError: `data` is something else.
    """
    return Schema(data["version"], {name: _read_type(name, one) for name, one in data["types"].items()})


def _type(type_: Type) -> dict[str, Any]:
    match type_:
        case Composite():
            fields = {name: {"type": str(one.type), "args": _arguments(one.args)} for name, one in type_.fields.items()}
            return {"kind": "composite", "fields": fields, "interfaces": list(type_.interfaces), "abstract": type_.abstract}
        case Enum():
            return {"kind": "enum", "members": type_.members}
        case Input():
            return {"kind": "input", "fields": _arguments(type_.fields)}
        case Scalar():
            return {"kind": "scalar"}


def _arguments(arguments: dict[str, Argument]) -> dict[str, Any]:
    return {name: _argument(one) for name, one in arguments.items()}


def _argument(argument: Argument) -> dict[str, Any]:
    written: dict[str, Any] = {"type": str(argument.type)}
    if argument.default is not UNSET:
        written["default"] = argument.default
    if argument.object:
        written["object"] = argument.object
    return written


def _read_type(name: str, data: dict[str, Any]) -> Type:
    match data["kind"]:
        case "composite":
            fields = {key: Field(parse_ref(one["type"]), _read_arguments(one["args"])) for key, one in data["fields"].items()}
            return Composite(name, fields, tuple(data["interfaces"]), data["abstract"])
        case "enum":
            return Enum(name, data["members"])
        case "input":
            return Input(name, _read_arguments(data["fields"]))
        case _:
            return Scalar(name)


def _read_arguments(data: dict[str, Any]) -> dict[str, Argument]:
    return {name: Argument(parse_ref(one["type"]), one.get("default", UNSET), one.get("object", "")) for name, one in data.items()}
