"""Values: from what a query says, or its variables hold, to what the schema promises resolvers (GraphQL specification, §3 and §6.4.1).

Messages are worded as GraphQL's reference implementation words them.
"""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any

from graphql.language import (
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    VariableNode,
    print_ast,
)

from pipelines.engine.embedded.api.schema.types import UNSET, Enum, Input, TypeRef, parse_ref
from pipelines.engine.embedded.errors import InvalidInput, UnknownField

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphql.language import ArgumentNode, ValueNode, VariableDefinitionNode

    from pipelines.engine.embedded.api.schema.types import Argument, Field, Schema

MAX_INT = 2**63 - 1  # the API's Int has 64 bits: sizes and timestamps do not fit GraphQL's 32
LARGEST_FLOAT = int(sys.float_info.max)
SHOWN = 200  # characters of a refused value that a message repeats


class _Word(str):
    """An enum member as written in a query: a bare word, not a string."""

    __slots__ = ()


def arguments(nodes: Iterable[ArgumentNode], field: Field, name: str, variables: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """All arguments of a field, defaults filled in.

    Args:
        nodes: what the query gives.
        field: the field's definition.
        name: `Type.field`, for messages.
        variables: the operation's variables, coerced.
        schema: for the types of the values.

    Raises:
        InvalidInput: an argument that is unknown, missing or of the wrong type.
    """
    values = dict(field.defaults)
    for node in nodes:
        argument = node.name.value
        if argument not in field.args:
            raise UnknownField(f'Unknown argument "{argument}" on field "{name}".')
        value = _from_node(node.value, variables)
        if value is not UNSET:
            values[argument] = _coerce(value, field.args[argument].type, schema, f'Argument "{argument}"')
    return _required(values, field, name)


def to_value(node: ValueNode, type_: str, variables: Mapping[str, Any], schema: Schema) -> Any:
    """The value of one node, of a type written as in GraphQL's schema language."""
    return _coerce(_from_node(node, variables), parse_ref(type_), schema, "Value")


def from_variables(definitions: Iterable[VariableDefinitionNode], variables: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """The values of an operation's variables.

    Raises:
        InvalidInput: a value that is missing or of the wrong type.
    """
    values: dict[str, Any] = {}
    for definition in definitions:
        name = definition.variable.name.value
        type_ = parse_ref(print_ast(definition.type))
        value = variables.get(name, UNSET)
        if value is UNSET and definition.default_value is not None:
            value = _from_node(definition.default_value, {})
        if value is UNSET and type_.required:
            raise InvalidInput(f'Variable "${name}" of required type "{type_}" was not provided.')
        values[name] = UNSET if value is UNSET else _coerce(value, type_, schema, f'Variable "${name}"')
    return values


def _required(values: dict[str, Any], field: Field, name: str) -> dict[str, Any]:
    for argument, definition in field.args.items():
        if definition.type.required and values[argument] is None:
            raise InvalidInput(f'Argument "{name}({argument}:)" of type "{definition.type}" is required, but it was not provided.')
    return values


def _from_node(node: ValueNode, variables: Mapping[str, Any]) -> Any:
    """A value as the query writes it; UNSET for a variable that has none."""
    match node:
        case StringValueNode(value=value) | BooleanValueNode(value=value):
            return value
        case IntValueNode() | FloatValueNode():
            return _number(node.value)
        case EnumValueNode():
            return _Word(node.value)
        case VariableNode():
            return _variable(node.name.value, variables)
        case _:
            return _compound(node, variables)


def _number(text: str) -> int | float:
    try:
        value: int | float = json.loads(text)
    except ValueError:  # more digits than Python reads
        value = math.inf
    if not math.isfinite(value):
        raise InvalidInput(f"Numbers cannot represent value: {_cut(text)}")
    return value


def _compound(node: ValueNode, variables: Mapping[str, Any]) -> Any:
    match node:
        case ListValueNode():
            items = (_from_node(one, variables) for one in node.values)
            return [None if one is UNSET else one for one in items]
        case ObjectValueNode():
            pairs = ((one.name.value, _from_node(one.value, variables)) for one in node.fields)
            return {name: value for name, value in pairs if value is not UNSET}
        case NullValueNode():
            return None
        case _:
            raise InvalidInput(f"Unexpected value {print_ast(node)}.")


def _variable(name: str, variables: Mapping[str, Any]) -> Any:
    if name not in variables:
        raise InvalidInput(f'Variable "${name}" is not defined.')
    return variables[name]


def _coerce(value: Any, type_: TypeRef, schema: Schema, what: str) -> Any:
    if value is None:
        if type_.required:
            raise InvalidInput(f'{what}: expected value of type "{type_}", found null.')
        return None
    if type_.item is not None:
        items = value if isinstance(value, list) else [value]
        return [_coerce(one, type_.item, schema, what) for one in items]
    named = schema.types.get(type_.name)
    if isinstance(named, Enum):
        return _member(value, named, what)
    if isinstance(named, Input):
        return _input(value, named, schema, what)
    if named is None:
        raise InvalidInput(f'Unknown type "{type_.name}".')
    return _scalar(value, type_.name, what)


def _member(value: Any, enum: Enum, what: str) -> str:
    member = enum.members.get(value) if isinstance(value, str) else None
    if member is None:
        raise InvalidInput(f'{what}: value {_shown(value)} does not exist in "{enum.name}" enum.')
    return member


def _input(value: Any, type_: Input, schema: Schema, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput(f'{what}: expected type "{type_.name}" to be an object, found {_shown(value)}.')
    for name in value:
        if name not in type_.fields:
            raise InvalidInput(f'{what}: field "{name}" is not defined by type "{type_.name}".')
    return {name: _input_field(value.get(name, UNSET), name, one, schema, what) for name, one in type_.fields.items()}


def _input_field(value: Any, name: str, argument: Argument, schema: Schema, what: str) -> Any:
    given = argument.omitted if value is UNSET else value
    return _coerce(given, argument.type, schema, f'{what}, field "{name}"')


def _scalar(value: Any, name: str, what: str) -> Any:
    """A scalar's value. Custom scalars (`Platform`, `JSON`, ids of one type) are strings."""
    if isinstance(value, _Word):
        raise _cannot(name, value, what)
    match name, value:
        case "Boolean", bool():
            return value
        case "Float", float() if math.isfinite(value):
            return value
        case "Float", int() if not isinstance(value, bool) and abs(value) <= LARGEST_FLOAT:
            return float(value)
        case "Int", int() if not isinstance(value, bool) and -MAX_INT - 1 <= value <= MAX_INT:
            return value
        case ("ID", int()) if not isinstance(value, bool):
            return str(value)
        case (("Boolean" | "Float" | "Int"), _):
            raise _cannot(name, value, what)
        case _, str():
            return value
        case _:
            raise _cannot(name, value, what)


def _cannot(name: str, value: Any, what: str) -> InvalidInput:
    return InvalidInput(f"{what}: {name} cannot represent value: {_shown(value)}")


def _shown(value: Any) -> str:
    return _cut(value if isinstance(value, _Word) else json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
