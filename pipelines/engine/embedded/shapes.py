"""JSON from outside: read, and compared with the shape it has to have.

A member that is missing or null is a member without value, as in Go, where most such documents come from; unknown members are
let through.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.tars import Damaged, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Shape = Callable[[Any, str], None]

DEEPEST = 64  # lists and objects in each other
_LONE = re.compile(r"\\u[dD][89a-fA-F]")  # a half of a surrogate pair, as it is written in JSON


def read(data: bytes, shape: Shape, *, largest: int) -> Any:
    """The JSON value in `data`, of the given shape.

    Args:
        data: from outside.
        shape: one of those below.
        largest: bytes it may have.

    Raises:
        Damaged: it is too large, not JSON, or of another shape.
    """
    if len(data) > largest:
        raise Damaged(f"it has {len(data)} bytes, more than {largest >> 20} MiB")
    try:
        written = data.decode()
        found = json.loads(written, parse_constant=_refuse, parse_float=_number)
    except (ValueError, RecursionError):
        raise Damaged("it is not JSON") from None
    found = _whole(found, DEEPEST, lone=_LONE.search(written) is not None)
    shape(found, "it")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _number(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return number


def _whole(value: Any, depth: int, *, lone: bool) -> Any:
    """The same with lone surrogates replaced, as Go's encoding/json does; text with them cannot be written anywhere."""
    if depth < 0:
        raise Damaged(f"it is nested deeper than {DEEPEST} levels")
    if isinstance(value, dict):
        return {_text(key, lone=lone): _whole(member, depth - 1, lone=lone) for key, member in value.items()}
    if isinstance(value, list):
        return [_whole(member, depth - 1, lone=lone) for member in value]
    return _text(value, lone=lone) if isinstance(value, str) else value


def _text(text: str, *, lone: bool) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if lone else text


def anything(value: Any, where: str) -> None:
    """Accepts whatever JSON can hold: the shape of a part that nobody reads."""


def text(value: Any, where: str) -> None:
    """A string without a zero byte: names, paths and variables cannot hold one."""
    if not isinstance(value, str):
        raise Damaged(f"{where} is not a string")
    if "\0" in value:
        raise Damaged(f"{where} has a zero byte")


def flag(value: Any, where: str) -> None:
    """Raises `Damaged` unless the value is true or false; 0 and 1 are neither."""
    if not isinstance(value, bool):
        raise Damaged(f"{where} is neither true nor false")


def number(value: Any, where: str) -> None:
    """An integer of 64 bits."""
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**63) <= value < 2**63:
        raise Damaged(f"{where} is not an integer of 64 bits")


def quantity(value: Any, where: str) -> None:
    """A number, whole or not, that is not negative."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise Damaged(f"{where} is not a number from 0 to 2^63")


def size(value: Any, where: str) -> None:
    """Raises `Damaged` unless the value is an integer of 64 bits that is not negative: a number of bytes."""
    number(value, where)
    if value < 0:
        raise Damaged(f"{where} is negative")


def listed(shape: Shape, most: int = 100_000) -> Shape:
    """A list of such values."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, list):
            raise Damaged(f"{where} is not a list")
        if len(value) > most:
            raise Damaged(f"{where} has more than {most} members")
        for index, member in enumerate(value):
            shape(member, f"{where}[{index}]")

    return check


def mapped(shape: Shape, key: Shape = text) -> Shape:
    """An object with any keys and such values, null not among them."""

    def check(value: Any, where: str) -> None:
        for name, member in _members(value, where):
            key(name, f"a key of {where}")
            shape(member, f"{where}.{shown(name)}")

    return check


def fields(shapes: Mapping[str, Shape], *needed: str) -> Shape:
    """An object with these members; those `needed` have to be there."""

    def check(value: Any, where: str) -> None:
        found = dict(_members(value, where))
        inside = "" if where == "it" else f"{where}."
        for name in needed:
            if found.get(name) is None:
                raise Damaged(f"{inside}{name} is missing")
        for name, shape in shapes.items():
            if found.get(name) is not None:
                shape(found[name], f"{inside}{name}")

    return check


def _members(value: Any, where: str) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise Damaged(f"{where} is not a JSON object")
    return list(value.items())
