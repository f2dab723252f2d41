"""Values inside values: what the model holds of one type, wherever it stands."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

Wanted = TypeVar("Wanted")


def values_of(wanted: type[Wanted], value: object) -> Iterator[Wanted]:
    """Every value of a type in a frozen value: in the fields of dataclasses, in mappings, lists, tuples and sets, at any depth.

    A value that is found is not looked into: it may hold no other of its own type.
    """
    if isinstance(value, wanted):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from values_of(wanted, part)
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            yield from values_of(wanted, part)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from values_of(wanted, getattr(value, field.name))
