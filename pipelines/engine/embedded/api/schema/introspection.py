"""The schema as introspection data, and answers to queries about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.schema.types import ROOT, UNSET, Argument, Composite, Enum, Field, Input, Scalar, Schema, Type, TypeRef

if TYPE_CHECKING:
    from collections.abc import Iterable

REQUIRED_BOOLEAN = TypeRef("Boolean", required=True)
DIRECTIVES = {
    "include": (("FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"), {"if": Argument(REQUIRED_BOOLEAN)}),
    "skip": (("FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"), {"if": Argument(REQUIRED_BOOLEAN)}),
}

OF_SOME_TYPES = ("description", "specifiedByURL", "fields", "interfaces", "possibleTypes", "enumValues", "inputFields", "ofType", "isOneOf")
"""Fields of `__Type` that are null for most kinds of types."""


class Introspection:
    """The schema as the data that introspection queries select from (GraphQL specification, §4.2).

    The data refers to types by reference, so that a query may go round in circles as deep as it likes.
    """

    def __init__(self, schema: Schema) -> None:
        self._types: dict[str, dict[str, Any]] = {name: {"__typename": "__Type", "name": name} for name in schema.types}
        for name, type_ in schema.types.items():
            self._types[name] |= self._type(type_, schema)
        self.schema: dict[str, Any] = {
            "__typename": "__Schema",
            "description": None,
            "queryType": self._types[ROOT],
            "mutationType": None,
            "subscriptionType": None,
            "types": list(self._types.values()),
            "directives": [self._directive(name, *one, schema) for name, one in DIRECTIVES.items()],
        }

    def type(self, name: str) -> dict[str, Any] | None:
        """The data of one type (`__Type`); None when the schema has no such type."""
        return self._types.get(name)

    def _type(self, type_: Type, schema: Schema) -> dict[str, Any]:
        blank = dict.fromkeys(OF_SOME_TYPES)
        match type_:
            case Scalar():
                return blank | {"kind": "SCALAR"}
            case Enum():
                return blank | {"kind": "ENUM", "enumValues": [_described("__EnumValue", name) for name in type_.members]}
            case Input():
                return blank | {"kind": "INPUT_OBJECT", "inputFields": self._arguments(type_.fields, schema), "isOneOf": False}
            case Composite():
                return blank | {"kind": "INTERFACE" if type_.abstract else "OBJECT"} | self._composite(type_, schema)

    def _composite(self, type_: Composite, schema: Schema) -> dict[str, Any]:
        return {
            "fields": [self._field(name, one, schema) for name, one in type_.fields.items()],
            "interfaces": [self._types[name] for name in type_.interfaces],
            "possibleTypes": [self._types[name] for name in sorted(schema.possible.get(type_.name, ()))] if type_.abstract else None,
        }

    def _field(self, name: str, one: Field, schema: Schema) -> dict[str, Any]:
        return _described("__Field", name) | {"args": self._arguments(one.args, schema), "type": self._ref(one.type)}

    def _arguments(self, arguments: dict[str, Argument], schema: Schema) -> list[dict[str, Any]]:
        return [
            _described("__InputValue", name) | {"type": self._ref(one.type), "defaultValue": literal(one, schema)}
            for name, one in arguments.items()
        ]

    def _ref(self, type_: TypeRef) -> dict[str, Any]:
        if type_.required:
            return _wrapper("NON_NULL", self._ref(TypeRef(type_.name, item=type_.item)))
        return _wrapper("LIST", self._ref(type_.item)) if type_.item else self._types[type_.name]

    def _directive(self, name: str, locations: Iterable[str], arguments: dict[str, Argument], schema: Schema) -> dict[str, Any]:
        return {
            "__typename": "__Directive",
            "name": name,
            "description": None,
            "isRepeatable": False,
            "locations": list(locations),
            "args": self._arguments(arguments, schema),
        }


def literal(argument: Argument, schema: Schema) -> str | None:
    """An argument's default as GraphQL writes it, or None."""
    if argument.default is UNSET:
        return None
    return argument.default if isinstance(schema.types.get(argument.type.name), Enum) else json.dumps(argument.default)


def _described(typename: str, name: str) -> dict[str, Any]:
    return {"__typename": typename, "name": name, "description": None, "isDeprecated": False, "deprecationReason": None}


def _wrapper(kind: str, of_type: dict[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(OF_SOME_TYPES) | {"__typename": "__Type", "kind": kind, "name": None, "ofType": of_type}
