"""Frozen dataclasses as plain JSON values, back again, and their JSON schema: all three by the types of the fields.

Types of fields may be `str`, `int`, `float`, `bool`, a date, an enum of texts, another such dataclass, `tuple[X, ...]`, `Mapping[str, X]`,
and unions of these and `None`.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import inspect
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")
_SCALARS: dict[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_NAMES = {"Mapping": Mapping, "dt": dt}
"""What annotations call types that their modules import for type checkers only."""


class NotOfType(ValueError):  # noqa: N818 - says what the value is
    """A JSON value is not of the type that was asked for."""


def to_json(value: Any) -> Any:
    """A value as `json.dumps` takes it. A dataclass becomes an object with all its fields, in their order."""
    if isinstance(value, enum.Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): to_json(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(part) for part in value]
    return value


def from_json(kind: type[T], data: object) -> T:
    """The value of a dataclass that `to_json` made `data` of. Keys that the class does not have are passed over: a later version wrote
    them. Those that are missing have the field's default.

    Raises:
        NotOfType: a value is missing, or has another type.
    """
    value: T = _read(kind, data, kind.__name__)
    return value


def schema_of(kind: type) -> dict[str, Any]:
    """The JSON schema (2020-12) of what `to_json` makes of values of a dataclass."""
    definitions: dict[str, Any] = {}
    root = _schema(kind, definitions)
    name = str(root["$ref"]).rpartition("/")[2]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **definitions.pop(name), "$defs": definitions}


@cache
def _types(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind, localns=dict(_NAMES))


def _read(kind: Any, data: object, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, data, where)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return _one_of(arguments, data, where)
    if origin is tuple and isinstance(data, list):
        return tuple(_read(arguments[0], part, f"{where}[{number}]") for number, part in enumerate(data))
    if origin is Mapping and isinstance(data, dict) and all(isinstance(key, str) for key in data):
        return {key: _read(arguments[1], part, f"{where}.{key}") for key, part in data.items()}
    if origin is None and isinstance(kind, type):
        return _scalar(kind, data, where)
    raise NotOfType(f"{where}: {type(data).__name__} is not {kind}")


def _scalar(kind: type, data: object, where: str) -> Any:
    if kind is float and type(data) is int:
        return float(data)
    if type(data) is kind:
        return data
    if isinstance(data, str) and issubclass(kind, enum.Enum | dt.date):
        try:
            return kind(data) if issubclass(kind, enum.Enum) else kind.fromisoformat(data)
        except ValueError as error:
            raise NotOfType(f"{where}: {error}") from None
    raise NotOfType(f"{where}: {type(data).__name__} is not {kind.__name__}")


def _one_of(kinds: tuple[Any, ...], data: object, where: str) -> Any:
    exact = [kind for kind in kinds if type(data) is kind]
    problems = []
    for kind in (*exact, *kinds):
        try:
            return _read(kind, data, where)
        except NotOfType as error:
            problems.append(error)
    raise next((problem for problem in problems if data is not None and "NoneType" not in str(problem)), problems[0])


def _dataclass(kind: Any, data: object, where: str) -> Any:
    if not isinstance(data, dict):
        raise NotOfType(f"{where}: {type(data).__name__} is not an object")
    hints, values = _types(kind), {}
    for field in dataclasses.fields(kind):
        if field.name in data:
            values[field.name] = _read(hints[field.name], data[field.name], f"{where}.{field.name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise NotOfType(f"{where}.{field.name} is missing")
    return kind(**values)


def _schema(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _object(kind, definitions)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [_schema(one, definitions) for one in arguments]}
    if origin is tuple:
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    return _scalar_schema(kind)


def _scalar_schema(kind: type) -> dict[str, Any]:
    if issubclass(kind, enum.Enum):
        return {"enum": [member.value for member in kind]}
    return {"type": "string", "format": "date"} if issubclass(kind, dt.date) else {"type": _SCALARS[kind]}


def _object(kind: type, definitions: dict[str, Any]) -> dict[str, Any]:
    reference = {"$ref": f"#/$defs/{kind.__name__}"}
    if kind.__name__ in definitions:
        return reference
    definitions[kind.__name__] = {}
    hints = _types(kind)
    names = [field.name for field in dataclasses.fields(kind)]
    definitions[kind.__name__] = {
        "type": "object",
        "description": " ".join((inspect.getdoc(kind) or "").split()),
        "properties": {name: _schema(hints[name], definitions) for name in names},
        "required": names,
    }
    return reference
