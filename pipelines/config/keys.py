"""What keys there are, read off the tables: for environment variables, suggestions and messages."""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pipelines.config.tables import Document, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SCALARS: tuple[type, ...] = (bool, int, float, str)


def table_at(path: Sequence[str | int]) -> type[Table] | None:
    """The table class that holds the last key of a path; None where keys are free (names, build arguments)."""
    here: Any = Document
    for key in path[:-1]:
        here = _below(here, key)
        if here is None:
            return None
    return here if _is_table(here) else None


def _below(here: Any, key: str | int) -> Any:
    if _is_table(here):
        field = here.model_fields.get(key)
        return None if field is None else _plain(field.annotation)
    if get_origin(here) in (dict, list):
        return _plain(get_args(here)[-1])
    return None


def _plain(annotation: Any) -> Any:
    """A type without None and without Annotated."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        rest = [part for part in get_args(annotation) if part is not type(None)]
        return _plain(rest[0])
    return annotation


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Table)


def scalars(tables: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], type]]:
    """Every key that holds one word or number, with its plain type; under named tables only for the names that `tables` has."""
    yield from _scalars(Document, tables, ())


def _scalars(here: Any, tables: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], type]]:
    present = tables if isinstance(tables, dict) else {}
    if _is_table(here):
        for name, field in here.model_fields.items():
            yield from _scalars(_plain(field.annotation), present.get(name), (*path, name))
    elif get_origin(here) is dict and _is_table(_plain(get_args(here)[-1])):
        for name, table in present.items():
            yield from _scalars(_plain(get_args(here)[-1]), table, (*path, name))
    elif isinstance(here, type) and issubclass(here, SCALARS):
        yield path, here
