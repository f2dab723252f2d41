"""What keys there are, as a plain value: for environment variables, for `--set`, for suggestions and messages.

The *shape* of a key is `{"keys": {name: shape}}` for a table, `{"each": shape}` for a table whose keys are free (names, build arguments),
`{"items": shape}` for an array, and else a word: `bool`, `int`, `float`, `str`, or `other` for what is none of them (a date).
"""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipelines.config.table import Table

Shape = Any
_SCALARS: tuple[type, ...] = (bool, int, float, str)
_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")


def shape_of(table: type[Table]) -> Shape:
    """The shape of a table, with all that is in it."""
    return _shape(table)


def shape_at(shape: Shape, path: Sequence[str | int]) -> Shape | None:
    """The shape of the key at a path; None where there is no such key."""
    for key in path:
        if not isinstance(shape, dict):
            return None
        shape = shape["keys"].get(key) if "keys" in shape else shape.get("each", shape.get("items"))
    return shape


def scalars(shape: Shape, tables: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Path and word of every key that holds one word or number; under named tables only for the names that `tables` has."""
    present = tables if isinstance(tables, dict) else {}
    if not isinstance(shape, dict):
        yield path, shape
    elif "keys" in shape:
        for name, inner in shape["keys"].items():
            yield from scalars(inner, present.get(name), (*path, name))
    elif "keys" in shape.get("each", ()):
        for name, table in present.items():
            yield from scalars(shape["each"], table, (*path, name))


def typed(shape: Shape, text: str) -> object:
    """A text as a key of this shape wants it; as it is when it does not fit, so that validation says what is wrong."""
    if shape == "bool":
        return True if text.lower() in _TRUE else False if text.lower() in _FALSE else text
    if isinstance(shape, dict):
        return _toml(text)
    for word, number in (("int", int), ("float", float)):
        if shape == word:
            try:
                return number(text)
            except ValueError:
                return text
    return text


def _toml(text: str) -> object:
    """An array or a table as TOML writes it; other texts as they are."""
    import tomllib

    if not text.lstrip().startswith(("[", "{")):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return text


def _shape(kind: Any) -> Shape:
    plain = _plain(kind)
    if get_origin(plain) is dict:
        return {"each": _shape(get_args(plain)[-1])}
    if get_origin(plain) is list:
        return {"items": _shape(get_args(plain)[-1])}
    fields: Mapping[str, Any] | None = getattr(plain, "model_fields", None)
    if fields is not None:
        return {"keys": {name: _shape(field.annotation) for name, field in fields.items()}}
    return next((scalar.__name__ for scalar in _SCALARS if isinstance(plain, type) and issubclass(plain, scalar)), "other")


def _plain(annotation: Any) -> Any:
    """A type without None and without Annotated."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        rest = [part for part in get_args(annotation) if part is not type(None)]
        return _plain(rest[0])
    return annotation
